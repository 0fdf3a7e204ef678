import { describe, expect, test } from '@jest/globals';
import type { ManifestContent } from '../../src/image/manifest.ts';
import { planChanges, publish } from '../../src/release/publish.ts';
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

async function publishTo(
  root: ManifestContent,
  tags: readonly string[],
  destinations: readonly MemoryDestination[],
) {
  const plans = await Promise.all(destinations.map((destination) => planChanges(root, tags, destination)));
  return publish(root, plans);
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

  test('writes nothing for a tag that is right already, as immutable tags ask for', async () => {
    const [one, two] = regions('one', 'two');
    if (!one || !two) throw new Error('two regions');
    one.hold(next, 'v2');
    refuses(one, 'tag v2');
    const outcome = await publishTo(next.root, ['v2'], [one, two]);
    expect(outcome.map(({ state }) => state)).toEqual(['unchanged', 'published']);
    expect(one.writes).toEqual([]);
    expect(two.writes).toEqual(['tag v2']);
  });

  test('without tags writes nothing', async () => {
    const all = regions('one');
    expect(await publishTo(next.root, [], all)).toEqual([{ state: 'unchanged' }]);
    expect(all[0]?.writes).toEqual([]);
  });
});

describe('when one region refuses a tag', () => {
  test('the tags of all the others are put back: to the earlier image, or away', async () => {
    const all = regions('one', 'two', 'three');
    refuses(all[1], 'tag stable');
    const outcome = await publishTo(next.root, ['stable', 'v2'], all);
    expect(outcome.map(({ state }) => state)).toEqual(['restored', 'failed', 'restored']);
    expect(outcome[1]).toMatchObject({ error: { codes: ['TAG_INVALID'] } });
    expect(tagsOf(all)).toEqual([showsEarlier, showsEarlier, showsEarlier]);
    // ECR deletes an image with its last tag, so that what was there by digest is written again.
    const again = `manifest ${next.root.digest}`;
    expect(all[0]?.writes.toSorted()).toEqual([again, 'tag stable', 'tag stable', 'tag v2', 'untag v2']);
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
        /^v2 may show the new image, for it could not be put back \(.*untag v2 is not allowed\)$/,
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

test('when one region cannot tell what its tags are, no tag is written anywhere', async () => {
  const all = regions('one', 'two');
  refuses(all[1], 'tagged stable');
  const outcome = await publishTo(next.root, ['stable', 'v2'], all);
  expect(outcome.map(({ state }) => state)).toEqual(['restored', 'failed']);
  expect(all.flatMap(({ writes }) => writes)).toEqual([]);
});
