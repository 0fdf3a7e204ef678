import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from '@jest/globals';
import { BlobStore } from '../../src/distribution/server/blobStore.ts';
import { MissingContentError, type Source } from '../../src/release/content.ts';
import { Spool } from '../../src/release/spool.ts';
import { makeFolder } from '../support/folder.ts';
import { blobOf, imageOf, OCI_LAYER } from '../support/images.ts';
import { MemoryDestination, turn } from '../support/memory.ts';

const content = Buffer.alloc(200_000, 'a layer ');
const descriptor = blobOf(content, OCI_LAYER);
const image = imageOf('linux/amd64', { layers: [content] });

async function spoolWith(upstream?: Source): Promise<Spool> {
  return new Spool(new BlobStore(await makeFolder()), upstream);
}

describe('what the spool lacks', () => {
  test('is read from upstream once, for all who ask at once and later', async () => {
    const upstream = new MemoryDestination('upstream', image);
    const spool = await spoolWith(upstream);
    const read = await Promise.all([1, 2, 3].map(async () => buffer(await spool.blob(descriptor))));
    read.push(await buffer(await spool.blob(descriptor)));
    expect(read.every((each) => each.equals(content))).toBe(true);
    expect(upstream.operations).toEqual([`read ${descriptor.digest}`]);
  });

  test('is read on while it still comes from upstream', async () => {
    const source = new Readable({ read() {} });
    const spool = await spoolWith({
      ...new MemoryDestination('upstream'),
      blob: async () => source,
      manifest,
    });
    const reader = await spool.blob(descriptor);
    source.push(content.subarray(0, 1000));
    const [first] = await Readable.from(reader).take(1).toArray();
    expect(content.indexOf(first)).toBe(0);
    source.push(content.subarray(1000));
    source.push(null);
    expect(content.equals(await buffer(await spool.blob(descriptor)))).toBe(true);
  });

  test('fails for all who read it when upstream fails, and is asked for anew by the next', async () => {
    const upstream = new MemoryDestination('upstream', image);
    let broken = true;
    const blob: Source['blob'] = async (wanted) => {
      if (!broken) return upstream.blob(wanted);
      return Readable.from(
        (async function* () {
          yield content.subarray(0, 10);
          await turn();
          throw new Error('upstream broke off');
        })(),
        { objectMode: false },
      );
    };
    const spool = await spoolWith({ name: 'upstream', blob, manifest });
    const outcomes = await Promise.allSettled([1, 2].map(async () => buffer(await spool.blob(descriptor))));
    expect(outcomes).toEqual([
      expect.objectContaining({ reason: expect.objectContaining({ message: 'upstream broke off' }) }),
      expect.objectContaining({ reason: expect.objectContaining({ message: 'upstream broke off' }) }),
    ]);
    broken = false;
    expect(content.equals(await buffer(await spool.blob(descriptor)))).toBe(true);
  });

  test('fails when upstream cannot begin, and is asked for anew by the next', async () => {
    const upstream = new MemoryDestination('upstream', image);
    let broken = true;
    upstream.before = () => {
      if (broken) throw new Error('upstream is down');
    };
    const spool = await spoolWith(upstream);
    await expect(spool.blob(descriptor)).rejects.toThrow('upstream is down');
    broken = false;
    expect(content.equals(await buffer(await spool.blob(descriptor)))).toBe(true);
  });

  test('is not kept when its bytes are not what the digest says', async () => {
    const upstream = new MemoryDestination('upstream', image);
    upstream.blobs.set(descriptor.digest, Buffer.alloc(content.length, 'X'));
    const spool = await spoolWith(upstream);
    await expect(spool.blob(descriptor).then((reader) => buffer(reader))).rejects.toThrow(/has the digest/);
    expect(await spool.stat(descriptor.digest)).toBeUndefined();
  });

  test('is missing when there is no upstream', async () => {
    const spool = await spoolWith();
    await expect(spool.blob(descriptor)).rejects.toThrow(MissingContentError);
    await expect(spool.manifest(image.listed)).rejects.toThrow(MissingContentError);
  });
});

describe('what is put into the spool', () => {
  test('is read while it arrives, and from the file when it is there', async () => {
    const spool = await spoolWith();
    const writer = await spool.begin();
    spool.arriving(descriptor.digest, writer);
    const reading = buffer(await spool.blob(descriptor));
    await writer.append(Readable.from([content.subarray(0, 70_000)], { objectMode: false }));
    expect(await spool.stat(descriptor.digest)).toBeUndefined();
    await writer.append(Readable.from([content.subarray(70_000)], { objectMode: false }));
    await writer.commit(descriptor.digest);
    spool.arrived(descriptor.digest, writer);
    expect(content.equals(await reading)).toBe(true);
    expect(await spool.stat(descriptor.digest)).toBe(content.length);
    expect(content.equals(await buffer(await spool.blob(descriptor)))).toBe(true);
  });

  test('fails for its readers when it breaks off', async () => {
    const spool = await spoolWith();
    const writer = await spool.begin();
    spool.arriving(descriptor.digest, writer);
    const reading = buffer(await spool.blob(descriptor));
    await Promise.all([
      expect(reading).rejects.toThrow('broke off'),
      writer.abort(new Error('it broke off')),
    ]);
  });

  test('is a manifest that is asked for of nobody else', async () => {
    const upstream = new MemoryDestination('upstream', image);
    const spool = await spoolWith(upstream);
    spool.keep(image.root);
    expect(await spool.manifest(image.listed)).toBe(image.root);
    expect(spool.kept(image.root.digest)).toBe(image.root);
    expect(upstream.operations).toEqual([]);
  });
});

describe('a manifest that the spool lacks', () => {
  test('is fetched from upstream once, for all who ask at once and later', async () => {
    const upstream = new MemoryDestination('upstream', image);
    upstream.before = turn;
    const spool = await spoolWith(upstream);
    await Promise.all([1, 2, 3].map(() => spool.manifest(image.listed)));
    expect(await spool.manifest(image.listed)).toBe(image.root);
    expect(upstream.operations).toEqual([`read ${image.root.digest}`]);
  });

  test('is asked for anew after a failure', async () => {
    const upstream = new MemoryDestination('upstream');
    const spool = await spoolWith(upstream);
    await expect(spool.manifest(image.listed)).rejects.toThrow(MissingContentError);
    upstream.hold(image);
    expect(await spool.manifest(image.listed)).toBe(image.root);
  });
});

async function manifest(): Promise<never> {
  throw new Error('no manifest was to be read');
}
