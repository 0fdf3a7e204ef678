import { mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { BlobStore } from '../../../src/distribution/server/blobStore.ts';
import { type Digest, digestOf, hexOf } from '../../../src/image/digest.ts';

let dir: string;
let store: BlobStore;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'blob-store-'));
  store = new BlobStore(dir);
});

afterEach(async () => {
  await store.destroy();
});

const bytesOf = (length: number, seed = 1) => Buffer.alloc(length, Buffer.from(`${seed} some content `));

async function put(content: Buffer, digest: Digest = digestOf(content)) {
  const writer = await store.begin();
  await writer.append(Readable.from([content]));
  await writer.commit(digest);
  return writer;
}

/** Waits until a stream has given this many bytes, which it keeps giving. */
async function readExactly(stream: Readable, length: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  while (size < length) {
    const chunk: unknown = stream.read();
    if (!Buffer.isBuffer(chunk)) await turn();
    else {
      chunks.push(chunk);
      size += chunk.length;
    }
  }
  return Buffer.concat(chunks);
}

describe('a blob store', () => {
  test('keeps a blob under the hex digits of its digest, whole or not at all', async () => {
    const content = bytesOf(100_000);
    const writer = await store.begin();
    await writer.append(Readable.from([content.subarray(0, 60_000)]));
    expect(writer.received).toBe(60_000);
    expect(await store.stat(digestOf(content))).toBeUndefined();
    await writer.append(Readable.from([content.subarray(60_000)]));
    await writer.commit(digestOf(content));
    expect(await store.stat(digestOf(content))).toBe(100_000);
    expect(await readdir(join(dir, 'sha256'))).toEqual([hexOf(digestOf(content))]);
    expect(await readdir(join(dir, 'incoming'))).toEqual([]);
  });

  test('gives a range with both of its ends', async () => {
    const content = bytesOf(1_000);
    await put(content);
    const range = await buffer(store.open(digestOf(content), { start: 10, end: 19 }));
    expect(content.subarray(10, 20).equals(range)).toBe(true);
  });

  test('refuses content of another digest, and keeps nothing of it', async () => {
    const wrong = digestOf(bytesOf(5, 2));
    await expect(put(bytesOf(5), wrong)).rejects.toMatchObject({ status: 400, code: 'DIGEST_INVALID' });
    expect(await store.stat(wrong)).toBeUndefined();
    expect(await readdir(join(dir, 'incoming'))).toEqual([]);
  });

  test('takes the same blob from two writers at once', async () => {
    const content = bytesOf(300_000);
    await Promise.all([put(content), put(content), put(content)]);
    expect(content.equals(await buffer(store.open(digestOf(content))))).toBe(true);
  });

  test('removes blobs, there or not', async () => {
    const content = bytesOf(10);
    await put(content);
    await store.remove(digestOf(content));
    await store.remove(digestOf(content));
    expect(await store.stat(digestOf(content))).toBeUndefined();
    await expect(buffer(store.open(digestOf(content)))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('holds an empty blob', async () => {
    const writer = await put(Buffer.alloc(0));
    expect(await store.stat(digestOf(Buffer.alloc(0)))).toBe(0);
    expect(await buffer(writer.follow())).toHaveLength(0);
  });

  test('passes the error of a body on, and goes on with the next one', async () => {
    const writer = await store.begin();
    const failing = Readable.from(
      (function* () {
        yield Buffer.from('abc');
        throw new Error('the line is dead');
      })(),
    );
    await expect(writer.append(failing)).rejects.toThrow('the line is dead');
    expect(writer.received).toBe(3);
    await writer.append(Readable.from([Buffer.from('def')]));
    await writer.commit(digestOf(Buffer.from('abcdef')));
  });

  test('refuses what makes no sense: two bodies at once, and any after the end', async () => {
    const writer = await store.begin();
    const slow = new PassThrough();
    const first = writer.append(slow);
    await expect(writer.append(Readable.from(['x']))).rejects.toThrow('at once');
    slow.end('x');
    await first;
    await writer.commit(digestOf(Buffer.from('x')));
    await expect(writer.append(Readable.from(['y']))).rejects.toThrow('committed already');
    await expect(writer.commit(digestOf(Buffer.from('x')))).rejects.toThrow('open blob');
  });

  test('aborts what is on its way in when it is destroyed', async () => {
    const writer = await store.begin();
    const follower = buffer(writer.follow());
    const failure = expect(follower).rejects.toThrow('gone');
    await store.destroy();
    await failure;
  });

  test('leaves nothing behind when a blob begins as it is destroyed', async () => {
    const beginning = store.begin();
    await store.destroy();
    const writer = await beginning.catch(() => undefined);
    await expect(
      writer?.append(Readable.from(['x'])) ?? Promise.reject(new Error('aborted')),
    ).rejects.toThrow('aborted');
    await expect(store.begin()).rejects.toThrow('gone');
    await expect(readdir(dir)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('a follower', () => {
  test('reads what is there, waits for more, and ends with the blob', async () => {
    const content = bytesOf(400_000);
    const body = new PassThrough();
    const writer = await store.begin();
    const appended = writer.append(body);
    const early = writer.follow();
    body.write(content.subarray(0, 150_000));
    expect(content.subarray(0, 150_000).equals(await readExactly(early, 150_000))).toBe(true);
    const late = writer.follow();
    body.end(content.subarray(150_000));
    await appended;
    const rest = buffer(early);
    await writer.commit(digestOf(content));
    expect(content.subarray(150_000).equals(await rest)).toBe(true);
    expect(content.equals(await buffer(late))).toBe(true);
  });

  test('reads the whole when it comes after the end, even of a blob removed while it reads', async () => {
    const content = bytesOf(300_000);
    const writer = await put(content);
    const first = writer.follow();
    await readExactly(first, 1);
    first.destroy();
    expect(content.equals(await buffer(writer.follow()))).toBe(true);
  });

  test('keeps nobody waiting when it does not read', async () => {
    const content = bytesOf(2_000_000);
    const writer = await store.begin();
    const idle = writer.follow();
    const appended = writer.append(
      Readable.from([content.subarray(0, 1_000_000), content.subarray(1_000_000)]),
    );
    await appended;
    await writer.commit(digestOf(content));
    expect(content.equals(await buffer(idle))).toBe(true);
  });

  test('can go away at any time without harm to the writer or the others', async () => {
    const content = bytesOf(200_000);
    const writer = await store.begin();
    const leaving = writer.follow();
    const staying = buffer(writer.follow());
    const waiting = writer.follow().resume();
    await writer.append(Readable.from([content.subarray(0, 100_000)]));
    leaving.destroy();
    waiting.destroy();
    await writer.append(Readable.from([content.subarray(100_000)]));
    await writer.commit(digestOf(content));
    expect(content.equals(await staying)).toBe(true);
  });

  test('fails with the reason when the blob is aborted, before and after it was opened', async () => {
    const writer = await store.begin();
    await writer.append(Readable.from(['half']));
    const follower = expect(buffer(writer.follow())).rejects.toThrow('the builder went away');
    await writer.abort(new Error('the builder went away'));
    await follower;
    await expect(buffer(writer.follow())).rejects.toThrow('the builder went away');
    expect(await readdir(join(dir, 'incoming'))).toEqual([]);
  });

  test('gives the content whatever the pieces it was written and followed in', async () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 5_000 }), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(pieces, fc.nat(20), async (chunks, joinAt) => {
        const content = Buffer.concat(chunks);
        const writer = await store.begin();
        const followers = [buffer(writer.follow())];
        for (const [index, chunk] of chunks.entries()) {
          if (index === joinAt) followers.push(buffer(writer.follow()));
          await writer.append(Readable.from([Buffer.from(chunk)]));
        }
        await writer.commit(digestOf(content));
        followers.push(buffer(writer.follow()));
        for (const read of await Promise.all(followers)) expect(read.equals(content)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });
});
