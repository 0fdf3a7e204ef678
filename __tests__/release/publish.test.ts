import { describe, expect, test } from '@jest/globals';
import type { Manifest } from '../../src/image/manifest.ts';
import { type PublicationPlan, publish } from '../../src/release/publish.ts';
import { imageOf } from '../support/images.ts';
import { MemoryDestination, refused } from '../support/memory.ts';

const next = imageOf('linux/amd64', { layers: ['the next release'] });
const earlier = imageOf('linux/amd64', { layers: ['the release before'] });

/** Regions that hold the next release by digest, and show the earlier one as `stable`. */
function regions(...names: string[]): MemoryDestination[] {
  return names.map(region);
}

function region(name: string): MemoryDestination {
  const destination = new MemoryDestination(name, next);
  destination.hold(earlier, 'stable');
  return destination;
}

function publishTo(root: Manifest, tags: readonly string[], destinations: readonly MemoryDestination[]) {
  return publish(
    destinations.map((destination) => planFor(root, tags, destination)),
    'abort',
  );
}

/** What has to be written so that the tags show the root. */
function planFor(root: Manifest, tags: readonly string[], destination: MemoryDestination): PublicationPlan {
  const changes = tags.map((tag) => {
    const shown = destination.tags.get(tag);
    return { tag, before: shown && destination.manifests.get(shown), after: root };
  });
  return {
    destination,
    changes: changes.filter(({ before }) => before?.digest !== root.digest),
    write: (tag, manifest) => destination.writeManifest(tag, manifest),
    prove: async () => undefined,
  };
}

/** Makes a region refuse an operation. */
function refuses(destination: MemoryDestination | undefined, refusedOperation: string): void {
  if (!destination) throw new Error('there is no such region');
  destination.before = (operation) => {
    if (operation === refusedOperation) throw refused('TAG_INVALID', `${operation} is not allowed`);
  };
}

const tagsOf = (destinations: readonly MemoryDestination[]) =>
  destinations.map(({ tags }) => Object.fromEntries(tags));
const showsEarlier = { stable: earlier.root.digest };
const showsNext = { stable: next.root.digest, v2: next.root.digest };

describe('publishing tags', () => {
  test('writes all of them in all regions', async () => {
    const all = regions('one', 'two', 'three');
    const outcome = await publishTo(next.root, ['stable', 'v2'], all);
    expect(outcome.map(({ state }) => state)).toEqual(['published', 'published', 'published']);
    expect(tagsOf(all)).toEqual([showsNext, showsNext, showsNext]);
  });

  test('writes nothing where nothing has to change', async () => {
    const [one, two] = regions('one', 'two');
    if (!one || !two) throw new Error('two regions');
    one.hold(next, 'v2');
    const outcome = await publishTo(next.root, ['v2'], [one, two]);
    expect(outcome.map(({ state }) => state)).toEqual(['unchanged', 'published']);
    expect(one.writes).toEqual([]);
    expect(two.writes).toEqual(['tag v2']);
  });

  test('gives each tag of each region what was decided for it', async () => {
    const other = imageOf('linux/amd64', { layers: ['another release'] });
    const all = regions('one', 'two');
    for (const destination of all) destination.hold(other);
    const [one, two] = all.map((destination) => planFor(next.root, ['stable', 'v2'], destination));
    if (!one || !two) throw new Error('two regions');
    const mixed = { ...two, changes: two.changes.map((change) => ({ ...change, after: other.root })) };
    expect(await publish([one, mixed], 'abort')).toMatchObject([
      { state: 'published' },
      { state: 'published' },
    ]);
    expect(tagsOf(all)).toEqual([showsNext, { stable: other.root.digest, v2: other.root.digest }]);
  });
});

describe('when one region refuses a tag', () => {
  test('the tags of all the others are put back: to the earlier image, or away', async () => {
    const all = regions('one', 'two', 'three');
    refuses(all[1], 'tag stable');
    const outcome = await publishTo(next.root, ['stable', 'v2'], all);
    expect(outcome.map(({ state }) => state)).toEqual(['restored', 'failed', 'restored']);
    expect(outcome[1]).toMatchObject({ error: { taken: [{ tag: 'stable', wanted: next.root.digest }] } });
    expect(tagsOf(all)).toEqual([showsEarlier, showsEarlier, showsEarlier]);
    // ECR deletes an image with its last tag, so that what was there by digest is written again.
    const again = `manifest ${next.root.digest}`;
    expect(all[0]?.writes.toSorted()).toEqual([again, 'tag stable', 'tag stable', 'tag v2', 'untag v2']);
  });

  test('an immutable tag that was free is removed again, for it cannot be written over', async () => {
    const all = regions('one', 'two');
    all[0]?.immutable.add('v2');
    refuses(all[1], 'tag v2');
    expect((await publishTo(next.root, ['v2'], all)).map(({ state }) => state)).toEqual([
      'restored',
      'failed',
    ]);
    expect(all[0]?.tags.has('v2')).toBe(false);
    expect(all[0]?.writes).toEqual(['tag v2', 'untag v2', `manifest ${next.root.digest}`]);
  });

  test('its own other tags are put back too', async () => {
    const all = regions('one');
    refuses(all[0], 'tag v2');
    expect((await publishTo(next.root, ['stable', 'v2'], all)).map(({ state }) => state)).toEqual(['failed']);
    expect(tagsOf(all)).toEqual([showsEarlier]);
  });

  test('a tag that cannot be put back is told, with what it shows', async () => {
    const all = regions('one', 'two');
    refuses(all[0], 'untag v2');
    refuses(all[1], 'tag v2');
    const [stuck, refusing] = await publishTo(next.root, ['v2'], all);
    expect(stuck).toMatchObject({ state: 'failed' });
    expect(stuck).toHaveProperty(
      'error.message',
      expect.stringMatching(
        /^v2 may show the new image, for it could not be put back \(.*untag v2 is not allowed\): look what it shows/,
      ),
    );
    expect(refusing).toMatchObject({ state: 'failed', error: { codes: ['TAG_INVALID'] } });
  });

  test('a tag whose write was done, but whose answer was lost, is put back too', async () => {
    const lossy = region('one');
    const all = [lossy, region('two')];
    lossy.writeManifest = async (reference, content) => {
      await MemoryDestination.prototype.writeManifest.call(lossy, reference, content);
      if (content.digest === next.root.digest) throw new Error('the answer was lost');
    };
    refuses(all[1], 'tag stable');
    const outcome = await publishTo(next.root, ['stable'], all);
    expect(outcome.map(({ state }) => state)).toEqual(['restored', 'failed']);
    expect(all.map(({ tags }) => tags.get('stable'))).toEqual([earlier.root.digest, earlier.root.digest]);
  });

  test('a write that was done, but whose answer was lost, is none that failed', async () => {
    const lossy = region('one');
    const all = [lossy, region('two')];
    lossy.writeManifest = async (reference, content) => {
      await MemoryDestination.prototype.writeManifest.call(lossy, reference, content);
      throw refused('TAG_INVALID', 'the tag is immutable');
    };
    const outcome = await publishTo(next.root, ['stable'], all);
    expect(outcome.map(({ state }) => state)).toEqual(['published', 'published']);
    expect(all.map(({ tags }) => tags.get('stable'))).toEqual([next.root.digest, next.root.digest]);
  });

  test('a tag that somebody else has moved meanwhile is left to them', async () => {
    const moved = region('one');
    const all = [moved, region('two')];
    const theirs = imageOf('linux/amd64', { layers: ['somebody else'] });
    refuses(all[1], 'tag stable');
    moved.writeManifest = async (reference, content) => {
      await MemoryDestination.prototype.writeManifest.call(moved, reference, content);
      moved.hold(theirs, reference);
    };
    await publishTo(next.root, ['stable'], all);
    expect(moved.tags.get('stable')).toBe(theirs.root.digest);
  });

  test('a region that showed the release already still does, and says so', async () => {
    const done = region('one');
    const all = [done, region('two')];
    done.hold(next, 'stable');
    refuses(all[1], 'tag stable');
    const outcome = await publishTo(next.root, ['stable'], all);
    expect(outcome.map(({ state }) => state)).toEqual(['unchanged', 'failed']);
    expect(done.tags.get('stable')).toBe(next.root.digest);
  });
});
