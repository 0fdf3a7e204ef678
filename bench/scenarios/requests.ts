import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Emulator, startEmulator } from '../../emulator/emulator.ts';
import { startArtifactService } from '../../emulator/github/artifactService.ts';
import type { RecordedRequest } from '../../emulator/traffic.ts';
import type { Finding } from '../report/contest.ts';
import { buildInputs } from '../subjects/action.ts';
import { REPOSITORY } from '../world/builder.ts';
import { blobsIn, writeContext } from '../world/image.ts';
import { landLegs, stitch, writeLegImages } from './legs.ts';
import { PLACES, type Setting } from './setting.ts';

const REGIONS = PLACES.map(({ region }) => region);
const LAYERS = [300_000, 200_000, 100_000, 50_000, 20_000, 10_000, 5000, 2000];
/** Every answer takes as long as this, in milliseconds, so that what waits for what can be told from when it came. */
const DELAY = 250;

/** One request, and when it came. */
interface Arrival {
  readonly region: string;
  readonly at: number;
}

/** Counts what ECR is asked, at ECR's side, and holds it against the least that can do the same. */
export async function requests(setting: Setting): Promise<Finding[]> {
  const arrivals: Arrival[] = [];
  const emulator = await startEmulator({
    regions: REGIONS,
    repositories: [REPOSITORY],
    dir: setting.dir,
    async fault({ region }) {
      arrivals.push({ region, at: performance.now() });
      await sleep(DELAY);
      return undefined;
    },
  });
  const log = new Log(emulator, arrivals);
  try {
    return [...(await pushes(setting, log)), ...(await stitches(setting, log))];
  } finally {
    await emulator.close();
  }
}

async function pushes({ builder, action, dir }: Setting, log: Log): Promise<Finding[]> {
  const context = join(dir, 'counted');
  const layout = join(dir, 'counted-layout');
  await writeContext(context, LAYERS);
  await builder.exportTo(layout, context);
  const blobs = await blobsIn(layout);
  const push = async () => {
    const inputs = buildInputs(REGIONS, { context, tag: 'v1' });
    await action.run({ inputs, apiEndpoint: log.endpoint });
    return log.since();
  };
  const fresh = await push();
  const again = await push();
  const bytes = blobs.reduce((sum, { size }) => sum + size, 0);
  // One question about all layers, two requests a blob, two images and the index, and the tag: read, written, read back.
  const least = 1 + 2 * blobs.length + 3 + 3;
  return [
    ...describe(`fresh push of ${blobs.length} blobs`, fresh, least),
    { what: 'fresh push: blob bytes to each region', value: fresh.blobBytes, unit: 'bytes', target: bytes },
    ...describe('nothing new', again, 4),
    { what: 'nothing new: blob bytes to each region', value: again.blobBytes, unit: 'bytes', target: 0 },
  ];
}

async function stitches({ action, dir }: Setting, log: Log): Promise<Finding[]> {
  const artifacts = await startArtifactService();
  try {
    const run = { regions: REGIONS, addresses: { apiEndpoint: log.endpoint }, artifacts, id: '1' };
    await landLegs(action, await writeLegImages(dir), run);
    log.since();
    await stitch(action, run, 'v1');
    // Both images asked for, the index written, the tag read, written, and read back.
    return describe('stitch', log.since(), 6, 5);
  } finally {
    await artifacts.close();
  }
}

interface Count {
  /** Of the region that has the most. */
  readonly tokens: number;
  readonly others: number;
  readonly kinds: string;
  readonly oneAfterTheOther: number;
  readonly blobBytes: number;
}

function describe(what: string, count: Count, least: number, chain?: number): Finding[] {
  return [
    { what: `${what}: token requests a region`, value: count.tokens, unit: '', target: 1 },
    {
      what: `${what}: other requests a region (${count.kinds})`,
      value: count.others,
      unit: '',
      target: least,
    },
    {
      what: `${what}: round trips one after the other, the token's included`,
      value: count.oneAfterTheOther,
      unit: '',
      ...(chain !== undefined && { target: chain }),
    },
  ];
}

/** What came since it was last asked. */
class Log {
  readonly endpoint: string;
  readonly #emulator: Emulator;
  readonly #arrivals: readonly Arrival[];
  #seen = 0;
  #seenArrivals = 0;

  constructor(emulator: Emulator, arrivals: readonly Arrival[]) {
    this.#emulator = emulator;
    this.#arrivals = arrivals;
    this.endpoint = emulator.endpoint;
  }

  since(): Count {
    const requests = this.#emulator.requests.slice(this.#seen);
    const arrivals = this.#arrivals.slice(this.#seenArrivals);
    this.#seen += requests.length;
    this.#seenArrivals += arrivals.length;
    const counts = REGIONS.map((region) =>
      countRegion(
        requests.filter((each) => each.region === region),
        arrivals.filter((each) => each.region === region),
      ),
    );
    const most = counts.toSorted((one, other) => other.others - one.others)[0];
    if (!most) throw new Error('there are no regions');
    return { ...most, oneAfterTheOther: Math.max(...counts.map((count) => count.oneAfterTheOther)) };
  }
}

function countRegion(requests: readonly RecordedRequest[], arrivals: readonly Arrival[]): Count {
  const kinds = Map.groupBy(requests, kindOf);
  const tokens = kinds.get('GetAuthorizationToken')?.length ?? 0;
  const others = [...kinds].filter(([kind]) => kind !== 'GetAuthorizationToken');
  const uploads = requests.filter(
    ({ method, path }) => /^P(UT|ATCH)$/.test(method) && path.includes('/blobs/'),
  );
  return {
    tokens,
    others: requests.length - tokens,
    kinds: others.map(([kind, each]) => `${each.length} ${kind}`).join(', '),
    oneAfterTheOther: longestChain(arrivals.map(({ at }) => at)),
    blobBytes: uploads.reduce((sum, { received }) => sum + received, 0),
  };
}

function kindOf({ method, path, operation }: RecordedRequest): string {
  if (operation !== undefined) return operation;
  const [, where = 'other'] = /\/(blobs|manifests)\//.exec(path) ?? [];
  return `${method} ${where}`;
}

/** The most requests of which each came when the one before had been answered. */
function longestChain(arrivals: readonly number[]): number {
  let length = 0;
  let answeredAt = Number.NEGATIVE_INFINITY;
  for (const at of arrivals.toSorted((one, other) => one - other)) {
    if (at < answeredAt) continue;
    length += 1;
    answeredAt = at + DELAY;
  }
  return length;
}
