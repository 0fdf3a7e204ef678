import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { digestOf } from '../../src/image/digest.ts';
import { parsePlatform } from '../../src/image/platform.ts';
import { BUILD, problemsOf, read, STITCH, type Values } from './read.ts';

const [one, two] = ['one', 'two'].map((text) => digestOf(Buffer.from(text)));

/** How a stitch with these inputs gets its legs. */
async function legsOf(values: Values) {
  const inputs = await read({ ...STITCH, ...values });
  if (inputs.mode !== 'stitch') throw new Error(`this is ${inputs.mode}`);
  return inputs.legs;
}

const byDigest = (legs: unknown) => legsOf({ legs: JSON.stringify(legs) });
const refused = (legs: unknown) => problemsOf({ ...STITCH, legs: JSON.stringify(legs) });

describe('the legs of a stitch', () => {
  test('are artifacts by default', async () => {
    expect(await legsOf({})).toEqual({ by: 'artifact' });
  });

  test('are found by tags of the platforms that are wanted', async () => {
    const values = { legs: 'tags', platforms: 'linux/amd64' };
    expect(await legsOf(values)).toEqual({ by: 'tags', template: '{tag}-{arch}{-variant}' });
    expect(await legsOf({ ...values, 'platform-tags': '{tag}_{arch}' })).toEqual({
      by: 'tags',
      template: '{tag}_{arch}',
    });
  });

  test('by tags need platforms', async () => {
    expect(await problemsOf({ ...STITCH, legs: 'tags' })).toEqual([
      expect.stringMatching(/^input "platforms" is missing: with "legs: tags" it says whose tags to read/),
    ]);
  });

  test.each(['none', 'tag', '[]', '"x"', '{', 'null', '{"build":{"outputs":{}}}', '{"linux/amd64":1}'])(
    'refuses %s, with what there is',
    async (legs) => {
      expect(await problemsOf({ ...STITCH, legs })).toEqual([
        expect.stringMatching(
          /^input "legs": .*: write artifact, tags, \$\{\{ toJSON\(needs\) \}\}, or a digest/,
        ),
      ]);
    },
  );

  test.each(['tags', JSON.stringify({ 'linux/amd64': one })])(
    'that nothing is pushed of are artifacts: %s is refused',
    async (legs) => {
      const values = { ...STITCH, platforms: 'linux/amd64', push: 'false' };
      expect(await problemsOf({ ...values, legs })).toEqual([
        expect.stringMatching(/^input "legs": .*: with "push: false" nothing .*: write "artifact", here and/),
      ]);
      expect(await problemsOf(values)).toEqual([]);
    },
  );

  test('are told of by the name of the input, whatever the text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.json()), async (legs) => {
        const problems = await problemsOf({ ...STITCH, legs });
        for (const problem of problems) expect(problem).toMatch(/^input "legs"/);
      }),
    );
  });
});

describe('a digest for each platform', () => {
  test('is a leg of that platform', async () => {
    expect(await byDigest({ 'linux/amd64': one, 'linux/arm64/v8': two })).toEqual({
      by: 'digests',
      digests: [
        {
          name: 'the entry linux/amd64 of "legs"',
          digest: one,
          job: '',
          platform: parsePlatform('linux/amd64'),
        },
        {
          name: 'the entry linux/arm64 of "legs"',
          digest: two,
          job: '',
          platform: parsePlatform('linux/arm64'),
        },
      ],
    });
  });

  test.each<[string, unknown, RegExp]>([
    ['that is none', { 'linux/amd64': 'v1' }, /^input "legs": "linux\/amd64: v1": write a digest: "sha256:"/],
    [
      'of no platform',
      { 'linux/amd46': one },
      /^input "legs": "linux\/amd46" is not a platform: .*did you mean amd64\?/,
    ],
    [
      'of a platform that is there in another spelling',
      { 'linux/arm64': one, 'linux/aarch64': two },
      /^input "legs": the entry linux\/arm64 of "legs" is there more than once/,
    ],
    [
      'that is there for two platforms',
      { 'linux/amd64': one, 'linux/arm64': one, 'linux/s390x': two },
      /^input "legs": the entry linux\/amd64 of "legs" and the entry linux\/arm64 of "legs" are the same digest, sha256:\w+: write for each what its own build has put out as "digest"$/,
    ],
    [
      'that is there again under another spelling of its platform',
      { 'linux/arm64': one, 'linux/aarch64': one },
      /^input "legs": the entry linux\/arm64 of "legs" is there more than once/,
    ],
    ['of nothing at all', {}, /^input "legs": "\{\}": write artifact/],
  ])('%s is refused', async (_, legs, problem) => {
    expect(await refused(legs)).toEqual([expect.stringMatching(problem)]);
  });
});

describe('the jobs that are needed', () => {
  test('have a leg in each output that is a digest', async () => {
    const needs = {
      plan: { result: 'success', outputs: { matrix: '{}' } },
      lint: { result: 'success' },
      build: {
        result: 'success',
        outputs: { 'digest-amd64': one, 'digest-arm64': two, again: one, image: 'a:b' },
      },
    };
    expect(await byDigest(needs)).toEqual({
      by: 'digests',
      digests: [
        { name: 'output "digest-amd64" of job build', digest: one, job: 'build', platform: undefined },
        { name: 'output "digest-arm64" of job build', digest: two, job: 'build', platform: undefined },
      ],
    });
  });

  test('are told of when two of them have put out the same digest', async () => {
    const result = 'success';
    const needs = {
      amd64: { result, outputs: { digest: one, again: one } },
      arm64: { result, outputs: { digest: one } },
      s390x: { result, outputs: { digest: two } },
    };
    expect(await refused(needs)).toEqual([
      `input "legs": output "digest" of job amd64 and output "digest" of job arm64 are the same digest, ${one}: let each job put out the "digest" of its own build step, or, where one hands on what the other has built, leave that one out of "needs"`,
    ]);
  });

  test('are told of when one was skipped', async () => {
    const needs = {
      amd64: { result: 'success', outputs: { digest: one } },
      arm64: { result: 'skipped', outputs: {} },
    };
    expect(await refused(needs)).toEqual([
      'input "legs": "arm64": this job was skipped, so that it has left no leg: leave it out of "needs", or have it run',
    ]);
  });

  test.each(['failure', 'cancelled'])('are told of when one ended as %s', async (result) => {
    const needs = { amd64: { result: 'success', outputs: { digest: one } }, arm64: { result, outputs: {} } };
    expect(await refused(needs)).toEqual([
      `input "legs": "arm64": this job ended as ${result}, so that its legs are not all there: run it again`,
    ]);
  });

  test('are told of when none has a digest', async () => {
    expect(await refused({ build: { result: 'success', outputs: { digest: '' } } })).toEqual([
      expect.stringMatching(/^input "legs": no output of "build" is a digest: let each build job/),
    ]);
  });
});

describe('the legs of a build', () => {
  test('by tags are called after the tags of the release', async () => {
    const values = { ...BUILD, legs: 'tags', tags: 'v1,latest' };
    expect(await read(values)).toMatchObject({
      tags: ['v1', 'latest'],
      legs: { by: 'tags', template: '{tag}-{arch}{-variant}' },
    });
    expect(await read({ ...BUILD, legs: 'tags', 'platform-tags': 'run-7-{arch}' })).toMatchObject({
      tags: [],
    });
  });

  test('by tags need tags', async () => {
    expect(await problemsOf({ ...BUILD, legs: 'tags' })).toEqual([
      expect.stringMatching(/^input "tags" is missing: with "legs: tags" this step writes a tag/),
    ]);
  });

  test.each(['artifact', 'none'])('by %s have no tags of single platforms', async (legs) => {
    expect(await problemsOf({ ...BUILD, legs, 'platform-tags': '{tag}-{arch}' })).toEqual([
      expect.stringMatching(
        /^input "platform-tags": "\{tag\}-\{arch\}": these tags are written by the step with "mode: stitch"/,
      ),
    ]);
  });
});

describe('tags of single platforms', () => {
  test('are written beside the others when a stitch has a template', async () => {
    expect(await read({ ...STITCH, 'platform-tags': ' {tag}-{arch} ' })).toMatchObject({
      platformTags: '{tag}-{arch}',
      legs: { by: 'artifact' },
    });
    expect(await read(STITCH)).toMatchObject({ platformTags: undefined });
  });

  test.each<[string, Values]>([
    ['stitch', { ...STITCH, platforms: 'linux/arm/v6,linux/arm/v7' }],
    ['build', { ...BUILD, legs: 'tags', tags: 'v1', platforms: 'linux/arm/v6,linux/arm/v7' }],
  ])('that two platforms would share are refused in %s', async (_, values) => {
    expect(await problemsOf({ ...values, 'platform-tags': '{tag}-{arch}' })).toEqual([
      expect.stringMatching(/"v1-arm" would be the tag of linux\/arm\/v6 and linux\/arm\/v7/),
    ]);
  });

  test('are refused once where their template is none', async () => {
    const values = { ...STITCH, legs: 'tags', platforms: 'linux/amd64', 'platform-tags': '{tag}' };
    expect(await problemsOf(values)).toEqual([
      'input "platform-tags": "{tag}": every platform needs a tag of its own: let it have {arch}',
    ]);
  });
});
