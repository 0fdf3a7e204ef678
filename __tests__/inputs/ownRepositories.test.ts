import { describe, expect, test } from '@jest/globals';
import { problemsOf, read, STITCH, type Values } from './read.ts';

const HOST = '123456789012.dkr.ecr.us-east-1.amazonaws.com';

describe('a repository', () => {
  const namesOf = async (values: Values) => {
    const { target, tags } = await read({ mode: 'stitch', tags: 'v1', ...values });
    return { repository: target.repository, places: target.places.map((place) => place.repository), tags };
  };
  const MISSING = expect.stringMatching(/^input "repository" is missing: write the name/);

  test.each([
    ['private', `${HOST}/one\nghcr.io/org/two`, 'one', ['one', 'org/two']],
    ['other', 'ghcr.io/org/two', 'org/two', ['org/two']],
    ['public', 'public.ecr.aws/alias/team/one\nghcr.io/org/two', 'team/one', ['alias/team/one', 'org/two']],
  ])('is the first destination’s own when each has one: %s', async (_, destinations, repository, places) => {
    expect(await namesOf({ destinations })).toMatchObject({ repository, places });
  });

  test('that is stated comes before those of the destinations, which keep theirs', async () => {
    const destinations = `${HOST}/one\nus-east-1`;
    expect(await namesOf({ repository: 'team/app', destinations })).toMatchObject({
      repository: 'team/app',
      places: ['one', 'team/app'],
    });
  });

  test.each([
    `${HOST}/one\nus-east-1`,
    `${HOST}/one\n${HOST}`,
    `${HOST}/one\npublic.ecr.aws/alias`,
    'ghcr.io/org/app\nquay.io',
  ])('is asked for when one destination has none: %j', async (destinations) => {
    expect(await problemsOf({ ...STITCH, repository: '', destinations })).toEqual([MISSING]);
  });

  test('is not asked for when what a destination has is none', async () => {
    expect(await problemsOf({ ...STITCH, repository: '', destinations: 'ghcr.io/App' })).toEqual([
      expect.stringContaining('input "destinations": "ghcr.io/App": "App" is no repository'),
    ]);
  });

  test('that full references in the tags name has to be one of the destinations’', async () => {
    const destinations = `${HOST}/one\nghcr.io/org/two\npublic.ecr.aws/alias/three`;
    const tags = `ghcr.io/org/two:v1,${HOST}/one:v1,public.ecr.aws/alias/three:v2`;
    expect(await namesOf({ destinations, tags })).toEqual({
      repository: 'one',
      places: ['one', 'org/two', 'alias/three'],
      tags: ['v1', 'v2'],
    });
    expect(await problemsOf({ ...STITCH, repository: '', destinations, tags: 'ghcr.io/org/x:v1' })).toEqual([
      'input "tags": "org/x": the tags are of the repository "org/x", but "repository" is "one"',
    ]);
  });

  test('that full references name is that of the destinations that have none', async () => {
    const tags = `ghcr.io/org/two:v1,${HOST}/team/app:v1`;
    expect(await namesOf({ destinations: `us-east-1\nghcr.io/org/two`, tags })).toMatchObject({
      repository: 'team/app',
      places: ['team/app', 'org/two'],
    });
  });

  test('of Amazon ECR Public is known by full references without its alias', async () => {
    expect(
      await namesOf({ destinations: 'public.ecr.aws/alias', tags: 'public.ecr.aws/alias/team/app:v1' }),
    ).toEqual({ repository: 'team/app', places: ['alias/team/app'], tags: ['v1'] });
  });

  test('is the same for a leg, which has no tags, and for the stitch, which has', async () => {
    const destinations = `${HOST}/one\nghcr.io/org/two`;
    const { target } = await read({ destinations });
    expect(target.repository).toBe('one');
    expect(await namesOf({ destinations, tags: 'ghcr.io/org/two:v1' })).toMatchObject({ repository: 'one' });
  });
});
