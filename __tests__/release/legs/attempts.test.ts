import { describe, expect, test } from '@jest/globals';
import type { Leg } from '../../../src/release/leg.ts';
import { assembleLegs, type Expectation } from '../../../src/release/legs/assemble.ts';
import { legOf } from './legs.ts';

const expected: Expectation = { repository: 'team/app', runId: '7', platforms: [] };

/** What would be stitched, as `platform content`, or the problems. */
function assemble(legs: readonly Leg[], more: Partial<Expectation> = {}): readonly string[] {
  const assembly = assembleLegs(legs, { ...expected, ...more });
  if (assembly.kind === 'refused') return assembly.problems;
  return assembly.images.map(({ leg }) => leg.builder);
}

/** The leg of a job of a matrix; the builder's name tells legs apart. */
function jobOf(jobIndex: number, platform: string, more: Partial<Leg> = {}): Leg {
  const { runAttempt = 1, call = '' } = more;
  const builder = `${platform} ${call}${runAttempt}`;
  return legOf(platform, { jobIndex, jobTotal: 2, content: builder, builder, ...more });
}

/** The same on a runner that does not tell in which call its job is. */
const untold = ({ call: _, ...leg }: Leg): Leg => leg;

describe('legs of runners that do not all tell the call of their jobs', () => {
  const [first, second] = [jobOf(0, 'linux/amd64', { call: 'a' }), jobOf(1, 'linux/arm64', { call: 'a' })];

  test.each<[string, Leg[]]>([
    ['the first', [untold(first), second]],
    ['the second', [first, untold(second)]],
    ['both', [untold(first), untold(second)]],
  ])('count for one matrix where it is %s', (_, legs) => {
    expect(assemble(legs)).toEqual(['linux/amd64 a1', 'linux/arm64 a1']);
  });

  test.each<[string, (leg: Leg) => Leg, (leg: Leg) => Leg]>([
    ['the earlier attempt', untold, (leg) => leg],
    ['the later attempt', (leg) => leg, untold],
  ])('are replaced by a later attempt where it is %s', (_, before, after) => {
    const again = jobOf(1, 'linux/arm64', { call: 'a', runAttempt: 2 });
    expect(assemble([first, before(second), after(again)])).toEqual(['linux/amd64 a1', 'linux/arm64 a2']);
  });

  test('are not replaced by one that may be of either of two calls', () => {
    const other = jobOf(0, 'linux/amd64', { call: 'b' });
    const again = untold(jobOf(0, 'linux/amd64', { call: 'a', runAttempt: 2 }));
    expect(assemble([first, other, again])).toEqual([
      expect.stringMatching(/^linux\/amd64 was built more than once/),
      expect.stringMatching(/there is none of #1/),
    ]);
  });
});
