import fc from 'fast-check';
import type { Course, Fault } from './region.ts';
import { RELEASE, type RegionScenario, type Scenario, TAGS } from './world.ts';

/** More operations than most releases need in one region. */
const OPERATIONS = 32;

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

function regions(kinds: readonly Fault[]): fc.Arbitrary<RegionScenario> {
  return fc.record({
    held: fc.nat({ max: RELEASE.blobs.size }),
    shown: fc.array(fc.constantFrom('nothing' as const, 'earlier' as const, 'release' as const), {
      minLength: TAGS.length,
      maxLength: TAGS.length,
    }),
    immutable: fc.nat({ max: 5 }).map((number) => number === 0),
    course: courses(kinds),
  });
}

/**
 * Releases to one to four regions, of which each holds something, shows something, and fails in its own way.
 * @param kinds the faults that may happen
 */
export function scenarios(
  kinds: readonly Fault[],
  { strict }: { readonly strict: fc.Arbitrary<boolean> },
): fc.Arbitrary<Scenario> {
  return fc.record({
    regions: fc.array(regions(kinds), { minLength: 1, maxLength: 4 }),
    onRegionFailure: fc.constantFrom('abort' as const, 'continue' as const, 'warn' as const),
    strict,
  });
}
