import { describe, expect, test } from '@jest/globals';
import * as z from 'zod/mini';
import { parsePlatform } from '../../src/image/platform.ts';
import { assembleLegs, type Expectation, type Leg, legSchema } from '../../src/release/leg.ts';
import { attestationOf, imageOf } from '../support/images.ts';

const expected: Expectation = { repository: 'team/app', runId: '7', platforms: [] };

/** A leg for a platform, as a build leaves it. */
function legOf(platform: string, more: Partial<Leg> & { content?: string } = {}): Leg {
  const { content = '', ...fields } = more;
  const image = imageOf(platform, { layers: [`${platform} ${content}`] });
  return {
    schema: 'ecr-multiarch/leg/v1',
    repository: 'team/app',
    runId: '7',
    runAttempt: 1,
    job: 'build',
    builder: 'default',
    root: image.root.digest,
    images: [{ descriptor: image.listed, bytes: 100 }],
    attestations: [attestationOf(image).listed],
    destinations: ['one.example/team/app'],
    ...fields,
  };
}

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

  test('leaves legs of other repositories and other runs alone', () => {
    const strangers = [
      legOf('linux/s390x', { repository: 'team/other' }),
      legOf('linux/s390x', { runId: '6' }),
    ];
    expect(assemble([...strangers, amd64])).toEqual(digests(amd64));
  });

  test('takes a Windows image where no OS version was asked for', () => {
    const windows = legOf('windows/amd64');
    const [image] = windows.images;
    if (!image) throw new Error('no image');
    const platform = { ...image.descriptor.platform, 'os.version': '10.0.20348.1' };
    const leg = { ...windows, images: [{ ...image, descriptor: { ...image.descriptor, platform } }] };
    expect(assemble([leg], { platforms: [parsePlatform('windows/amd64')] })).toEqual(digests(leg));
  });
});

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

describe('legs that cannot be stitched', () => {
  test('a platform that was built twice is refused, with who built it', () => {
    const twin = legOf('linux/amd64', { job: 'build-2', jobIndex: 1, content: 'twin' });
    const [problem, ...others] = assemble([amd64, twin]);
    expect(others).toEqual([]);
    expect(problem).toMatch(
      /^linux\/amd64 was built more than once: job build of attempt 1 built sha256:\w+, job build-2 #1 of attempt 1 built/,
    );
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

describe('the record of a leg', () => {
  test('reads back as it was written', () => {
    const leg = legOf('linux/arm64', { jobIndex: 0, jobTotal: 2 });
    expect(z.parse(legSchema, JSON.parse(JSON.stringify(leg)))).toEqual(leg);
  });

  test.each([
    ['another version', { schema: 'ecr-multiarch/leg/v2' }],
    ['no image', { images: [] }],
    ['a root that is no digest', { root: 'sha256:../..' }],
    ['no run', { runId: undefined }],
  ])('with %s is refused', (_, fields) => {
    expect(z.safeParse(legSchema, { ...legOf('linux/arm64'), ...fields }).success).toBe(false);
  });
});
