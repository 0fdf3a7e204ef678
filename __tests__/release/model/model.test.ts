import { afterAll, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import type { Result } from '../../../src/release/result.ts';
import type { Fault } from './region.ts';
import { scenarios } from './scenarios.ts';
import { isCertain, isDone, isMoving, RELEASE, type Scenario, type TagHistory, World } from './world.ts';

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
  'held back': 0,
  failed: 0,
  uncertain: 0,
};

afterAll(() => {
  const figures = Object.entries(count).map(([name, number]) => `${number} ${name}`);
  process.stdout.write(`the model of a release: ${figures.join(', ')}\n`);
});

/** Releases in a world of this scenario, and counts what happened. */
async function play(world: World): Promise<Result[]> {
  const results = await world.release();
  count.releases += 1;
  count.faults += world.regions.reduce((sum, { struck }) => sum + struck.length, 0);
  count['broken off'] += world.regions.reduce((sum, { brokenOff }) => sum + brokenOff, 0);
  count.looks += world.looks;
  for (const { state, uncertain = [] } of results) {
    if (state === 'published' || state === 'held back' || state === 'failed') count[state] += 1;
    count.uncertain += uncertain.length;
  }
  return results;
}

const isNew = ({ now }: TagHistory) => now === RELEASE.root.digest;
const isOld = ({ now, before }: TagHistory) => now === before;

/** What has to be so when a release has ended, whatever happened to it. */
function assertEnd(world: World, results: readonly Result[]): void {
  const { onRegionFailure } = world.scenario;
  const histories = world.histories(results);
  expect([...world.broken]).toEqual([]);
  for (const history of histories) {
    const { result, tag, now } = history;
    expect(isNew(history) || isOld(history)).toBe(true);
    if (isDone(result)) expect(isNew(history)).toBe(true);
    // What is told of a tag is so.
    if (isCertain(history) && result.tags[tag] !== undefined) expect(result.tags[tag]).toBe(now);
    if (result.state === 'held back') expect([isOld(history), result.error]).toEqual([true, undefined]);
    if (result.state === 'failed') expect(result.error).toMatch(/^in region-\d: ./);
    else expect(result.uncertain).toBeUndefined();
  }
  const moved = histories.filter((history) => isMoving(history) && isCertain(history));
  const groups =
    onRegionFailure === 'abort' ? [moved] : [...Map.groupBy(moved, ({ region }) => region).values()];
  for (const group of groups) expect(group.every(isNew) || group.every(isOld)).toBe(true);
}

/** Nothing that a release leaves behind keeps the next one, to which nothing happens, from being complete. */
async function assertResumable(scenario: Scenario, world: World): Promise<void> {
  const calm = world.scenario.regions.map((region) => ({
    ...region,
    course: { ...region.course, faults: new Map<number, Fault>() },
  }));
  const again = new World({ ...scenario, regions: calm }, world);
  const lacked = again.regions.map(({ blobs }) =>
    [...RELEASE.blobs].reduce((sum, [digest, { length }]) => (blobs.has(digest) ? sum : sum + length), 0),
  );
  const results = await play(again);
  expect([...again.broken]).toEqual([]);
  for (const [position, result] of results.entries())
    expect(result.sent).toBeLessThanOrEqual(lacked[position] ?? 0);
  if (!isRefused(scenario)) expect(results.every(isDone)).toBe(true);
}

async function check(
  kinds: readonly Fault[],
  strict: fc.Arbitrary<boolean>,
  more: (scenario: Scenario, results: readonly Result[]) => void = () => undefined,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(scenarios(kinds, { strict }), async (scenario) => {
      const world = new World(scenario);
      const results = await play(world);
      assertEnd(world, results);
      more(scenario, results);
      await assertResumable(scenario, world);
    }),
    { numRuns: RUNS },
  );
}

/** Whether a tag that may not move shows another image in some region. */
function isRefused({ regions }: Scenario): boolean {
  return regions.some(({ immutable, shown }) => immutable && shown.includes('earlier'));
}

describe('a release, whatever fails at whatever moment', () => {
  test('never shows what is incomplete, and is everywhere or nowhere, or says which tag it does not know of', () =>
    check(['refuse', 'lose', 'down'], fc.boolean()));

  test('that has to end in the middle is taken back, or has been published', () =>
    check(['interrupt', 'refuse', 'lose'], fc.boolean()));

  test('heals regions that say they hold what they lack, and is published in all of them', () =>
    check(['lie'], fc.constant(true), (scenario, results) => {
      if (!isRefused(scenario)) expect(results.every(isDone)).toBe(true);
    }));

  test('comes through all of it together', () =>
    check(['refuse', 'lose', 'down', 'interrupt', 'lie'], fc.constant(true)));
});

test('a release to which nothing happens is published everywhere, unless an immutable tag shows another image', () =>
  fc.assert(
    fc.asyncProperty(scenarios([], { strict: fc.boolean() }), async (scenario) => {
      const world = new World(scenario);
      const results = await play(world);
      assertEnd(world, results);
      const refuses = scenario.regions.map(({ immutable, shown }) => immutable && shown.includes('earlier'));
      const isTogether = scenario.onRegionFailure === 'abort';
      const expected = refuses.map((isRefused) => !isRefused && !(isTogether && refuses.includes(true)));
      const moving = results.map(
        (_, position) => scenario.regions[position]?.shown.some((each) => each !== 'release') ?? false,
      );
      for (const [position, result] of results.entries()) {
        if (moving[position]) expect(isDone(result)).toBe(expected[position]);
      }
    }),
    { numRuns: RUNS },
  ));

test('in all of that, every outcome and every way to fail has come about', () => {
  for (const [what, number] of Object.entries(count)) expect([what, number > 0]).toEqual([what, true]);
});

test('the model finds out a client that writes tags before the content', async () => {
  const world = new World({
    regions: [
      {
        held: 0,
        shown: ['nothing', 'nothing'],
        immutable: false,
        course: { faults: new Map(), turns: [0], doneWhenBroken: [false] },
      },
    ],
    onRegionFailure: 'abort',
    strict: false,
  });
  await world.regions[0]?.writeManifest('v1', RELEASE.root);
  expect([...world.broken]).toEqual([expect.stringMatching(/^v1 in region-0 lacks sha256:/)]);
});
