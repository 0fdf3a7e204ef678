import { describe, expect, test } from '@jest/globals';
import { digestOf } from '../../src/image/digest.ts';
import { problemsOf, read, STITCH, type Values } from './read.ts';

const HOST = '123456789012.dkr.ecr.us-east-1.amazonaws.com';

async function namesOf(values: Values): Promise<[repository: string, tags: readonly string[]]> {
  const { target, tags } = await read({ ...STITCH, ...values });
  return [target.repository, tags];
}

describe('repository and tags', () => {
  test('tags are bare names, by comma or newline', async () => {
    expect(await namesOf({ tags: 'v1, v1.2\nlatest' })).toEqual(['team/app', ['v1', 'v1.2', 'latest']]);
  });

  test('a tag that is written twice counts once', async () => {
    expect(await namesOf({ tags: `v1,v1,${HOST}/team/app:v1` })).toEqual(['team/app', ['v1']]);
  });

  test('full references, as docker/metadata-action puts them out, name the repository too', async () => {
    const tags = `${HOST}/team/app:v1\n${HOST}/team/app:latest`;
    expect(await namesOf({ repository: '', tags })).toEqual(['team/app', ['v1', 'latest']]);
  });

  test('a reference without a registry names its repository as it stands, not as Docker Hub would', async () => {
    expect(await namesOf({ repository: '', tags: 'app:v1' })).toEqual(['app', ['v1']]);
    expect(await namesOf({ repository: 'app', tags: 'app:v1,app:v2' })).toEqual(['app', ['v1', 'v2']]);
  });

  test('references of several regions agree when their repository does', async () => {
    const tags = `${HOST}/team/app:v1\n${HOST.replace('us-east-1', 'eu-west-1')}/team/app:v1`;
    expect(await namesOf({ tags })).toEqual(['team/app', ['v1']]);
  });

  test('tags of another repository than the one stated are refused', async () => {
    expect(await problemsOf({ ...STITCH, tags: `${HOST}/team/other:v1` })).toEqual([
      expect.stringMatching(/^input "tags": .*"team\/other", but "repository" is "team\/app"$/),
    ]);
  });

  test('tags of two repositories are refused when none is stated', async () => {
    const tags = `${HOST}/team/app:v1,${HOST}/team/other:v1`;
    expect(await problemsOf({ ...STITCH, repository: '', tags })).toEqual([
      expect.stringMatching(/^input "tags": .*"team\/other", but "repository" is "team\/app"$/),
    ]);
  });

  test('without a repository anywhere it says what to write', async () => {
    expect(await problemsOf({ ...STITCH, repository: '' })).toEqual([
      expect.stringMatching(/^input "repository" is missing: write the name/),
    ]);
  });

  test.each([
    ['with its registry', `${HOST}/team/app`],
    ['with its dual-stack registry', '123456789012.dkr-ecr.us-east-1.on.aws/team/app'],
    ['with its registry in another partition', '123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/app'],
    ['with a tag', 'team/app:v1'],
    ['with a registry that has a port', 'localhost:5000/team/app'],
  ])('a repository %s is refused: it stands alone', async (_, repository) => {
    const [problem, ...more] = await problemsOf({ ...STITCH, repository });
    expect(problem).toBe(
      `input "repository": "${repository}": write the repository alone, without its registry and tag: those are inputs of their own`,
    );
    expect(more).toEqual([]);
  });

  test.each([
    'Team/App',
    'a',
    'team//app',
    '/app',
    'app/',
    '-app',
    'app_',
    'a'.repeat(257),
    'team/äpp',
    'a b',
  ])('the repository %p is refused', async (repository) => {
    expect(await problemsOf({ ...STITCH, repository })).toEqual([
      expect.stringMatching(/^input "repository": ".*": write lower case letters and digits/s),
    ]);
  });

  test.each(['.v1', '-v1', 'v 1', 'v1!', 'v1+build', 'a'.repeat(129), 'ü'])(
    'the tag %p is refused: no registry accepts it',
    async (tag) => {
      expect(await problemsOf({ ...STITCH, tags: tag })).toEqual([
        `input "tags": "${tag}": a tag has letters, digits, "_", "." and "-", at most 128, and starts with none of ".-"`,
      ]);
    },
  );

  test.each(['_', 'a'.repeat(128), 'V1.0_rc-2', '0'])('the tag %p is taken', async (tag) => {
    expect((await namesOf({ tags: tag }))[1]).toEqual([tag]);
  });

  test('refuses a branch as a tag, and says what to write instead', async () => {
    expect(await problemsOf({ ...STITCH, tags: 'feature/login' })).toEqual([
      expect.stringMatching(
        /^input "tags": "feature\/login": a tag cannot have "\/": write another character/,
      ),
    ]);
  });

  test.each([
    `${HOST}/team/app@${digestOf(Buffer.from(''))}`,
    `${HOST}/team/app:v1@${digestOf(Buffer.from(''))}`,
  ])('a digest among the tags is refused: %s', async (tags) => {
    expect(await problemsOf({ ...STITCH, tags })).toEqual([
      `input "tags": "${tags}": write a tag, or a reference with a tag and no digest`,
    ]);
  });

  test.each([`${HOST}/team/app:`, `${HOST}/Team/app:v1`, ':v1', 'app@sha256:12'])(
    'the reference %s among the tags is refused',
    async (tags) => {
      expect(await problemsOf({ ...STITCH, tags })).toEqual([
        expect.stringContaining(`input "tags": "${tags}" is not a reference: `),
      ]);
    },
  );
});
