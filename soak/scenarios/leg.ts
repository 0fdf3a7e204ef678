import { join } from 'node:path';
import { withDefaults } from '../../__tests__/main/inputs.ts';
import { statesOf } from '../../__tests__/main/results.ts';
import type { Bound, Finding, Section } from '../report/finding.ts';
import { processes } from '../run/processes.ts';
import type { Ended } from '../run/step.ts';
import { layersOf, writeImage } from '../world/images.ts';
import { type Traffic, withWorld } from '../world/world.ts';
import { regionsFor, type Setting } from './setting.ts';

const REPOSITORY = 'soak/leg';
/** In bytes. */
const LAYER = 20_000;
/**
 * What the action's process may have resident at the most, in MB. Most of it is garbage that V8 has not collected yet: so many
 * uploads leave much of it, and there is memory enough.
 */
const MEMORY = 500;
/** Requests to a region that has all: its token, its repository, the image asked for, and read back. */
const NOTHING_NEW = 5;

/** One leg with many layers into many regions, under ECR's quotas, and the same once more when all of it is there. */
export function manyLayers({ dir, entry, sizes, say }: Setting): Promise<Section> {
  const regions = regionsFor(sizes.regions);
  return withWorld({ dir, regions }, async (world) => {
    world.createRepository(REPOSITORY, false);
    const layout = join(world.dir, 'layout');
    const layers = [...sizes.largeLayers, ...Array.from({ length: sizes.layers }, () => LAYER)];
    const { blobs } = await writeImage(layout, layersOf(layers));
    const bytes = [...blobs.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
    const inputs = await withDefaults({
      repository: REPOSITORY,
      regions: regions.join(),
      'oci-layout': layout,
    });
    const runner = processes(entry, world);
    const complaints: string[] = [];
    const run = async (what: string, attempt: number, state: string): Promise<Landed> => {
      world.traffic();
      const ended = await runner.run({ inputs, environment: world.job('build', attempt) });
      const traffic = world.traffic();
      complaints.push(...complaintsOf(ended, regions, state).map((complaint) => `${what}: ${complaint}`));
      say(`${what}: ${traffic.requests} requests in ${ended.seconds.toFixed(1)} s`);
      return { ended, traffic };
    };
    const fresh = await run('a leg', 1, 'landed');
    const lacking = await world.lacking(REPOSITORY, [...blobs.keys()]);
    const again = await run('the same leg again', 2, 'unchanged');
    return {
      title: `A leg of ${layers.length} layers (${(bytes / 1e6).toFixed(1)} MB) into ${regions.length} regions`,
      findings: [
        ...findingsOf('fresh', fresh),
        {
          what: 'fresh: bytes of blobs to each region',
          value: fresh.traffic.uploaded / regions.length,
          unit: 'bytes',
          bound: { least: bytes, most: bytes },
        },
        ...findingsOf('nothing new', again, { most: NOTHING_NEW * regions.length }),
        {
          what: 'nothing new: bytes of blobs',
          value: again.traffic.uploaded,
          unit: 'bytes',
          bound: { most: 0 },
        },
      ],
      complaints: [...complaints, ...lacking.map((layer) => `${layer} is lacking`)],
    };
  });
}

interface Landed {
  readonly ended: Ended;
  readonly traffic: Traffic;
}

function complaintsOf(
  { results, errors, leftovers }: Ended,
  regions: readonly string[],
  state: string,
): string[] {
  const states = statesOf(results);
  return [
    ...errors,
    ...regions
      .filter((region) => states[region] !== state)
      .map((region) => `${region} is ${states[region]}, not ${state}`),
    ...leftovers.map((name) => `${name} was left over`),
  ];
}

function findingsOf(what: string, { ended, traffic }: Landed, requestBound?: Bound): Finding[] {
  const { requests, throttled } = traffic;
  return [
    { what: `${what}: requests`, value: requests, unit: '', ...(requestBound && { bound: requestBound }) },
    {
      what: `${what}: requests that were one too many (429)`,
      value: throttled,
      unit: '',
      bound: { most: 0 },
    },
    { what: `${what}: time`, value: ended.seconds, unit: 's' },
    {
      what: `${what}: peak resident memory`,
      value: ended.peakMemory / 1e6,
      unit: 'MB',
      bound: { most: MEMORY },
    },
  ];
}
