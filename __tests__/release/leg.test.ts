import { describe, expect, test } from '@jest/globals';
import { type Leg, LegError, nameOf, readLeg } from '../../src/release/leg.ts';
import { legOf } from './legs/legs.ts';

const leg = legOf('linux/arm64', { jobIndex: 0, jobTotal: 2, call: 'release' });

/** What is wrong with a record, or nothing. */
function refusalOf(record: unknown): string | undefined {
  try {
    readLeg(record);
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(LegError);
    return error instanceof Error ? error.message : String(error);
  }
}

describe('the record of a leg', () => {
  test('reads back as it was written', () => {
    expect(readLeg(JSON.parse(JSON.stringify(leg)))).toEqual(leg);
  });

  test('tells of one that was not pushed', () => {
    const unpushed = { ...leg, pushed: false };
    expect(readLeg(JSON.parse(JSON.stringify(unpushed)))).toEqual(unpushed);
  });

  test.each<[string, object]>([
    ['no image', { images: [] }],
    ['a root that is no digest', { root: 'sha256:../..' }],
    ['no run', { runId: undefined }],
    ['no schema', { schema: undefined }],
    ['a schema of somebody else', { schema: 'example.com/leg/v2' }],
  ])('with %s is refused', (_, fields) => {
    expect(refusalOf({ ...leg, ...fields })).toBe(
      'is no leg that this version can read: use the same version of this action in all jobs',
    );
  });

  test('of another version is refused, with both versions', () => {
    expect(refusalOf({ schema: 'ecr-multiarch/leg/v2', images: 'elsewhere' })).toBe(
      'is no leg that this version can read, but one of v2 rather than v1: use the same version of this action in all jobs',
    );
  });
});

describe('the name of a leg', () => {
  test.each<[string, Partial<Leg>, string]>([
    ['its job, with its place in the matrix', {}, 'job build #0 of attempt 1'],
    ['its job, on one line', { job: 'a\nb', runAttempt: 3 }, 'job a b #0 of attempt 3'],
  ])('is that of %s', (_, fields, name) => {
    expect(nameOf({ ...leg, ...fields })).toBe(name);
    expect(nameOf({ ...leg, ...fields, found: 'tag "v1-arm64"' })).toBe('tag "v1-arm64"');
  });
});
