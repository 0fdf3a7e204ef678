import { once } from 'node:events';
import { type FileHandle, mkdtemp, open, readFile, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { BlobFile } from '../../../src/distribution/server/arrivingBlob.ts';
import { BlobFollower, READ_BYTES } from '../../../src/distribution/server/blobFollower.ts';
import { BlobWriter } from '../../../src/distribution/server/blobWriter.ts';
import { digestOf, finishDigest, startDigest } from '../../../src/image/digest.ts';

const CHUNK = 65_536;
const MIB = 1024 * 1024;

/** A real file that counts what is done to it, and fails, hesitates or writes too little as told. */
class WatchedFile implements BlobFile {
  readonly #handle: FileHandle;
  reads = 0;
  writes = 0;
  closed = false;
  /** Called before each write with what it would write, in bytes; says how many of them are to be written. */
  onWrite: (bytes: number) => Promise<number> = async (bytes) => bytes;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async writev(chunks: readonly Buffer[], position: number) {
    this.writes += 1;
    const all = Buffer.concat(chunks);
    const length = await this.onWrite(all.length);
    return this.#handle.write(all, 0, length, position);
  }

  read(into: Buffer, offset: number, length: number, position: number) {
    this.reads += 1;
    return this.#handle.read(into, offset, length, position);
  }

  async close() {
    this.closed = true;
    await this.#handle.close();
  }
}

let dir: string;
let names = 0;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'blob-writer-'));
});

afterEach(() => rm(dir, { recursive: true, force: true }));

async function begin() {
  names += 1;
  const [path, place] = [join(dir, `incoming-${names}`), join(dir, `blob-${names}`)];
  const file = new WatchedFile(await open(path, 'wx+'));
  return { path, place, file, writer: new BlobWriter(file, path, { placeOf: () => place, ended: () => {} }) };
}

/** A body of so many chunks, each of other bytes, that come one by one. */
function bodyOf(chunks: number): Readable {
  const pieces = async function* () {
    for (let index = 0; index < chunks; index += 1) {
      await turn();
      yield Buffer.alloc(CHUNK, `chunk ${index}`);
    }
  };
  return Readable.from(pieces());
}

/** The digest and the length of what a stream gives; a pause after each chunk makes it slow. */
async function digestFrom(stream: Readable, pause: () => Promise<unknown> = async () => undefined) {
  const hash = startDigest();
  let length = 0;
  for await (const chunk of stream) {
    hash.update(chunk);
    length += chunk.length;
    await pause();
  }
  return { digest: finishDigest(hash), length };
}

/** A promise for the disk to wait for. */
function gate() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

const diskFull = () => Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });

describe('what followers read', () => {
  test('comes out of memory for one that keeps up', async () => {
    const { writer, file } = await begin();
    const followers = [writer.follow(), writer.follow()].map((follower) => digestFrom(follower));
    await writer.append(bodyOf(100));
    const { digest } = await digestFrom(bodyOf(100));
    await writer.commit(digest);
    expect(await Promise.all(followers)).toEqual(Array(2).fill({ digest, length: 100 * CHUNK }));
    expect(file.reads).toBe(0);
  });

  test('comes before it is on disk', async () => {
    const { writer, file } = await begin();
    const disk = gate();
    file.onWrite = (bytes) => disk.opened.then(() => bytes);
    const follower = writer.follow();
    const appended = writer.append(Readable.from([Buffer.from('early')]));
    const [first] = await follower.take(1).toArray();
    expect(String(first)).toBe('early');
    disk.open();
    await appended;
    await writer.abort();
  });

  test('comes from the file in large pieces for one that starts late', async () => {
    const { writer, file } = await begin();
    await writer.append(bodyOf(160));
    const follower = digestFrom(writer.follow());
    const { digest } = await digestFrom(bodyOf(160));
    await writer.commit(digest);
    expect(await follower).toEqual({ digest, length: 160 * CHUNK });
    expect(file.reads).toBeLessThanOrEqual((160 * CHUNK) / READ_BYTES);
  });

  test.each([
    ['large', 1_000_000_000, MIB / 2],
    ['small', 1_000_000, MIB / 16],
  ])(
    'comes by pieces after its size, in the same memory again and again, when it is lent: a %s blob',
    async (_, size, most) => {
      const { writer, file } = await begin();
      await writer.append(bodyOf(160), size);
      const follower = writer.follow();
      if (!(follower instanceof BlobFollower)) throw new Error('it does not follow');
      follower.lend();
      const memory = new Set<ArrayBufferLike>();
      const lengths: number[] = [];
      const read = startDigest();
      follower.on('data', (chunk: Buffer) => {
        // As a connection does: it looks at the bytes later, and has the next ones wait for that.
        follower.pause();
        setImmediate(() => {
          memory.add(chunk.buffer);
          read.update(chunk);
          lengths.push(chunk.length);
          follower.resume();
        });
      });
      const reading = once(follower, 'end');
      const { digest } = await digestFrom(bodyOf(160));
      await writer.commit(digest);
      await reading;
      // The end may be told while the last piece is still to be looked at.
      await new Promise((resolve) => setImmediate(resolve));
      expect(finishDigest(read)).toBe(digest);
      expect(Math.max(...lengths)).toBe(most);
      expect(file.reads).toBeLessThanOrEqual((160 * CHUNK) / most);
      // The rest is what was in memory at the end, in chunks of its own: twice as many as are kept, where the file lags behind.
      expect(memory.size).toBeLessThanOrEqual(4 + (2 * MIB) / CHUNK + 2);
    },
  );

  test('is held only in part while one stalls', async () => {
    const { writer } = await begin();
    const stalled = writer.follow();
    stalled.read();
    let most = 0;
    const body = bodyOf(4_000).on('data', () => {
      most = Math.max(most, process.memoryUsage().arrayBuffers);
    });
    const before = process.memoryUsage().arrayBuffers;
    await writer.append(body.pipe(new PassThrough()));
    expect(writer.received).toBe(4_000 * CHUNK);
    expect(most - before).toBeLessThan(128 * MIB);
    const { digest } = await digestFrom(bodyOf(4_000));
    await writer.commit(digest);
    expect(await digestFrom(stalled)).toMatchObject({ digest });
  });

  test('is an error when the file was cut short', async () => {
    const { writer, path } = await begin();
    await writer.append(bodyOf(40));
    await truncate(path, 0);
    await expect(buffer(writer.follow())).rejects.toThrow('cut short');
    await writer.abort();
  });

  test('is the content, for twenty of any speed, in whatever pieces it comes and the disk takes it', async () => {
    const lengths = fc.array(fc.oneof(fc.nat(300), fc.nat(400_000)), { maxLength: 40 });
    const pauses = fc.array(fc.nat(6), { minLength: 20, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(lengths, pauses, fc.integer({ min: 1, max: 5 }), async (sizes, speeds, share) => {
        const chunks = sizes.map((size, index) => Buffer.alloc(size, `piece ${index}`));
        const content = Buffer.concat(chunks);
        const { writer, file, place } = await begin();
        file.onWrite = async (bytes) => Math.ceil(bytes / share);
        const followers = speeds.map((turns) =>
          digestFrom(writer.follow(), async () => {
            for (let count = 0; count < turns; count += 1) await turn();
          }),
        );
        await writer.append(Readable.from(chunks.slice(0, 5)));
        await writer.append(Readable.from(chunks.slice(5)));
        await writer.commit(digestOf(content));
        const expected = { digest: digestOf(content), length: content.length };
        for (const read of await Promise.all(followers)) expect(read).toEqual(expected);
        expect(content.equals(await readFile(place))).toBe(true);
        expect(file.closed).toBe(true);
      }),
      { numRuns: 25 },
    );
  });
});

describe('a body', () => {
  test('waits for the disk when about a mebibyte is on its way there, which then goes at once', async () => {
    const { writer, file, path } = await begin();
    const disk = gate();
    file.onWrite = (bytes) => disk.opened.then(() => bytes);
    const appended = writer.append(bodyOf(100));
    for (let turns = 0; turns < 200; turns += 1) await turn();
    expect(writer.received).toBeGreaterThan(MIB / 2);
    expect(writer.received).toBeLessThanOrEqual(MIB + CHUNK);
    expect(file.writes).toBe(1);
    disk.open();
    await appended;
    expect(file.writes).toBeLessThan(100);
    expect((await stat(path)).size).toBe(100 * CHUNK);
    await writer.abort();
  });

  test('is written whole by a disk that takes a little at a time', async () => {
    const { writer, file, place } = await begin();
    file.onWrite = async (bytes) => Math.min(bytes, 1_000);
    const content = Buffer.from('0123456789'.repeat(1_000));
    await writer.append(Readable.from([content.subarray(0, 1_500), content.subarray(1_500)]));
    await writer.commit(digestOf(content));
    expect(content.equals(await readFile(place))).toBe(true);
    expect(file.writes).toBeGreaterThanOrEqual(10);
  });

  test('is on disk before append ends and the blob is moved, even if the disk is slow', async () => {
    const { writer, file, place } = await begin();
    const disk = gate();
    file.onWrite = (bytes) => disk.opened.then(() => bytes);
    const content = Buffer.alloc(3 * CHUNK, 'slow');
    const appended = writer.append(Readable.from([content.subarray(0, CHUNK), content.subarray(CHUNK)]));
    for (let turns = 0; turns < 50; turns += 1) await turn();
    expect(writer.received).toBe(content.length);
    await expect(writer.commit(digestOf(content))).rejects.toThrow('at rest');
    await expect(stat(place)).rejects.toMatchObject({ code: 'ENOENT' });
    disk.open();
    await appended;
    await writer.commit(digestOf(content));
    expect((await stat(place)).size).toBe(content.length);
  });

  test('that fails leaves all that was counted on disk', async () => {
    const { writer, file, path } = await begin();
    file.onWrite = async (bytes) => {
      await turn();
      return Math.ceil(bytes / 2);
    };
    const failing = async function* () {
      yield Buffer.alloc(5_000, 'a');
      yield Buffer.alloc(5_000, 'b');
      throw new Error('the line is dead');
    };
    await expect(writer.append(Readable.from(failing()))).rejects.toThrow('the line is dead');
    expect(writer.received).toBe(10_000);
    expect((await stat(path)).size).toBe(10_000);
    await writer.abort();
  });
});

describe('a blob that cannot be finished', () => {
  test('is aborted by a full disk, of which append and all followers hear', async () => {
    const { writer, file, path } = await begin();
    file.onWrite = async (bytes) => {
      if (file.writes > 3) throw diskFull();
      return bytes;
    };
    const followers = [writer.follow(), writer.follow()].map((follower) =>
      expect(buffer(follower)).rejects.toMatchObject({ code: 'ENOSPC' }),
    );
    await expect(writer.append(bodyOf(50))).rejects.toMatchObject({ code: 'ENOSPC' });
    await Promise.all(followers);
    await expect(buffer(writer.follow())).rejects.toMatchObject({ code: 'ENOSPC' });
    await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(file.closed).toBe(true);
  });

  test('says so even when the disk fails with the last bytes', async () => {
    const { writer, file } = await begin();
    file.onWrite = async () => {
      await turn();
      throw diskFull();
    };
    await expect(writer.append(Readable.from(['x']))).rejects.toMatchObject({ code: 'ENOSPC' });
    await expect(writer.commit(digestOf(Buffer.from('x')))).rejects.toThrow('open blob');
  });

  test('takes nothing more when it is aborted in the middle of an append', async () => {
    const { writer, file, path } = await begin();
    const disk = gate();
    file.onWrite = (bytes) => disk.opened.then(() => bytes);
    const follower = expect(buffer(writer.follow())).rejects.toThrow('the builder went away');
    const appended = expect(writer.append(bodyOf(100))).rejects.toThrow('the builder went away');
    for (let turns = 0; turns < 50; turns += 1) await turn();
    const aborted = writer.abort(new Error('the builder went away'));
    await follower;
    disk.open();
    await Promise.all([appended, aborted]);
    expect(file.writes).toBe(1);
    await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('is not committed when it is aborted at that moment', async () => {
    const { writer, file } = await begin();
    await writer.append(Readable.from(['x']));
    const committed = writer.commit(digestOf(Buffer.from('x')));
    await Promise.all([expect(committed).rejects.toThrow(), writer.abort()]);
    expect(file.closed).toBe(true);
  });
});
