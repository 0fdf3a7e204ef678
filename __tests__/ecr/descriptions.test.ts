import { describe, expect, test } from '@jest/globals';
import { byTag, tagDescriptions } from '../../src/ecr/descriptions.ts';
import type { ImageDescription } from '../../src/release/content.ts';
import { imageOf } from '../support/images.ts';

const { root } = imageOf('linux/amd64');
const PATIENCE = { first: 1, most: 2, limit: 1_000 };
/** Nobody breaks it off. */
const GOING = new AbortController().signal;
const IMPATIENCE = { first: 1, most: 1, limit: 0 };

/** So many tags that all have to show the image. */
function tags(count: number): Map<string, typeof root> {
  return new Map(Array.from({ length: count }, (_, position) => [`v${position}`, root]));
}

/** Takes no notice of the signal. */
const never = () => new Promise<never>(() => {});

const all = (digest: string) => async (asked: readonly string[]) =>
  new Map(asked.map((tag) => [tag, { digest }]));

describe('what DescribeImages says', () => {
  test('is read by tag, with what it leaves out left out', () => {
    const details = [
      {
        imageDigest: 'sha256:1',
        imageTags: ['a', 'b'],
        imageManifestMediaType: 'index',
        imageSizeInBytes: 7,
      },
      { imageDigest: 'sha256:2', imageTags: ['c'] },
      { imageDigest: 'sha256:3' },
      { imageTags: ['d'] },
    ];
    const first = { digest: 'sha256:1', mediaType: 'index', size: 7 };
    expect([...byTag(details)]).toEqual([
      ['a', first],
      ['b', first],
      ['c', { digest: 'sha256:2' }],
    ]);
    expect(byTag(undefined).size).toBe(0);
  });

  test('is asked for in calls of no more than a hundred tags', async () => {
    const calls: number[] = [];
    const describeTags = tagDescriptions((asked) => {
      calls.push(asked.length);
      return all(root.digest)(asked);
    }, PATIENCE);
    expect((await describeTags(tags(201), undefined, GOING)).size).toBe(201);
    expect(calls).toEqual([100, 100, 1]);
  });

  test('is of the tags that were asked for, whatever else the image is tagged', async () => {
    const more = async () => new Map(['v0', 'other'].map((tag) => [tag, { digest: root.digest }]));
    expect([...(await tagDescriptions(more, PATIENCE)(tags(1), undefined, GOING)).keys()]).toEqual(['v0']);
  });

  test('is asked for again while it is old, or nothing', async () => {
    const answers: ReadonlyMap<string, ImageDescription>[] = [
      new Map(),
      new Map([['v0', { digest: 'sha256:old' }]]),
      new Map([['v0', { digest: root.digest }]]),
    ];
    const describeTags = tagDescriptions(async () => answers.shift() ?? new Map(), PATIENCE);
    expect(await describeTags(tags(1), undefined, GOING)).toEqual(new Map([['v0', { digest: root.digest }]]));
    expect(answers).toEqual([]);
  });

  test('is given as it is when it is asked for once', async () => {
    const calls: string[] = [];
    const describeTags = tagDescriptions(async (asked) => {
      calls.push(...asked);
      return new Map();
    }, PATIENCE);
    expect((await describeTags(tags(1), 'once', GOING)).size).toBe(0);
    expect(calls).toEqual(['v0']);
  });

  test('is not waited for when patience has ended', async () => {
    const describeTags = tagDescriptions(never, { first: 1, most: 1, limit: 20 });
    await expect(describeTags(tags(1), undefined, GOING)).rejects.toThrow(
      /^DescribeImages did not answer within 0 s$/,
    );
  });

  test.each<[string, Parameters<typeof tagDescriptions>[0]]>([
    ['it is asked', never],
    ['it is waited for', all('sha256:old')],
  ])('is broken off while %s', async (_, ask) => {
    const breaking = new AbortController();
    const describing = tagDescriptions(ask, { first: 60_000, most: 60_000, limit: 120_000 })(
      tags(1),
      undefined,
      breaking.signal,
    );
    setImmediate(() => breaking.abort(new Error('it has to end')));
    await expect(describing).rejects.toThrow(/^it has to end$/);
  });

  test('is given as it is when patience has ended', async () => {
    const describeTags = tagDescriptions(all('sha256:old'), IMPATIENCE);
    expect(await describeTags(tags(1), undefined, GOING)).toEqual(
      new Map([['v0', { digest: 'sha256:old' }]]),
    );
  });
});
