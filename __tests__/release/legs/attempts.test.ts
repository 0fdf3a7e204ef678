import { describe, expect, test } from '@jest/globals';
import { parsePlatform } from '../../../src/image/platform.ts';
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
  return legOf(platform, { jobIndex, jobTotal: 2, content: builder, builder, call, ...more });
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

describe('a matrix of repositories and platforms that is in another order in a later attempt', () => {
  const job = (index: number, platform: string, more: Partial<Leg> = {}) =>
    jobOf(index, platform, { jobTotal: 4, ...more });
  const other = { repository: 'team/other', destinations: ['one.example/team/other'] };
  const byRepository = [
    job(0, 'linux/amd64'),
    job(1, 'linux/arm64'),
    job(2, 'linux/amd64', other),
    job(3, 'linux/arm64', other),
  ];
  const again = { runAttempt: 2 };
  const byPlatform = [
    job(0, 'linux/amd64', again),
    job(1, 'linux/amd64', { ...other, ...again }),
    job(2, 'linux/arm64', again),
    job(3, 'linux/arm64', { ...other, ...again }),
  ];

  test('has the legs of the later attempt, in each repository', () => {
    const legs = [...byRepository, ...byPlatform];
    expect(assemble(legs)).toEqual(['linux/amd64 2', 'linux/arm64 2']);
    expect(assembleLegs(legs, expected)).toMatchObject({
      leftOut: [expect.stringMatching(/^job build #1 of attempt 1, which built linux\/arm64, is left out/)],
    });
    expect(assemble(legs, { repository: 'team/other' })).toEqual(['linux/amd64 2', 'linux/arm64 2']);
  });

  test('keeps a leg of before whose place nobody else has', () => {
    // Both have built the same: of a matrix that says so.
    const legs = [...byRepository, job(2, 'linux/arm64', again)];
    expect(assemble(legs)).toEqual([expect.stringMatching(/^linux\/arm64 was built more than once/)]);
  });

  test('keeps a leg of before that no later attempt has built again', () => {
    const legs = [...byRepository, job(1, 'linux/amd64', { ...other, ...again })];
    expect(assemble(legs)).toEqual(['linux/amd64 1', 'linux/arm64 1']);
  });

  test('keeps a leg of before where it is not known whether the place is of the same call', () => {
    const legs = [...byRepository, ...byPlatform].map(untold);
    expect(assemble(legs)).toEqual([expect.stringMatching(/^linux\/arm64 was built more than once/)]);
  });
});

describe('a job that a later attempt has run again with another matrix', () => {
  const again = (index: number, platform: string, more: Partial<Leg> = {}) =>
    jobOf(index, platform, { runAttempt: 2, ...more });
  const first = [jobOf(0, 'linux/amd64'), jobOf(1, 'linux/arm64')];
  const left = (index: number, platform: string, attempt = 1) =>
    `job build #${index} of attempt ${attempt}, which built ${platform}, is left out: a later attempt has run its job again with another matrix`;

  test.each<[string, Leg[], string[], string[]]>([
    ['fewer jobs', [again(0, 'linux/amd64', { jobTotal: 1 })], ['linux/amd64 2'], [left(1, 'linux/arm64')]],
    [
      'more jobs',
      ['linux/amd64', 'linux/s390x', 'linux/riscv64'].map((each, i) => again(i, each, { jobTotal: 3 })),
      ['linux/amd64 2', 'linux/s390x 2', 'linux/riscv64 2'],
      [left(1, 'linux/arm64')],
    ],
    [
      'another order',
      [again(0, 'linux/arm64'), again(1, 'linux/amd64')],
      ['linux/arm64 2', 'linux/amd64 2'],
      [left(0, 'linux/amd64'), left(1, 'linux/arm64')],
    ],
    [
      'another platform in the place of one',
      [again(0, 'linux/amd64'), again(1, 'linux/s390x')],
      ['linux/amd64 2', 'linux/s390x 2'],
      [left(1, 'linux/arm64')],
    ],
    [
      'another matrix, of which a job was then run once more',
      [again(0, 'linux/arm64'), jobOf(1, 'linux/amd64', { runAttempt: 3 })],
      ['linux/arm64 2', 'linux/amd64 3'],
      [left(0, 'linux/amd64'), left(1, 'linux/arm64')],
    ],
    [
      'what it was before the attempt in between',
      [again(0, 'linux/amd64', { jobTotal: 1 }), ...first.map((leg) => ({ ...leg, runAttempt: 3 }))],
      ['linux/amd64 1', 'linux/arm64 1'],
      [],
    ],
  ])('counts with its latest legs alone when it is %s', (_, later, builders, leftOut) => {
    for (const legs of [[...first, ...later], [...first, ...later].map(untold)]) {
      expect(assemble(legs)).toEqual(builders);
      expect(assembleLegs(legs, expected)).toMatchObject({ leftOut });
    }
  });

  test('has no leg of a platform that the later matrix lacks', () => {
    const platforms = ['linux/amd64', 'linux/arm64'].map(parsePlatform);
    expect(assemble([...first, again(0, 'linux/amd64', { jobTotal: 1 })], { platforms })).toEqual([
      'linux/arm64 is missing: job build #1 of attempt 1 built it, but a later attempt has run its job again with another matrix: let that have it, too, or leave it out of "platforms"',
    ]);
  });

  test('must have left a leg of each job of the later matrix', () => {
    expect(assemble([...first, again(0, 'linux/s390x', { jobTotal: 3 })])).toEqual([
      expect.stringMatching(
        /^the job "build" has 3 jobs in its matrix, but 1 left a leg; there is none of #1, #2/,
      ),
    ]);
  });
});

describe('a job whose failed jobs alone were run again', () => {
  test('has the legs of all attempts', () => {
    const legs = [
      jobOf(0, 'linux/amd64', { jobTotal: 3 }),
      jobOf(1, 'linux/arm64', { jobTotal: 3, runAttempt: 2 }),
      jobOf(2, 'linux/s390x', { jobTotal: 3, runAttempt: 3 }),
    ];
    expect(assemble(legs)).toEqual(['linux/amd64 1', 'linux/arm64 2', 'linux/s390x 3']);
  });

  test('may have a job for each platform and region', () => {
    const legs = ['one', 'two'].flatMap((region, position) =>
      ['linux/amd64', 'linux/arm64'].map((platform, index) => ({
        ...legOf(platform, { jobIndex: 2 * position + index, jobTotal: 4, builder: platform }),
        ...{ call: '', runAttempt: 1 + position, destinations: [`${region}.example/team/app`] },
      })),
    );
    expect(assemble(legs)).toEqual(['linux/amd64', 'linux/arm64']);
  });

  test('may be called twice, each time for other platforms, by runners that do not tell by whom', () => {
    const legs = [
      jobOf(0, 'linux/amd64', { jobTotal: 2 }),
      jobOf(1, 'linux/arm64', { jobTotal: 2 }),
      jobOf(0, 'windows/amd64', { jobTotal: 1, runAttempt: 2 }),
    ];
    expect(assemble(legs.map(untold))).toEqual(['linux/amd64 1', 'linux/arm64 1', 'windows/amd64 2']);
  });
});
