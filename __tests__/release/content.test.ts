import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from '@jest/globals';
import { blobsOf } from '../../src/image/manifest.ts';
import { anyOf, awaited, MissingContentError, type Source } from '../../src/release/content.ts';
import { imageOf } from '../support/images.ts';
import { MemoryDestination, turn } from '../support/memory.ts';

const image = imageOf('linux/amd64');

function brokenOne(): MemoryDestination {
  const broken = new MemoryDestination('broken');
  broken.before = () => {
    throw new Error('is down');
  };
  return broken;
}

describe('several sources as one', () => {
  test('give what any of them has, whoever is asked first', async () => {
    const sources = [new MemoryDestination('empty'), brokenOne(), new MemoryDestination('full', image)];
    const source = anyOf(sources);
    for (const _ of sources) {
      expect((await source.manifest(image.listed)).digest).toBe(image.root.digest);
      for (const blob of blobsOf(image.root)) {
        expect((await buffer(await source.blob(blob))).byteLength).toBe(blob.size);
      }
    }
  });

  test('take turns at being asked first, so that none gives everything', async () => {
    const sources = ['one', 'two', 'three'].map((name) => new MemoryDestination(name, image));
    const source = anyOf(sources);
    const [blob] = blobsOf(image.root);
    if (!blob) throw new Error('the image has no blob');
    await Promise.all([source.manifest(image.listed), source.blob(blob), source.manifest(image.listed)]);
    await source.blob(blob);
    expect(sources.map(({ operations }) => operations)).toEqual([
      [`read ${image.root.digest}`, `read ${blob.digest}`],
      [`read ${blob.digest}`],
      [`read ${image.root.digest}`],
    ]);
  });

  test('ask one last that failed in the middle of what it gave', async () => {
    const [blob] = blobsOf(image.root);
    if (!blob) throw new Error('the image has no blob');
    const sources = ['one', 'two', 'three'].map((name) => new MemoryDestination(name, image));
    const source = anyOf(sources);
    for (const each of ['one', 'two']) {
      const content = await source.blob(blob);
      content.destroy(new Error(`${each} broke off`));
      await expect(buffer(content)).rejects.toThrow('broke off');
    }
    for (let times = 0; times < 3; times += 1) await buffer(await source.blob(blob));
    expect(sources.map(({ operations }) => operations.length)).toEqual([1, 1, 3]);
  });

  test('fail with the last failure when none has it', async () => {
    const source = anyOf([new MemoryDestination('one'), new MemoryDestination('two')]);
    await expect(source.manifest(image.listed)).rejects.toThrow(/two does not have/);
    await expect(source.manifest(image.listed)).rejects.toThrow(/one does not have/);
    await expect(anyOf([]).blob(image.listed)).rejects.toThrow(MissingContentError);
  });
});

describe('a source that is still being opened', () => {
  test('has its name at once, and gives content when it is open', async () => {
    const opening = Promise.withResolvers<Source>();
    const source = awaited('the regions', opening.promise);
    expect(source.name).toBe('the regions');
    const [blob] = blobsOf(image.root);
    if (!blob) throw new Error('the image has no blob');
    const reading = Promise.all([source.manifest(image.listed), source.blob(blob)]);
    opening.resolve(new MemoryDestination('region', image));
    const [manifest, content] = await reading;
    expect(manifest.digest).toBe(image.root.digest);
    expect((await buffer(content)).byteLength).toBe(blob.size);
  });

  test('that cannot be opened fails for those who ask, and for nobody else', async () => {
    const opening = Promise.withResolvers<Source>();
    const source = awaited('the regions', opening.promise);
    opening.reject(new Error('no token'));
    // A rejection that goes unhandled for a turn fails the test.
    await turn();
    await expect(source.manifest(image.listed)).rejects.toThrow('no token');
    await expect(source.blob(image.listed)).rejects.toThrow('no token');
  });
});
