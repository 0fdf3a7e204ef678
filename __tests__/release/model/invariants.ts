import { expect } from '@jest/globals';
import type { Digest } from '../../../src/image/digest.ts';
import { isDone, type Result } from '../../../src/release/result.ts';
import { isAsGood, ROOT_TAGS, releaseUnder } from './images.ts';
import type { ModelRegion } from './region.ts';
import type { TagHistory, World } from './world.ts';

/** It is known what the tag shows. */
function isCertain({ result, tag }: TagHistory): boolean {
  return !(result.uncertain ?? []).includes(tag);
}

const isOld = ({ now, before }: TagHistory) => now === before;

function digestsOf(digests: readonly (Digest | undefined)[]): Set<Digest> {
  return new Set(digests.filter((digest) => digest !== undefined));
}

/**
 * What a tag that is kept may show in all regions: what it shows in those that do not fail; where it shows something only in
 * regions that fail, the others may not know of it.
 */
function keptUnder(wanted: string, histories: readonly TagHistory[]): Set<Digest> {
  const own = histories.filter(({ tag }) => tag === wanted);
  const kept = digestsOf(own.filter(({ result }) => result.state !== 'failed').map(({ before }) => before));
  return kept.size > 0 ? kept : digestsOf([...own.map(({ before }) => before), releaseUnder(wanted)]);
}

/** Gives what tells whether a tag shows what it had to, as the policy has it. */
function newAs(world: World, histories: readonly TagHistory[]): (history: TagHistory) => boolean {
  const policy = world.scenario.ifTagExists;
  return ({ tag, now }) => {
    if (now === undefined) return false;
    if (policy === 'keep') return keptUnder(tag, histories).has(now);
    return policy === 'same-images' ? isAsGood(tag, now) : now === releaseUnder(tag);
  };
}

/** What has to be so when a release has ended, whatever happened to it. */
export function assertEnd(world: World, results: readonly Result[]): void {
  const histories = world.histories(results);
  const isNew = newAs(world, histories);
  expect([...world.broken]).toEqual([]);
  for (const history of histories) {
    expect(isNew(history) || isOld(history)).toBe(true);
    assertTold(history, isNew);
    assertUntouched(world, history);
  }
  const certain = histories.filter(isCertain);
  const groups =
    world.scenario.onRegionFailure === 'abort'
      ? [certain]
      : [...Map.groupBy(certain, ({ region }) => region).values()];
  for (const group of groups) expect(group.every(isNew) || group.every(isOld)).toBe(true);
  assertAgreed(world, histories);
}

/** What is told of a region, and of a tag in it, is so. */
function assertTold(history: TagHistory, isNew: (history: TagHistory) => boolean): void {
  const { region, result, tag, now } = history;
  if (isDone(result)) {
    expect([isNew(history), result.tags[tag]]).toEqual([true, now]);
    expect(ROOT_TAGS.map((each) => region.tags.get(each))).toContain(result.digest);
  }
  if (isCertain(history) && result.tags[tag] !== undefined) expect(result.tags[tag]).toBe(now);
  if (result.state === 'unchanged') expect(isOld(history)).toBe(true);
  if (result.state === 'held back') expect([isOld(history), result.error]).toEqual([true, undefined]);
  if (result.state === 'failed') expect(result.error).toMatch(/^in region-\d: ./);
  else expect(result.uncertain).toBeUndefined();
}

/** A tag that is kept, or known to be immutable, is not even tried. */
function assertUntouched({ scenario }: World, { region, tag, before }: TagHistory): void {
  if (!before || (scenario.ifTagExists !== 'keep' && region.tagRule(tag) !== 'immutable')) return;
  expect(region.operations).not.toContain(`tag ${tag}`);
  expect(region.operations).not.toContain(`untag ${tag}`);
}

/**
 * Where a tag has what it had to get, it is the same image in all regions, but for those where it may not be changed; and where
 * there are such, it is what one of them shows.
 */
function assertAgreed(world: World, histories: readonly TagHistory[]): void {
  const isStuck = ({ region, tag }: TagHistory) => world.isStuck(region, tag);
  for (const [, all] of Map.groupBy(histories, ({ tag }) => tag)) {
    const done = all.filter(({ result }) => isDone(result));
    const free = digestsOf(done.filter((each) => !isStuck(each)).map(({ now }) => now));
    expect(free.size).toBeLessThanOrEqual(1);
    const led = done.some(isStuck) ? free : [];
    for (const digest of led) expect(all.filter(isStuck).map(({ before }) => before)).toContain(digest);
  }
}

/** Where a release to which nothing happens has to be refused, as what tags show there has it. */
export interface Refused {
  /** Where that is known before any tag is written. */
  readonly ahead: ReadonlySet<ModelRegion>;
  /** Where it is the registry that tells. */
  readonly late: ReadonlySet<ModelRegion>;
}

export function refusedIn(world: World): Refused {
  const { scenario, regions, tags } = world;
  const taken = regions.flatMap((region) =>
    tags.flatMap((tag) => {
      const before = world.before(region, tag);
      return before ? [{ region, tag, before }] : [];
    }),
  );
  const isKept = scenario.ifTagExists === 'keep';
  const differs = ({ tag, before }: (typeof taken)[number]) =>
    taken.some((other) => other.tag === tag && other.before !== before);
  const isFixed = ({ region, tag, before }: (typeof taken)[number]) =>
    region.immutable.has(tag) &&
    !(scenario.ifTagExists === 'same-images' ? isAsGood(tag, before) : before === releaseUnder(tag));
  const wrong = taken.filter(isKept ? differs : isFixed);
  const isKnown = ({ region, tag }: (typeof taken)[number]) => isKept || region.tagRule(tag) === 'immutable';
  const ahead = new Set(wrong.filter(isKnown).map(({ region }) => region));
  const late = new Set(wrong.map(({ region }) => region)).difference(ahead);
  return { ahead, late };
}

/** What has to be so of a release to which nothing happens. */
export function assertCalm(world: World, results: readonly Result[]): void {
  const { ahead, late } = refusedIn(world);
  const { onRegionFailure, ifTagExists } = world.scenario;
  // A tag that is kept has to show the same everywhere, whatever the policy.
  const isTogether = onRegionFailure === 'abort' || ifTagExists === 'keep';
  const isOff = isTogether && ahead.size > 0;
  const isUndone = isOff || (isTogether && late.size > 0);
  for (const [position, region] of world.regions.entries()) {
    const { state } = results[position] ?? {};
    if (ahead.has(region) || (late.has(region) && !isOff)) expect(state).toBe('failed');
    else expect(isUndone ? ['held back', 'unchanged'] : ['published', 'unchanged']).toContain(state);
  }
}
