import { describe, expect, test } from '@jest/globals';
import { OCI_INDEX } from '../../../src/image/mediaTypes.ts';
import { parsePlatform } from '../../../src/image/platform.ts';
import type { Leg } from '../../../src/release/leg.ts';
import { assembleLegs, type Expectation } from '../../../src/release/legs/assemble.ts';
import { imageOf } from '../../support/images.ts';
import { legOf } from './legs.ts';

const expected: Expectation = { repository: 'team/app', runId: '7', platforms: [] };

/** The digests of the images that would be stitched, or the problems. */
function assemble(legs: readonly Leg[], more: Partial<Expectation> = {}): readonly string[] {
  const assembly = assembleLegs(legs, { ...expected, ...more });
  return assembly.kind === 'refused' ? assembly.problems : assembly.children.map(({ digest }) => digest);
}

const digests = (...legs: Leg[]) => [
  ...legs.flatMap(({ images }) => images.map(({ descriptor }) => descriptor.digest)),
  ...legs.flatMap(({ attestations }) => attestations.map(({ digest }) => digest)),
];

const amd64 = legOf('linux/amd64');
const arm64 = legOf('linux/arm64');
const both = ['linux/amd64', 'linux/arm64'].map(parsePlatform);

describe('putting legs together', () => {
  test('takes all images and what attests them, and counts their bytes', () => {
    expect(assembleLegs([amd64, arm64], expected)).toMatchObject({ kind: 'complete', bytes: 200 });
    expect(assemble([amd64, arm64])).toEqual(digests(amd64, arm64));
  });

  test('takes the platforms that are expected, in any spelling', () => {
    const wanted = ['linux/x86_64', 'linux/arm64/v8'].map(parsePlatform);
    expect(assemble([arm64, amd64], { platforms: wanted })).toEqual(digests(arm64, amd64));
  });

  test('leaves legs of other repositories alone', () => {
    const other = legOf('linux/s390x', { repository: 'team/other' });
    expect(assemble([other, amd64])).toEqual(digests(amd64));
  });

  test('takes a Windows image where no OS version was asked for', () => {
    const leg = windowsLeg('10.0.20348.1');
    expect(assemble([leg], { platforms: [parsePlatform('windows/amd64')] })).toEqual(digests(leg));
  });

  test('takes two Windows versions as two platforms', () => {
    const legs = [windowsLeg('10.0.20348.1'), windowsLeg('10.0.26100.1')];
    expect(assemble(legs, { platforms: [parsePlatform('windows/amd64')] })).toEqual(digests(...legs));
  });

  test('takes an image once that several jobs have built, with what one of them says of it, whichever came first', () => {
    const [one, other] = ['one', 'other']
      .map((content) =>
        legOf('linux/amd64', { attestations: legOf('linux/s390x', { content }).attestations }),
      )
      .map((leg) => ({ ...leg, attestations: leg.attestations.map(({ annotations: _, ...rest }) => rest) }));
    if (!one || !other) throw new Error('no legs');
    const twins = [one, { ...other, job: 'twin', root: other.attestations[0]?.digest ?? other.root }];
    const taken = assemble(twins);
    expect(taken).toHaveLength(2);
    expect(assemble(twins.toReversed())).toEqual(taken);
    expect(assembleLegs(twins, expected)).toMatchObject({ bytes: 100 });
  });
});

/** A leg for Windows, whose config names its version. */
function windowsLeg(version: string): Leg {
  const leg = legOf('windows/amd64', { content: version });
  return {
    ...leg,
    images: leg.images.map(({ descriptor, bytes }) => ({
      descriptor: { ...descriptor, platform: { ...descriptor.platform, 'os.version': version } },
      bytes,
    })),
  };
}

describe('legs of several attempts', () => {
  test('a later attempt replaces the platform that it built again', () => {
    const again = legOf('linux/arm64', { runAttempt: 2, content: 'again' });
    expect(assemble([arm64, again, amd64], { platforms: both })).toEqual(digests(again, amd64));
  });

  test('a leg that no later attempt replaced still counts', () => {
    const again = legOf('linux/arm64', { runAttempt: 3 });
    expect(assemble([amd64, again], { platforms: both })).toEqual(digests(amd64, again));
  });
});

describe('a leg that was left again in a later attempt', () => {
  const region = (name: string, more: Partial<Leg> & { content?: string } = {}) =>
    legOf('linux/arm64', { destinations: [`${name}.example/team/app`], ...more });

  test.each<[string, Leg, Leg]>([
    ['for another region', region('one'), region('two', { runAttempt: 2 })],
    [
      'by another job of the matrix',
      region('one', { jobIndex: 0 }),
      region('one', { jobIndex: 1, runAttempt: 2 }),
    ],
    ['by another job', region('one'), region('one', { job: 'other', runAttempt: 2 })],
    [
      'by a job of another call of the workflow',
      region('one', { jobIndex: 0, call: 'a' }),
      region('one', { jobIndex: 0, call: 'b', runAttempt: 2 }),
    ],
  ])('is not replaced when that was %s', (_, first, second) => {
    const different = { ...second, images: legOf('linux/arm64', { content: 'new' }).images };
    expect(assemble([first, different])).toEqual([
      expect.stringContaining(first.images[0]?.descriptor.digest ?? '?'),
    ]);
  });

  test('is replaced where its job is now for other regions', () => {
    const again = region('two', { jobIndex: 0, runAttempt: 2, content: 'again' });
    expect(assemble([region('one', { jobIndex: 0 }), again])).toEqual(digests(again));
  });
});

describe('two calls of one reusable workflow', () => {
  const legs = [
    legOf('linux/amd64', { call: 'a', content: 'a' }),
    legOf('linux/arm64', { call: 'a', content: 'a' }),
    legOf('linux/amd64', { call: 'b', content: 'b' }),
    legOf('linux/arm64', { call: 'b', content: 'b' }),
  ];

  test.each(['a', 'b'])('have the stitch in call %s take the legs of that call', (call) => {
    const own = legs.filter((leg) => leg.call === call);
    expect(assemble(legs, { call })).toEqual(digests(...own));
    expect(assembleLegs(legs, { ...expected, call })).toMatchObject({
      leftOut: Array(2).fill(
        'job build of attempt 1 is left out: it belongs to another call of this reusable workflow',
      ),
    });
  });

  test.each([undefined, '', 'c', 'ab'])('cannot be told apart by a stitch in call %p', (call) => {
    expect(assemble(legs, { call })).toEqual([
      expect.stringMatching(/^linux\/amd64 was built more than once/),
      expect.stringMatching(/^linux\/arm64 was built more than once.*"legs: \$\{\{ toJSON\(needs\) \}\}"$/),
    ]);
  });

  test('may build the platforms of one image, for a stitch around them or beside them', () => {
    const apart = [legOf('linux/amd64', { call: 'a' }), legOf('linux/arm64', { call: 'b' })];
    for (const call of [undefined, '', 'c']) expect(assemble(apart, { call })).toEqual(digests(...apart));
  });

  test('let a stitch in one take the legs of jobs that are around it, or deeper inside', () => {
    const apart = [legOf('linux/amd64', { call: '' }), legOf('linux/arm64', { call: 'a.matrix' })];
    expect(assemble(apart, { call: 'a' })).toEqual(digests(...apart));
  });

  test('that built different platforms have a stitch in one of them ask whose they are', () => {
    const apart = [legOf('linux/amd64', { call: 'a' }), legOf('linux/arm64', { call: 'b' })];
    expect(assemble(apart, { call: 'a' })).toEqual([
      expect.stringMatching(
        /^linux\/arm64 was built by job build of attempt 1 in another call .*\("b"\), and by no job of this call: name the platforms/,
      ),
    ]);
    expect(assemble(apart, { call: 'a', platforms: both })).toEqual([
      expect.stringMatching(/^linux\/arm64 is missing: .*; job build of attempt 1 built it in another call/),
    ]);
    expect(assemble(apart, { call: 'a', platforms: both.slice(0, 1) })).toEqual(digests(apart[0] ?? amd64));
  });

  test('do not stand in for the jobs of each other', () => {
    const half = [
      legOf('linux/amd64', { call: 'a', jobIndex: 0, jobTotal: 2 }),
      legOf('linux/arm64', { call: 'b', jobIndex: 1, jobTotal: 2, repository: 'team/other' }),
    ];
    expect(assemble(half)).toEqual([expect.stringMatching(/but 1 left a leg; there is none of #1/)]);
  });
});

describe('legs that cannot be stitched', () => {
  test('a platform that was built twice is refused, with who built it', () => {
    const twin = legOf('linux/amd64', { job: 'build-2', jobIndex: 1, content: 'twin' });
    const [problem, ...others] = assemble([amd64, twin]);
    expect(others).toEqual([]);
    expect(problem).toMatch(
      /^linux\/amd64 was built more than once: job build of attempt 1 built sha256:\w+, job build-2 #1 of attempt 1 built/,
    );
  });

  test('of another run is refused, with both runs, and is not told to be missing as well', () => {
    const stranger = legOf('linux/arm64', { runId: '6' });
    expect(assemble([amd64, stranger], { platforms: both })).toEqual([
      expect.stringMatching(
        /^job build of attempt 1 is of the run 6, but this is the run 7: .*"concurrency"/,
      ),
    ]);
  });

  test('a platform that was built apart for each region is refused, with jobs, digests and regions', () => {
    const legs = ['one', 'two'].map((name, jobIndex) =>
      legOf('linux/arm64', { jobIndex, content: name, destinations: [`${name}.example/team/app`] }),
    );
    const [one, two] = legs.map(({ images }) => images[0]?.descriptor.digest);
    const destinations = [{ name: 'eu-west-1', image: 'one.example/team/app' }];
    expect(assemble(legs, { destinations })).toEqual([
      expect.stringContaining(
        `linux/arm64 is not the same image in all regions: job build #0 of attempt 1 built ${one} for eu-west-1, job build #1 of attempt 1 built ${two} for two.example/team/app; builds that run apart`,
      ),
    ]);
  });

  test('an index where an image belongs is refused, by its leg', () => {
    const leg = legOf('linux/amd64', { jobIndex: 3 });
    const images = leg.images.map(({ descriptor, bytes }) => ({
      descriptor: { ...descriptor, mediaType: OCI_INDEX },
      bytes,
    }));
    expect(assemble([{ ...leg, images }])).toEqual([
      expect.stringMatching(/^job build #3 of attempt 1 names the index sha256:\w+ where an image belongs/),
    ]);
  });

  test('media types of both families are refused, with who has which', () => {
    const docker = imageOf('linux/arm64', { docker: true });
    const leg = legOf('linux/arm64', {
      job: 'old',
      images: [{ descriptor: docker.listed, bytes: 1 }],
      attestations: [],
    });
    expect(assemble([amd64, leg])).toEqual([
      expect.stringMatching(
        /^the legs mix media types: job build of attempt 1 has OCI's, and job old of attempt 1 has Docker's; build all/,
      ),
    ]);
  });

  test('nothing is called missing where legs could not be read', () => {
    expect(assembleLegs([amd64], { ...expected, platforms: both, partial: true }).kind).toBe('complete');
  });

  test('the same image from two jobs is no contradiction', () => {
    const twin = legOf('linux/amd64', { job: 'build-2' });
    expect(new Set(assemble([amd64, twin]))).toEqual(new Set(digests(amd64)));
  });

  test('a platform that is missing is named, with those that are there', () => {
    expect(assemble([amd64], { platforms: both })).toEqual([
      expect.stringMatching(
        /^linux\/arm64 is missing: no leg of this run built it \(there are linux\/amd64\)/,
      ),
    ]);
  });

  test('a platform that nobody expects is refused, with who built it', () => {
    const more = legOf('linux/s390x', { jobIndex: 2 });
    expect(assemble([amd64, more, arm64], { platforms: both })).toEqual([
      `job build #2 of attempt 1 built linux/s390x, which "platforms" (linux/amd64, linux/arm64) does not have: add it there, or let no leg of this image have it; if it belongs to another image of this repository, hand the digests of its own legs to the stitch with "legs: \${{ toJSON(needs) }}"`,
    ]);
  });

  test('another variant does not stand in for the one that is expected', () => {
    expect(assemble([legOf('linux/arm/v6')], { platforms: [parsePlatform('linux/arm')] })).toEqual([
      expect.stringMatching(/^linux\/arm\/v7 is missing/),
    ]);
  });

  test('all problems are told at once', () => {
    const twin = legOf('linux/amd64', { content: 'twin', job: 'other' });
    expect(assemble([amd64, twin], { platforms: both })).toHaveLength(2);
  });

  test('no leg at all says what to do, and of which repositories there are legs', () => {
    expect(assemble([])).toEqual([expect.stringMatching(/no leg of "team\/app" was found in this run: let/)]);
    expect(assemble([legOf('linux/amd64', { repository: 'team/apt' })])).toEqual([
      expect.stringMatching(/this run has legs of "team\/apt"/),
    ]);
  });
});

describe('where the runner told how many jobs the matrix has', () => {
  const job = (platform: string, jobIndex: number, more: Partial<Leg> = {}) =>
    legOf(platform, { jobIndex, jobTotal: 2, ...more });

  test('all of them must have left a leg', () => {
    expect(assemble([job('linux/amd64', 0)])).toEqual([
      expect.stringMatching(/^the job "build" has 2 jobs in its matrix, but 1 left a leg/),
    ]);
    expect(assemble([job('linux/amd64', 0), job('linux/arm64', 1)])).toHaveLength(4);
  });

  test('a job that built another repository has left its leg too', () => {
    const other = job('linux/amd64', 1, { repository: 'team/other' });
    expect(assemble([job('linux/amd64', 0), other])).toHaveLength(2);
  });

  test('a job that was run again counts once', () => {
    const again = job('linux/amd64', 0, { runAttempt: 2 });
    expect(assemble([job('linux/amd64', 0), again])).toEqual([expect.stringMatching(/but 1 left a leg/)]);
  });

  test('platforms that were asked for count instead', () => {
    expect(assemble([job('linux/amd64', 0)], { platforms: [parsePlatform('linux/amd64')] })).toHaveLength(2);
  });
});

describe('legs that were never pushed', () => {
  const unpushed = legOf('linux/arm64', { pushed: false, jobIndex: 1 });

  test('are put together with others where nothing is pushed', () => {
    expect(assemble([amd64, unpushed])).toEqual(digests(amd64, unpushed));
    expect(assemble([amd64, unpushed], { pushed: false })).toEqual(digests(amd64, unpushed));
  });

  test('are refused where something is, each with its job', () => {
    expect(assemble([amd64, unpushed], { pushed: true })).toEqual([
      expect.stringMatching(
        /^job build #1 of attempt 1 was built with "push: false", .*: write the same "push" in its step as in this one, and run all jobs again$/,
      ),
    ]);
  });

  test('are of no account when a later attempt has pushed', () => {
    const pushed = legOf('linux/arm64', { jobIndex: 1, runAttempt: 2 });
    expect(assemble([amd64, unpushed, pushed], { pushed: true })).toEqual(digests(amd64, pushed));
  });
});
