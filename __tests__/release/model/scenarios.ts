import fc from 'fast-check';
import { ALL_TAGS, RELEASE, SHOWS } from './images.ts';
import type { Course, Fault } from './region.ts';
import type { RegionScenario, Scenario } from './world.ts';

/** More operations than most releases need in one region. */
const OPERATIONS = 48;

const LONG = fc.constant(1_000);

/** @param kinds the faults that may happen; with none, nothing does */
function courses(kinds: readonly Fault[]): fc.Arbitrary<Course> {
  const fault = fc.tuple(fc.nat({ max: OPERATIONS }), fc.nat({ max: Math.max(0, kinds.length - 1) }));
  return fc.record({
    faults: fc
      .array(fault, { maxLength: 4 })
      .map((all) => new Map(all.flatMap(([number, kind]) => (kinds[kind] ? [[number, kinds[kind]]] : [])))),
    // The long ones are those that are broken off.
    turns: fc.array(fc.oneof({ weight: 12, arbitrary: fc.nat({ max: 4 }) }, { weight: 1, arbitrary: LONG }), {
      minLength: 1,
      maxLength: 7,
    }),
    doneWhenBroken: fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
  });
}

/** One value for each of all tags. */
function forTags<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T[]> {
  return fc.array(arbitrary, { minLength: ALL_TAGS.length, maxLength: ALL_TAGS.length });
}

function regions(kinds: readonly Fault[]): fc.Arbitrary<RegionScenario> {
  const seldom = fc.nat({ max: 9 }).map((number) => number === 0);
  return fc.record({
    held: fc.nat({ max: RELEASE.blobs.size }),
    // Most show little: tags that differ are refused by some policies, and then nothing is left to happen.
    shown: forTags(
      fc.oneof(
        { weight: 3, arbitrary: fc.constant('nothing' as const) },
        { weight: 2, arbitrary: fc.constant('earlier' as const) },
        { weight: 2, arbitrary: fc.constantFrom(...SHOWS) },
      ),
    ),
    immutable: forTags(seldom),
    hidden: fc.boolean(),
    course: courses(kinds),
  });
}

/**
 * Releases to one to four regions, of which each holds something, shows something, and fails in its own way.
 * @param kinds the faults that may happen
 * @param strict whether registries look what is below a manifest
 * @param timed whether regions may take longer than they may
 */
export function scenarios(
  kinds: readonly Fault[],
  { strict, timed = false }: { readonly strict: fc.Arbitrary<boolean>; readonly timed?: boolean },
): fc.Arbitrary<Scenario> {
  return fc.record({
    regions: fc.array(regions(kinds), { minLength: 1, maxLength: 4 }),
    onRegionFailure: fc.constantFrom('abort' as const, 'continue' as const, 'warn' as const),
    ifTagExists: fc.constantFrom(
      'fail' as const,
      'same-images' as const,
      'keep' as const,
      'replace' as const,
    ),
    beside: fc.boolean(),
    // As long as some releases take, and others do not.
    regionTimeout: timed ? fc.integer({ min: 1, max: 4 }) : fc.constant(undefined),
    strict,
  });
}
