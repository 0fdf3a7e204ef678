import { expect, test } from '@jest/globals';
import { shownLines } from '../../src/github/shown.ts';
import { digestOf } from '../../src/image/digest.ts';
import type { Result } from '../../src/release/result.ts';

const digest = digestOf(Buffer.from('root'));
const short = digest.slice(0, 19);

function resultOf(destination: string, fields: Partial<Result>): Result {
  return {
    destination,
    image: `${destination}.example/team/app`,
    state: 'held back',
    digest,
    tags: {},
    platforms: [],
    sent: 0,
    reused: 0,
    seconds: 1,
    ...fields,
  };
}

test('a tag that is called like something that every object has shows what it shows, or nothing', () => {
  const tags = ['constructor', 'toString', 'v1'];
  const results = [
    resultOf('one', { tags: { constructor: digest, v1: digest } }),
    resultOf('two', { state: 'failed', error: 'no', unread: tags }),
    resultOf('three', { tags: { v1: digest } }),
  ];
  expect(shownLines({ digest, tags, results, metadata: '{}' })).toEqual([
    `now in one: constructor shows ${short}, toString shows nothing, v1 shows ${short}, as before`,
    'now in two: what its tags show was not read; none of them was changed',
    `now in three: constructor shows nothing, toString shows nothing, v1 shows ${short}, as before`,
  ]);
});

test('a tag that somebody else has changed meanwhile is not as before', () => {
  const tags = ['v1', 'v2'];
  const results = [
    resultOf('one', { tags: { v1: digest }, taken: ['v1'] }),
    resultOf('two', { state: 'failed', error: 'no' }),
  ];
  expect(shownLines({ digest, tags, results, metadata: '{}' })).toEqual([
    `now in one: v1 shows ${short}, which somebody else has changed meanwhile, v2 shows nothing`,
    'now in two: v1 shows nothing, v2 shows nothing',
  ]);
});
