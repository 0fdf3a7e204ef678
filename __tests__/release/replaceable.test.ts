import { expect, test } from '@jest/globals';
import { irreplaceableTags } from '../../src/release/replaceable.ts';
import { MemoryDestination } from '../support/memory.ts';

test('tags that are immutable somewhere cannot be replaced, which is told with all regions where it is so', () => {
  const all = ['one', 'two', 'three'].map((name) => new MemoryDestination(name));
  for (const destination of all.slice(1)) destination.immutable.add('v1');
  all[0]?.immutable.add('v2');
  expect(irreplaceableTags(all, ['v1', 'latest', 'v2'])).toEqual([
    'input "if-tag-exists": the tag "v1" is immutable in two, three and cannot be replaced: make it mutable there, or write "fail", "same-images" or "keep"',
    expect.stringContaining('the tag "v2" is immutable in one and'),
  ]);
});

test('tags that may move, or of which it is not known, can be tried to be replaced', () => {
  const unknown = new MemoryDestination('unknown');
  unknown.tagRule = () => 'unknown';
  expect(irreplaceableTags([unknown, new MemoryDestination('mutable')], ['v1'])).toEqual([]);
});
