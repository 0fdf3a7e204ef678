import { describe, expect, test } from '@jest/globals';
import type { OnRegionFailure } from '../../src/release/plan.ts';
import { releasedDigest } from '../../src/release/result.ts';
import { attestationOf, imageOf, indexOf } from '../support/images.ts';
import { MemoryDestination, refused } from '../support/memory.ts';
import { amd64, arm64, graph, run, states } from './running.ts';

const EARLIER = imageOf('linux/amd64', { layers: ['earlier'] });

/** Three regions that show an earlier image, of which the second one refuses an operation. */
function regions(refusedOperation: string): MemoryDestination[] {
  return ['one', 'two', 'three'].map((name, position) => {
    const region = new MemoryDestination(name);
    region.hold(EARLIER, 'v1');
    region.before = (operation) => {
      if (position === 1 && operation.startsWith(refusedOperation)) throw refused('DENIED', 'no', 403);
    };
    return region;
  });
}

const shown = (all: readonly MemoryDestination[]) => all.map(({ tags }) => tags.get('v1'));

describe.each<OnRegionFailure>(['continue', 'warn'])('when the others go on (%s)', (onRegionFailure) => {
  test.each(['blob', 'manifest', 'tagged v1', 'tag v1'])(
    'a region that refuses "%s" shows what it showed before, and the others show the release',
    async (operation) => {
      const all = regions(operation);
      const results = await run(all, { onRegionFailure });
      expect(states(results)).toEqual(['published', 'failed', 'published']);
      expect(results[1]?.error).toMatch(/^in two: .*DENIED: no/);
      expect(shown(all)).toEqual([graph.root.digest, EARLIER.root.digest, graph.root.digest]);
    },
  );

  test('an immutable tag that shows another image keeps back its own region alone', async () => {
    const all = regions('nothing');
    all[1]?.immutable.add('v1');
    expect(states(await run(all, { onRegionFailure }))).toEqual(['published', 'failed', 'published']);
    expect(shown(all)).toEqual([graph.root.digest, EARLIER.root.digest, graph.root.digest]);
  });

  test('of several tags all are put back in a region where one cannot be written', async () => {
    const all = regions('tag latest');
    const results = await run(all, { onRegionFailure, tags: ['v1', 'latest'] });
    expect(states(results)).toEqual(['published', 'failed', 'published']);
    expect(shown(all)).toEqual([graph.root.digest, EARLIER.root.digest, graph.root.digest]);
    expect(results[1]?.tags).toEqual({ v1: EARLIER.root.digest });
  });

  test('a kept tag that is not the same everywhere stops all of them: there is nothing to keep to', async () => {
    const all = regions('nothing');
    all[1]?.hold(imageOf('linux/amd64', { layers: ['another'] }), 'v1');
    all[2]?.tags.clear();
    const before = shown(all);
    const results = await run(all, { onRegionFailure, ifTagExists: 'keep' });
    expect(states(results)).toEqual(['failed', 'failed', 'held back']);
    expect(shown(all)).toEqual(before);
  });

  test('the digest of the release is the one that is kept, however many fail that have nothing', async () => {
    const all = ['one', 'two', 'three'].map((name) => new MemoryDestination(name));
    all[0]?.hold(EARLIER, 'v1');
    for (const region of all.slice(1)) {
      region.before = (operation) => {
        if (operation.startsWith('blob')) throw refused('DENIED', 'no', 403);
      };
    }
    const results = await run(all, { onRegionFailure, ifTagExists: 'keep' });
    expect(states(results)).toEqual(['unchanged', 'failed', 'failed']);
    expect(releasedDigest(results)).toBe(EARLIER.root.digest);
  });

  test('what they have to show may come from a region that is kept back by another tag', async () => {
    const twin = indexOf([amd64, arm64, attestationOf(amd64)]);
    const all = ['one', 'two', 'three'].map((name) => new MemoryDestination(name));
    all[0]?.hold(twin, 'v1');
    all[0]?.hold(EARLIER, 'v2');
    for (const tag of ['v1', 'v2']) all[0]?.immutable.add(tag);
    const results = await run(all, { onRegionFailure, ifTagExists: 'same-images', tags: ['v1', 'v2'] });
    expect(results.map(({ error }) => error)).toEqual([
      expect.stringContaining('the tag "v2" is immutable'),
      undefined,
      undefined,
    ]);
    expect(shown(all)).toEqual(all.map(() => twin.root.digest));
  });

  test('nothing is published when all fail', async () => {
    const all = regions('nothing');
    for (const region of all) {
      region.before = (operation) => {
        if (operation.startsWith('blob')) throw refused('DENIED', 'no', 403);
      };
    }
    expect(states(await run(all, { onRegionFailure }))).toEqual(['failed', 'failed', 'failed']);
  });
});

describe('what was written and does not show', () => {
  /** The second region shows something else whenever its tag is read back. */
  function lying() {
    const all = regions('nothing');
    const [, liar] = all;
    if (!liar) throw new Error('a second region');
    let readings = 0;
    const { tagged } = liar;
    liar.tagged = async (tag) => {
      readings += 1;
      return readings === 2 ? EARLIER.root : tagged.call(liar, tag);
    };
    return all;
  }

  test('is put back everywhere', async () => {
    const all = lying();
    const results = await run(all);
    expect(states(results)).toEqual(['held back', 'failed', 'held back']);
    expect(results[1]?.error).toMatch(
      /^in two: v1 shows sha256:\w+, but sha256:\w+ was published; somebody else may/,
    );
    expect(shown(all)).toEqual(all.map(() => EARLIER.root.digest));
  });

  test('is put back in its own region, where the others go on', async () => {
    const all = lying();
    expect(states(await run(all, { onRegionFailure: 'continue' }))).toEqual([
      'published',
      'failed',
      'published',
    ]);
    expect(shown(all)).toEqual([graph.root.digest, EARLIER.root.digest, graph.root.digest]);
  });

  test('cannot be looked at: it stays, since the registry said that it took it, and is told as uncertain', async () => {
    const all = regions('nothing');
    const [, dark] = all;
    if (!dark) throw new Error('a second region');
    dark.before = (operation) => {
      if (operation === 'tagged v1' && dark.writes.includes('tag v1')) throw refused('GONE', 'dark', 503);
    };
    const results = await run(all);
    expect(states(results)).toEqual(['published', 'failed', 'published']);
    expect(results[1]).toMatchObject({
      tags: {},
      uncertain: ['v1'],
      error: expect.stringMatching(/^in two: what it shows could not be read back: .*GONE: dark$/),
    });
    expect(shown(all)).toEqual(all.map(() => graph.root.digest));
  });
});
