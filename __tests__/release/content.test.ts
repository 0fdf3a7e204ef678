import { buffer } from 'node:stream/consumers';
import { expect, test } from '@jest/globals';
import { blobsOf } from '../../src/image/manifest.ts';
import { anyOf, MissingContentError } from '../../src/release/content.ts';
import { imageOf } from '../support/images.ts';
import { MemoryDestination } from '../support/memory.ts';

const image = imageOf('linux/amd64');

test('of several sources the first that has the content gives it', async () => {
  const broken = new MemoryDestination('broken');
  broken.before = () => {
    throw new Error('is down');
  };
  const sources = [new MemoryDestination('empty'), broken, new MemoryDestination('full', image)];
  const source = anyOf(sources);
  expect((await source.manifest(image.listed)).digest).toBe(image.root.digest);
  for (const blob of blobsOf(image.root)) {
    expect((await buffer(await source.blob(blob))).byteLength).toBe(blob.size);
  }
});

test('when none has it, the failure is the last one', async () => {
  const source = anyOf([new MemoryDestination('one'), new MemoryDestination('two')]);
  await expect(source.manifest(image.listed)).rejects.toThrow(/two does not have/);
  await expect(anyOf([]).blob(image.listed)).rejects.toThrow(MissingContentError);
});
