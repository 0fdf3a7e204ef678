import { describe, expect, test } from '@jest/globals';
import type { ImageDescription } from '../../src/release/content.ts';
import { indexOf } from '../support/images.ts';
import { MemoryDestination } from '../support/memory.ts';
import { amd64, graph, run, states } from './running.ts';

type Describe = NonNullable<MemoryDestination['describeTags']>;

/** Two regions of which the second one has an API that says this. */
function regionsWhere(describeTags: Describe): MemoryDestination[] {
  const regions = ['one', 'two'].map((name) => new MemoryDestination(name));
  for (const region of regions.slice(1)) region.describeTags = describeTags;
  return regions;
}

const saying = (description: ImageDescription) => async () => new Map([['v1', description]]);
const { digest, mediaType } = graph.root;

describe('what a registry itself says of the tags', () => {
  test('is part of its result, and of no other', async () => {
    const regions = regionsWhere(saying({ digest, mediaType, size: 12 }));
    const [one, two] = await run(regions);
    expect(one).not.toHaveProperty('described');
    expect(two?.described).toEqual({ v1: { digest, mediaType, size: 12 } });
  });

  test('is asked when the tags show the release already', async () => {
    const regions = regionsWhere(saying({ digest, mediaType }));
    await run(regions);
    const [, two] = await run(regions);
    expect([two?.state, two?.described]).toEqual(['unchanged', { v1: { digest, mediaType } }]);
  });

  test('is asked again where it was something else when the tags were read', async () => {
    const answers = [
      new Map([['v1', { digest: amd64.root.digest }]]),
      new Map([['v1', { digest, mediaType }]]),
    ];
    const regions = regionsWhere(saying({ digest, mediaType }));
    await run(regions);
    for (const region of regions) region.describeTags = async () => answers.shift() ?? new Map();
    const [one] = await run(regions.slice(0, 1));
    expect([one?.state, one?.described]).toEqual(['unchanged', { v1: { digest, mediaType } }]);
    expect(answers).toEqual([]);
  });

  test('is asked beside the reading back', async () => {
    const regions = regionsWhere(saying({ digest, mediaType }));
    const [, two] = regions;
    const order: string[] = [];
    const { promise: described, resolve } = Promise.withResolvers<void>();
    if (two) {
      two.describeTags = async () => {
        order.push('asked');
        await described;
        return new Map();
      };
      two.before = (operation) => {
        if (operation !== 'tagged v1' || !two.writes.includes('tag v1')) return;
        order.push('read');
        resolve();
      };
    }
    expect(states(await run(regions))).toEqual(['published', 'published']);
    expect(order.toSorted()).toEqual(['asked', 'read']);
  });

  test('is not asked where no tag is written', async () => {
    const regions = regionsWhere(() => Promise.reject(new Error('nothing to ask')));
    const said: string[] = [];
    expect(states(await run(regions, { tags: [], said }))).toEqual(['landed', 'landed']);
    expect(said.filter((line) => line.includes('nothing to ask'))).toEqual([]);
  });

  test.each([
    [
      'another digest',
      { digest: amd64.root.digest, mediaType },
      `in two: the registry's API says that v1 shows ${amd64.root.digest}, but ${digest} was published; look at`,
    ],
    [
      'another media type',
      { digest, mediaType: amd64.root.mediaType },
      `in two: the registry's API says that v1 shows ${amd64.root.mediaType}, but ${mediaType} was published; look at`,
    ],
  ])('fails the region when it is %s', async (_, description, words) => {
    const results = await run(regionsWhere(saying(description)));
    expect(states(results)).toEqual(['published', 'failed']);
    expect(results[1]?.error).toContain(words);
    expect(results[1]).not.toHaveProperty('described');
    // It was read back.
    expect(results[1]?.tags).toEqual({ v1: digest });
    expect(results[1]).not.toHaveProperty('uncertain');
  });

  test('does not hide that a tag shows something else, which nobody is to see', async () => {
    const regions = regionsWhere(saying({ digest: amd64.root.digest, mediaType: amd64.root.mediaType }));
    const [one, two] = regions;
    if (two) {
      two.hold(amd64);
      two.before = (operation) => {
        if (operation === 'tagged v1' && two.writes.includes('tag v1')) two.tags.set('v1', amd64.root.digest);
      };
    }
    const results = await run(regions);
    expect(states(results)).toEqual(['held back', 'failed']);
    expect(results[1]?.error).toMatch(/^in two: v1 shows sha256:/);
    expect(one?.tags.size).toBe(0);
  });

  test.each([
    ['cannot be had', () => Promise.reject(new Error('it is away')), /^in two: it is away: the results lack/],
    ['does not list a tag', async () => new Map(), /^two: the registry's API does not list v1 yet$/],
  ])('fails nothing when it %s', async (_, describeTags, words) => {
    const said: string[] = [];
    const results = await run(regionsWhere(describeTags), { said });
    expect(states(results)).toEqual(['published', 'published']);
    expect(said).toContainEqual(expect.stringMatching(words));
  });

  test('is compared with what was decided for each tag', async () => {
    const kept = indexOf([amd64]);
    const regions = regionsWhere(saying({ digest: kept.root.digest, mediaType: kept.root.mediaType }));
    for (const region of regions) region.hold(kept, 'v1');
    const results = await run(regions, { ifTagExists: 'keep' });
    expect(states(results)).toEqual(['unchanged', 'unchanged']);
    expect(results[1]?.described).toMatchObject({ v1: { digest: kept.root.digest } });
  });
});
