import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { withDefaults } from '../../__tests__/main/inputs.ts';
import { statesOf } from '../../__tests__/main/results.ts';
import type { Section } from '../report/finding.ts';
import { processes } from '../run/processes.ts';
import { withPublisher } from '../run/publisher.ts';
import type { Ended, Runner } from '../run/step.ts';
import { layersOf, manyPlatforms, type SoakPlatform, writeImage } from '../world/images.ts';
import { type Traffic, type World, withWorld } from '../world/world.ts';
import { PROCESS_MEMORY, regionsFor, type Setting } from './setting.ts';

const REPOSITORY = 'soak/stitch';
const TAG = 'v1';
const REGIONS = regionsFor(4);
/** In bytes; the first is the same in all images. */
const [SHARED_LAYER, OWN_LAYER] = [6_000, 3_000];
/** Every so many legs one does not reach the last region, which then has to get its image from another one. */
const ABSENT = 5;

/** Many legs, handed over as artifacts, put together into one index. */
export function manyLegs(setting: Setting): Promise<Section> {
  return withWorld({ dir: setting.dir, regions: REGIONS }, async (world) => {
    world.createRepository(REPOSITORY, false);
    const { legs } = setting.sizes;
    const complaints: string[] = [];
    const blobs = await landLegs(world, manyPlatforms(legs), complaints);
    const landing = world.traffic();
    setting.say(`${legs} legs have landed with ${landing.requests} requests`);
    const runner = processes(setting.entry, world);
    const first = await stitch(world, runner, 'published', complaints);
    const again = await stitch(world, runner, 'unchanged', complaints);
    setting.say(
      `stitched in ${first.ended.seconds.toFixed(1)} s, and again in ${again.ended.seconds.toFixed(1)} s`,
    );
    for (const [region, tags] of await world.shown(REPOSITORY)) {
      if (tags.get(TAG) !== first.ended.digest) complaints.push(`${region} shows ${tags.get(TAG)}`);
    }
    const lacking = await world.lacking(REPOSITORY, blobs);
    return {
      title: `A stitch of ${legs} legs in ${REGIONS.length} regions`,
      findings: findingsOf(landing, first, again),
      complaints: [...complaints, ...lacking.map((layer) => `${layer} is lacking`)],
    };
  });
}

function findingsOf(landing: Traffic, first: Stitched, again: Stitched): Section['findings'] {
  const { requests, throttled } = first.traffic;
  const memory = first.ended.peakMemory / 1e6;
  return [
    { what: 'legs: requests', value: landing.requests, unit: '' },
    { what: 'stitch: requests', value: requests, unit: '' },
    { what: 'stitch: requests that were one too many (429)', value: throttled, unit: '', bound: { most: 0 } },
    { what: 'stitch: time', value: first.ended.seconds, unit: 's' },
    { what: 'stitch: peak resident memory', value: memory, unit: 'MB', bound: { most: PROCESS_MEMORY } },
    { what: 'stitched again: requests', value: again.traffic.requests, unit: '' },
    { what: 'stitched again: time', value: again.ended.seconds, unit: 's' },
    {
      what: 'stitched again: bytes of blobs',
      value: again.traffic.uploaded,
      unit: 'bytes',
      bound: { most: 0 },
    },
  ];
}

/** Lands one leg for each platform, all of them of one matrix. Gives the digests of all their blobs. */
function landLegs(world: World, platforms: readonly SoakPlatform[], complaints: string[]): Promise<string[]> {
  return withPublisher(world, async (publisher) => {
    const digests = new Set<string>();
    const shared = layersOf([SHARED_LAYER]);
    for (const [position, platform] of platforms.entries()) {
      const layout = await mkdtemp(join(world.dir, 'layout-'));
      const { blobs } = await writeImage(layout, [...shared, ...layersOf([OWN_LAYER])], platform);
      for (const digest of blobs.keys()) digests.add(digest);
      const reached = position % ABSENT === 0 ? world.regions.slice(0, -1) : world.regions;
      const { errors } = await publisher.run({
        inputs: await withDefaults({
          repository: REPOSITORY,
          regions: reached.join(),
          'oci-layout': layout,
          'job-index': String(position),
          'job-total': String(platforms.length),
        }),
        environment: world.job('build'),
      });
      complaints.push(...errors.map((error) => `the leg of ${JSON.stringify(platform)}: ${error}`));
      await rm(layout, { recursive: true, force: true });
    }
    return [...digests];
  });
}

interface Stitched {
  readonly ended: Ended;
  readonly traffic: Traffic;
}

async function stitch(world: World, runner: Runner, state: string, complaints: string[]): Promise<Stitched> {
  world.traffic();
  const ended = await runner.run({
    inputs: await withDefaults({
      mode: 'stitch',
      repository: REPOSITORY,
      regions: world.regions.join(),
      tags: TAG,
    }),
    environment: world.job('publish'),
  });
  const traffic = world.traffic();
  const states = statesOf(ended.results);
  complaints.push(
    ...ended.errors.map((error) => `the stitch: ${error}`),
    ...world.regions
      .filter((region) => states[region] !== state)
      .map((region) => `the stitch: ${region} is ${states[region]}, not ${state}`),
    ...ended.leftovers.map((name) => `the stitch: ${name} was left over`),
  );
  return { ended, traffic };
}
