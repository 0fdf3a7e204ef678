import { describe, expect, test } from '@jest/globals';
import { digestOf } from '../../src/image/digest.ts';
import { formatPlatform } from '../../src/image/platform.ts';
import { BUILD, MIRROR, problemsOf, read, STITCH, type Values } from './read.ts';

describe('mode', () => {
  test('is build by default', async () => {
    expect((await read(BUILD)).mode).toBe('build');
  });

  test('is one of those there are', async () => {
    expect(await problemsOf({ ...BUILD, mode: 'stich' })).toEqual([
      'input "mode": "stich": write one of build, stitch, mirror, plan',
    ]);
  });
});

describe('platforms', () => {
  test.each([
    ['build', BUILD],
    ['stitch', STITCH],
    ['stitch by tags', { ...STITCH, legs: 'tags' }],
    ['mirror', MIRROR],
  ])('that are named twice are taken once by %s, as buildx does', async (_, values) => {
    const { platforms } = await read({
      ...values,
      platforms: 'linux/amd64,linux/arm64/v8,linux/amd64,linux/arm64',
    });
    expect(platforms.map(formatPlatform)).toEqual(['linux/amd64', 'linux/arm64']);
  });
});

describe('push', () => {
  test('is so by default, and may be left out in every mode that publishes', async () => {
    for (const values of [BUILD, STITCH, MIRROR]) {
      expect((await read(values)).target.push).toBe(true);
      expect((await read({ ...values, push: 'false' })).target.push).toBe(false);
    }
  });

  test('that is left out lets no mistake pass', async () => {
    expect(await problemsOf({ ...BUILD, push: 'false', regions: 'mars-1', tags: 'v1' })).toEqual([
      expect.stringMatching(/^input "regions": there is no AWS region "mars-1"/),
      expect.stringMatching(/^input "tags": "v1": tags belong to the step with "mode: stitch"/),
    ]);
  });

  test('that is left out leaves nothing to hand a leg over by under tags', async () => {
    expect(await problemsOf({ ...BUILD, push: 'false', legs: 'tags', tags: 'v1' })).toEqual([
      expect.stringMatching(
        /^input "legs": "tags": with "push: false" nothing .*: write "artifact", or "none"/,
      ),
    ]);
  });
});

describe('build', () => {
  test('with a hand-off refuses tags, and says where they belong', async () => {
    const [problem, ...more] = await problemsOf({ ...BUILD, tags: 'v1,v2' });
    expect(problem).toMatch(/^input "tags": "v1, v2": tags belong to the step with "mode: stitch"/);
    expect(problem).toContain('"legs: none"');
    expect(more).toEqual([]);
  });

  test('without a hand-off takes tags', async () => {
    expect(await read({ ...BUILD, legs: 'none', tags: 'v1' })).toMatchObject({ legs: 'none', tags: ['v1'] });
  });

  test.each([
    ['legs', 'tar', 'artifact, tags, none'],
    ['transport', 'tar', 'auto, registry, layout'],
  ])('refuses a value of "%s" that there is not', async (name, value, choices) => {
    expect(await problemsOf({ ...BUILD, [name]: value })).toEqual([
      `input "${name}": "${value}": write one of ${choices}`,
    ]);
  });

  test('takes the place in the matrix where the runner tells it', async () => {
    expect(await read({ ...BUILD, 'job-index': '0', 'job-total': '2' })).toMatchObject({
      jobIndex: 0,
      jobTotal: 2,
    });
    expect(await read(BUILD)).toMatchObject({ jobIndex: undefined, jobTotal: undefined });
  });

  test('refuses a place in the matrix that is no number', async () => {
    expect(await problemsOf({ ...BUILD, 'job-index': 'two' })).toEqual([
      'input "job-index": "two": write a whole number',
    ]);
  });
});

describe('stitch', () => {
  test('wants tags', async () => {
    expect(await problemsOf({ ...STITCH, tags: ' \n' })).toEqual([
      expect.stringMatching(/^input "tags" is missing: write the tags/),
    ]);
  });

  test('needs legs', async () => {
    expect(await problemsOf({ ...STITCH, legs: 'none' })).toEqual([
      expect.stringMatching(/^input "legs": "none": write artifact, tags, /),
    ]);
  });

  test('puts annotations without a level, and those for the index, on the index', async () => {
    const annotations = [
      'org.opencontainers.image.title=web',
      'index:a=1,2',
      'manifest:only=legs',
      'manifest,index:both=x=y',
      'index-descriptor:not=this',
      'manifest[linux/amd64]:nor=this',
      'empty=',
      'a.url=https://example.com:8080/',
    ].join('\n');
    expect(await read({ ...STITCH, annotations })).toMatchObject({
      annotations: {
        'org.opencontainers.image.title': 'web',
        a: '1,2',
        both: 'x=y',
        empty: '',
        'a.url': 'https://example.com:8080/',
      },
    });
  });

  test.each(['title', '=x', 'index:=x', 'manifest:title'])(
    'refuses the annotation %s',
    async (annotation) => {
      expect(await problemsOf({ ...STITCH, annotations: annotation })).toEqual([
        `input "annotations": "${annotation}": write key=value`,
      ]);
    },
  );
});

describe('mirror', () => {
  const sourceOf = async (values: Values) => {
    const inputs = await read({ ...MIRROR, ...values });
    if (inputs.mode !== 'mirror') throw new Error(`this is ${inputs.mode}`);
    return inputs;
  };

  test('reads its source as container tools do', async () => {
    expect((await sourceOf({ source: 'nginx' })).source).toEqual({
      registry: 'registry-1.docker.io',
      repository: 'library/nginx',
      tag: 'latest',
      digest: undefined,
    });
  });

  test("publishes under the source's tag when none is stated", async () => {
    expect((await sourceOf({})).tags).toEqual(['1.29']);
  });

  test('publishes under the tags that are stated instead', async () => {
    expect((await sourceOf({ tags: 'a,b' })).tags).toEqual(['a', 'b']);
  });

  test('publishes by digest alone when the source is one', async () => {
    expect((await sourceOf({ source: `quay.io/a/b@${digestOf(Buffer.from(''))}` })).tags).toEqual([]);
  });

  test('wants a source', async () => {
    expect(await problemsOf({ ...MIRROR, source: '' })).toEqual([
      expect.stringMatching(/^input "source" is missing: write the image to mirror/),
    ]);
  });

  test('refuses a source that is no reference', async () => {
    expect(await problemsOf({ ...MIRROR, source: 'https://quay.io/a/b' })).toEqual([
      expect.stringContaining('input "source": "https://quay.io/a/b" is not a reference: '),
    ]);
  });
});

describe('bad inputs', () => {
  test('are told of all at once, each by its name', async () => {
    const problems = await problemsOf({
      mode: 'build',
      repository: 'Team',
      regions: 'us-esat-1',
      platforms: 'linux',
      tags: '.v1',
      push: 'no',
      load: 'true',
      pull: 'maybe',
      'account-id': '1',
      'registry-endpoint': 'x',
      context: './nowhere',
      secrets: 'alone',
    });
    const names = problems.map((problem) => /^input "([^"]+)"/.exec(problem)?.[1]);
    expect(names.toSorted()).toEqual(
      [
        ...['account-id', 'context', 'load', 'platforms', 'pull', 'push', 'regions', 'registry-endpoint'],
        ...['repository', 'secrets', 'tags', 'tags'],
      ].toSorted(),
    );
  });
});
