import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Behaviour } from '../../emulator/behaviour.ts';
import { DEFAULT_ACCOUNT, type Emulator } from '../../emulator/emulator.ts';
import type { FaultAnswer, RequestFacts } from '../../emulator/traffic.ts';
import { runBuild } from '../../src/modes/build.ts';
import { runMirror } from '../../src/modes/mirror.ts';
import type { Outcome, Services } from '../../src/modes/services.ts';
import { runStitch } from '../../src/modes/stitch.ts';
import { LEG_SCHEMA, type Leg, type LegImage } from '../../src/release/leg.ts';
import { composeLeg } from '../../src/release/legs/tagged.ts';
import { read, type Values } from '../inputs/read.ts';
import type { Image } from '../support/images.ts';
import { writeLayout } from '../support/layout.ts';
import {
  ALIAS,
  AMD64,
  ARM64,
  LATE,
  NEW,
  OLD,
  OTHER,
  PUBLIC,
  REPOSITORY,
  ROLES,
  SOURCE,
  stockOf,
  TAG,
  TAGS_BESIDE,
  THIRD,
  UPSTREAM,
} from './release.ts';

/** The work of one step, and the world that it finds. */
export interface Scenario {
  /** Where it publishes; two regions are enough to be at odds. */
  readonly regions: readonly string[];
  readonly behaviour?: Partial<Behaviour>;
  /** What is refused in it in any case. */
  readonly refused?: (request: RequestFacts) => FaultAnswer | undefined;
  /** Whether the tag shows another image before. */
  readonly tagged: boolean;
  /** Where the tag shows another image that it keeps, and that it shall show in the other regions. */
  readonly keeps?: readonly string[];
  /** Tags that are to move with the release's, and show nothing before. */
  readonly beside?: readonly string[];
  /** The roles that are assumed one after the other, of which the first needs no credentials. */
  readonly roles?: readonly string[];
  prepare(emulator: Emulator): Promise<void>;
  run(services: Services): Promise<Outcome>;
}

const DENIED = { status: 403, code: 'DENIED', message: 'not today' };
const TARGET: Values = { repository: REPOSITORY, tags: TAG, 'if-tag-exists': 'replace' };
const PAIR = [OTHER, LATE];
const TRIO = [OTHER, LATE, THIRD];
const LEGS = [AMD64, ARM64];

async function withOld(emulator: Emulator, regions: readonly string[] = PAIR): Promise<void> {
  emulator.createRepository(REPOSITORY, {}, regions);
  await Promise.all(regions.map((region) => emulator.stock(region, REPOSITORY, stockOf(OLD), TAG)));
}

async function withSource(emulator: Emulator): Promise<void> {
  emulator.createRepository(UPSTREAM, {}, [SOURCE]);
  await emulator.stock(SOURCE, UPSTREAM, stockOf(NEW), TAG);
}

async function withOldAndSource(emulator: Emulator): Promise<void> {
  await withOld(emulator);
  await withSource(emulator);
}

/** A layout is read, and never changed. */
let layout: Promise<string> | undefined;
export function layoutDir(): Promise<string> {
  layout ??= mkdtemp(join(tmpdir(), 'ecr-multiarch-layout-')).then(async (dir) => {
    await writeLayout(dir, NEW);
    return dir;
  });
  return layout;
}

async function build(services: Services, more: Values = {}): Promise<Outcome> {
  const layout = await layoutDir();
  const inputs = await read({ ...TARGET, regions: PAIR.join(), legs: 'none', 'oci-layout': layout, ...more });
  if (inputs.mode !== 'build') throw new Error(`this is ${inputs.mode}`);
  return runBuild(inputs, services);
}

async function mirror(services: Services, more: Values = {}): Promise<Outcome> {
  const source = `${DEFAULT_ACCOUNT}.dkr.ecr.${SOURCE}.amazonaws.com/${UPSTREAM}:${TAG}`;
  const inputs = await read({ ...TARGET, regions: PAIR.join(), mode: 'mirror', source, ...more });
  if (inputs.mode !== 'mirror') throw new Error(`this is ${inputs.mode}`);
  return runMirror(inputs, services);
}

async function stitch(services: Services, more: Values = {}): Promise<Outcome> {
  for (const [position, image] of LEGS.entries()) await services.legs.save(legOf(image, position));
  const inputs = await read({ ...TARGET, regions: TRIO.join(), mode: 'stitch', ...more });
  if (inputs.mode !== 'stitch') throw new Error(`this is ${inputs.mode}`);
  return runStitch(inputs, services);
}

function legOf({ root, listed, blobs }: Image, jobIndex: number): Leg {
  const bytes = [...blobs.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
  const images: LegImage[] = [{ descriptor: listed, bytes }];
  return {
    schema: LEG_SCHEMA,
    repository: REPOSITORY,
    runId: '7',
    runAttempt: 1,
    job: 'build',
    jobIndex,
    jobTotal: 2,
    builder: 'docker',
    root: root.digest,
    images,
    attestations: [],
    destinations: [],
  };
}

/** Has two regions hold all legs, and the third one of them. */
async function withLegs(emulator: Emulator): Promise<void> {
  await withOld(emulator, TRIO);
  for (const region of [OTHER, THIRD]) {
    for (const image of LEGS) await emulator.stock(region, REPOSITORY, stockOf(image));
  }
  await emulator.stock(LATE, REPOSITORY, stockOf(ARM64));
}

/** The same, with tags of single platforms wherever a leg is. */
async function withTaggedLegs(emulator: Emulator): Promise<void> {
  await withOld(emulator, TRIO);
  for (const region of TRIO) {
    for (const [position, image] of LEGS.entries()) {
      const { manifests, blobs } = stockOf(image);
      const leg = composeLeg(legOf(image, position));
      await emulator.stock(
        region,
        REPOSITORY,
        { manifests: [...manifests, leg], blobs },
        TAGS_BESIDE[position],
      );
    }
  }
}

const DIGESTS = JSON.stringify({ 'linux/amd64': AMD64.root.digest, 'linux/arm64': ARM64.root.digest });

const refusesTag = ({ region, method, path }: RequestFacts) =>
  region === OTHER && method === 'PUT' && path.endsWith(`/manifests/${TAG}`) ? DENIED : undefined;

export const SCENARIOS = {
  build: { regions: PAIR, tagged: true, prepare: withOld, run: build },
  mirror: { regions: PAIR, tagged: true, prepare: withOldAndSource, run: mirror },
  'with referrers': {
    regions: PAIR,
    tagged: true,
    prepare: withOldAndSource,
    run: (services) => mirror(services, { referrers: 'true' }),
  },
  create: {
    regions: PAIR,
    tagged: false,
    prepare: async (emulator) => emulator.createRepository(REPOSITORY, {}, [OTHER]),
    run: (services) => build(services, { 'create-repository': 'true' }),
  },
  mount: {
    regions: PAIR,
    tagged: true,
    behaviour: { blobMounting: true },
    async prepare(emulator) {
      await withOldAndSource(emulator);
      emulator.createRepository(UPSTREAM, {}, [LATE]);
      await emulator.stock(LATE, UPSTREAM, stockOf(NEW));
    },
    run: mirror,
  },
  'without the API': {
    regions: PAIR,
    tagged: true,
    refused: ({ operation }) =>
      operation === 'BatchCheckLayerAvailability'
        ? { status: 400, code: 'AccessDeniedException', message: 'not authorized' }
        : undefined,
    prepare: withOld,
    run: build,
  },
  stitch: { regions: TRIO, tagged: true, prepare: withLegs, run: stitch },
  'legs by tag': {
    regions: TRIO,
    tagged: true,
    prepare: withTaggedLegs,
    run: (services) => stitch(services, { legs: 'tags', platforms: 'linux/amd64,linux/arm64' }),
  },
  'legs by digest': {
    regions: TRIO,
    tagged: true,
    prepare: withLegs,
    run: (services) => stitch(services, { legs: DIGESTS }),
  },
  'with tags beside': {
    regions: TRIO,
    tagged: true,
    beside: TAGS_BESIDE,
    prepare: withLegs,
    run: (services) => stitch(services, { 'platform-tags': '{tag}-{arch}' }),
  },
  keep: {
    regions: PAIR,
    tagged: false,
    keeps: [OTHER],
    async prepare(emulator) {
      await withOld(emulator, [OTHER]);
      emulator.createRepository(REPOSITORY, {}, [LATE]);
    },
    run: (services) => build(services, { 'if-tag-exists': 'keep' }),
  },
  public: {
    regions: [OTHER, PUBLIC],
    tagged: true,
    prepare: (emulator) => withOld(emulator, [OTHER, PUBLIC]),
    run: (services) =>
      build(services, { regions: '', destinations: `${OTHER}\npublic.ecr.aws/${ALIAS}/${REPOSITORY}` }),
  },
  'with a role': {
    regions: PAIR,
    tagged: true,
    roles: ROLES.slice(0, 1),
    prepare: withOld,
    run: build,
  },
  'with roles': {
    regions: PAIR,
    tagged: true,
    roles: ROLES,
    prepare: withOld,
    run: (services) =>
      build(services, {
        regions: '',
        destinations: PAIR.map((region) => `${region} role=${ROLES[1]}`).join('\n'),
      }),
  },
  'put back': { regions: PAIR, tagged: true, refused: refusesTag, prepare: withOld, run: build },
  'take away': {
    regions: PAIR,
    tagged: false,
    refused: refusesTag,
    prepare: async (emulator) => emulator.createRepository(REPOSITORY, {}, PAIR),
    run: build,
  },
} as const satisfies Record<string, Scenario>;

export type ScenarioName = keyof typeof SCENARIOS;

export function scenarioOf(name: ScenarioName): Scenario {
  return SCENARIOS[name];
}
