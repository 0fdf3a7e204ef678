import { afterAll, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { isDone, type Result } from '../../../src/release/result.ts';
import { BLOBS, RELEASE, releaseUnder } from './images.ts';
import { assertCalm, assertEnd, refusedIn } from './invariants.ts';
import type { Fault } from './region.ts';
import { scenarios } from './scenarios.ts';
import { type Scenario, World } from './world.ts';

const RUNS = 250;
/** How long so many may take, in milliseconds, on a machine that is busy with other tests. */
const MOST = 120_000;

jest.setTimeout(MOST);

const count = {
  releases: 0,
  faults: 0,
  'broken off': 0,
  looks: 0,
  published: 0,
  unchanged: 0,
  'held back': 0,
  failed: 0,
  uncertain: 0,
  'too late': 0,
  'supplied with another image': 0,
  'tags that stayed': 0,
  'refused for an immutable tag': 0,
  'refused for tags that differ': 0,
  fail: 0,
  'same-images': 0,
  keep: 0,
  replace: 0,
};

afterAll(() => {
  const figures = Object.entries(count).map(([name, number]) => `${number} ${name}`);
  process.stdout.write(`the model of a release: ${figures.join(', ')}\n`);
});

/** Releases in a world of this scenario, and counts what happened. */
async function play(world: World): Promise<Result[]> {
  const results = await world.release();
  count.releases += 1;
  count[world.scenario.ifTagExists] += 1;
  count.faults += world.regions.reduce((sum, { struck }) => sum + struck.length, 0);
  count['broken off'] += world.regions.reduce((sum, { brokenOff }) => sum + brokenOff, 0);
  count.looks += world.looks;
  count['supplied with another image'] += world.supplied;
  for (const result of results) tally(result);
  return results;
}

function tally(result: Result): void {
  const { state, error = '', uncertain = [], tags } = result;
  if (state === 'published' || state === 'unchanged' || state === 'held back' || state === 'failed')
    count[state] += 1;
  count.uncertain += uncertain.length;
  if (error.includes('"region-timeout"')) count['too late'] += 1;
  if (error.includes('is immutable and shows')) count['refused for an immutable tag'] += 1;
  if (error.includes('a tag that is kept has to show the same')) count['refused for tags that differ'] += 1;
  if (isDone(result))
    count['tags that stayed'] += Object.entries(tags).filter(
      ([tag, digest]) => digest !== releaseUnder(tag),
    ).length;
}

/** Nothing that a release leaves behind keeps the next one, to which nothing happens, from being complete. */
async function assertResumable(scenario: Scenario, world: World): Promise<void> {
  const calm = scenario.regions.map((region) => ({
    ...region,
    course: { ...region.course, faults: new Map<number, Fault>() },
  }));
  const again = new World({ ...scenario, regions: calm, regionTimeout: undefined }, world);
  const lacked = again.regions.map(({ blobs }) =>
    [...BLOBS].reduce((sum, [digest, { length }]) => (blobs.has(digest) ? sum : sum + length), 0),
  );
  const results = await play(again);
  assertEnd(again, results);
  assertCalm(again, results);
  for (const [position, result] of results.entries())
    expect(result.sent).toBeLessThanOrEqual(lacked[position] ?? 0);
}

async function check(
  kinds: readonly Fault[],
  options: { readonly strict: fc.Arbitrary<boolean>; readonly timed?: boolean },
  more: (world: World, results: readonly Result[]) => void = () => undefined,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(scenarios(kinds, options), async (scenario) => {
      const world = new World(scenario);
      const results = await play(world);
      assertEnd(world, results);
      more(world, results);
      await assertResumable(scenario, world);
    }),
    { numRuns: RUNS },
  );
}

const either = { strict: fc.boolean() };
const strict = { strict: fc.constant(true) };

describe('a release, whatever fails at whatever moment', () => {
  test('never shows what is incomplete, and is everywhere or nowhere, or says which tag it does not know of', () =>
    check(['refuse', 'lose', 'down'], either));

  test('that has to end in the middle is taken back, or has been published', () =>
    check(['interrupt', 'refuse', 'lose'], either));

  test('to which some regions take longer than they may is published by the others, or by none', () =>
    check(['refuse', 'lose', 'down'], { ...either, timed: true }));

  test('heals regions that say they hold what they lack, and is published in all of them', () =>
    check(['lie'], strict, (world, results) => {
      const { ahead, late } = refusedIn(world);
      if (ahead.size + late.size > 0) return;
      expect(results.map(({ error }) => error)).toEqual(results.map(() => undefined));
      expect(results.every(isDone)).toBe(true);
    }));

  test('comes through all of it together', () =>
    check(['refuse', 'lose', 'down', 'interrupt', 'lie'], { ...strict, timed: true }));
});

test('a release to which nothing happens is published everywhere, unless what tags show forbids it', () =>
  fc.assert(
    fc.asyncProperty(scenarios([], either), async (scenario) => {
      const world = new World(scenario);
      const results = await play(world);
      assertEnd(world, results);
      assertCalm(world, results);
    }),
    { numRuns: RUNS },
  ));

test('in all of that, every outcome and every way to fail has come about', () => {
  for (const [what, number] of Object.entries(count)) expect([what, number > 0]).toEqual([what, true]);
});

describe('the model finds out a client', () => {
  const worldOf = (more: Partial<Scenario> = {}) =>
    new World({
      regions: [
        {
          held: 0,
          shown: ['earlier'],
          immutable: [],
          hidden: false,
          course: { faults: new Map(), turns: [0], doneWhenBroken: [false] },
        },
      ],
      onRegionFailure: 'continue',
      ifTagExists: 'fail',
      beside: false,
      regionTimeout: undefined,
      strict: false,
      ...more,
    });

  test('that writes tags before the content', async () => {
    const world = worldOf();
    await world.regions[0]?.writeManifest('v1', RELEASE.root);
    expect([...world.broken]).toEqual([expect.stringMatching(/^v1 in region-0 lacks sha256:/)]);
  });

  test('that moves a tag before all regions hold what it shows', async () => {
    const { regions } = worldOf().scenario;
    const world = worldOf({ onRegionFailure: 'abort', regions: [...regions, ...regions] });
    await world.regions[0]?.writeManifest('latest', RELEASE.root);
    expect([...world.broken]).toContain('latest in region-0 was moved before all regions held what it shows');
  });

  test('that changes a tag that is to be kept, or takes it away', async () => {
    const world = worldOf({ ifTagExists: 'keep' });
    await world.regions[0]?.deleteTag('v1');
    expect([...world.broken]).toEqual(['v1 in region-0 was not kept']);
  });

  test('that takes away an immutable tag', async () => {
    const world = worldOf();
    world.regions[0]?.immutable.add('v1');
    await world.regions[0]?.deleteTag('v1');
    expect([...world.broken]).toEqual(['v1 in region-0 is immutable, and was changed']);
  });
});
