import { describe, expect, test } from '@jest/globals';
import { complaintsOf, type Publication, type Verdict } from '../../soak/run/judgement.ts';
import type { Ended } from '../../soak/run/step.ts';

const [OLD, NEW] = [`sha256:${'0'.repeat(64)}`, `sha256:${'1'.repeat(64)}`];
const REGIONS = ['us-east-1', 'eu-west-1'];

function endedWith(states: readonly string[], errors: readonly string[] = []): Ended {
  const results = states.map((state, position) => ({ destination: REGIONS[position], state }));
  return {
    errors: [...errors],
    digest: NEW,
    results: JSON.stringify(results),
    leftovers: [],
    seconds: 1,
    peakMemory: 0,
  };
}

/** A tag that showed the old image, and now shows these. */
function publicationOf(
  ended: Ended,
  shown: readonly (string | undefined)[],
  expected: Verdict = ended.errors.length > 0 ? 'failed' : 'published',
): Publication {
  const tags = shown.map((digest) => new Map(digest === undefined ? [] : [['v1', digest]]));
  return {
    tag: 'v1',
    digest: NEW,
    before: OLD,
    expected,
    ended,
    shown: new Map(REGIONS.map((region, position) => [region, tags[position] ?? new Map()])),
  };
}

describe('a publish is as it has to be', () => {
  test.each([
    ['published everywhere', publicationOf(endedWith(['published', 'unchanged']), [NEW, NEW])],
    [
      'failed, with everything put back',
      publicationOf(endedWith(['failed', 'held back'], ['no']), [OLD, OLD]),
    ],
    [
      'failed before there was a result',
      publicationOf({ ...endedWith([], ['no']), digest: undefined, results: undefined }, [OLD, OLD]),
    ],
    [
      'failed under a tag that was not there before',
      {
        ...publicationOf(endedWith(['failed', 'held back'], ['no']), [undefined, undefined]),
        before: undefined,
      },
    ],
  ])('%s', (_, publication) => {
    expect(complaintsOf(publication)).toEqual([]);
  });
});

describe('a publish is complained of', () => {
  test.each([
    [
      'that says it is published where it is not',
      publicationOf(endedWith(['published', 'published']), [NEW, OLD]),
      [`v1 (published): eu-west-1 shows ${OLD}, not ${NEW}`],
    ],
    [
      'that failed and left the new image in a region',
      publicationOf(endedWith(['failed', 'held back'], ['no']), [OLD, NEW]),
      [`v1 (failed: no): eu-west-1 shows ${NEW}, not ${OLD}`],
    ],
    [
      'that failed and took the tag away',
      publicationOf(endedWith(['failed', 'held back'], ['no']), [undefined, OLD]),
      [`v1 (failed: no): us-east-1 shows nothing, not ${OLD}`],
    ],
    [
      'that failed without an error',
      publicationOf(endedWith(['held back', 'published']), [NEW, NEW]),
      ['v1 (published): us-east-1 is said to be held back'],
    ],
    [
      'that forgets a region',
      publicationOf(endedWith(['published']), [NEW, NEW]),
      ['v1 (published): it told of 1 regions, not of 2'],
    ],
    [
      'that published another image than it was given',
      publicationOf({ ...endedWith(['published', 'published']), digest: OLD }, [NEW, NEW]),
      [`v1 (published): its digest is ${OLD}, not ${NEW}`],
    ],
    [
      'that failed for no reason',
      publicationOf(endedWith(['failed', 'held back'], ['no']), [OLD, OLD], 'published'),
      ['v1 (failed: no): it was to be published'],
    ],
    [
      'that was published although a region refused it',
      publicationOf(endedWith(['published', 'published']), [NEW, NEW], 'failed'),
      ['v1 (published): it was to be failed'],
    ],
    [
      'that left something behind',
      publicationOf({ ...endedWith(['published', 'published']), leftovers: ['spool'] }, [NEW, NEW]),
      ['v1 (published): spool was left over'],
    ],
  ])('%s', (_, publication, complaints) => {
    expect(complaintsOf(publication)).toEqual(complaints);
  });
});
