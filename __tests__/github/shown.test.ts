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
    resultOf('two', { state: 'failed', error: 'no' }),
    resultOf('three', { tags: { v1: digest } }),
  ];
  expect(shownLines({ digest, tags, results, metadata: '{}' })).toEqual([
    `now in one: constructor shows ${short}, toString shows nothing, v1 shows ${short}, as before`,
    'now in two: no tag shows the new image',
    `now in three: constructor shows nothing, toString shows nothing, v1 shows ${short}, as before`,
  ]);
});
