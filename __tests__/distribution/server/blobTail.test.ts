import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ArrivingBlob } from '../../../src/distribution/server/arrivingBlob.ts';
import { BlobTail } from '../../../src/distribution/server/blobTail.ts';

const MIB = 1024 * 1024;

describe('the tail of a blob', () => {
  test('gives the rest of the chunk at a position, and nothing that it does not hold', () => {
    const tail = new BlobTail();
    tail.add(Buffer.from('abc'));
    tail.add(Buffer.from('defg'));
    expect(tail.at(0)?.toString()).toBe('abc');
    expect(tail.at(2)?.toString()).toBe('c');
    expect(tail.at(3)?.toString()).toBe('defg');
    expect(tail.at(7)).toBeUndefined();
    tail.clear();
    expect(tail.at(3)).toBeUndefined();
    expect(tail.end).toBe(7);
  });

  test('knows what the file still lacks, to the byte', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 })), fc.nat(), (chunks, some) => {
        const tail = new BlobTail();
        for (const chunk of chunks) tail.add(Buffer.from(chunk));
        const content = Buffer.concat(chunks);
        const written = some % (content.length + 1);
        tail.wrote(written);
        expect(Buffer.concat(tail.unwritten()).equals(content.subarray(written))).toBe(true);
      }),
    );
  });

  test('stays small however large the blob, and never lets go of what is not written', () => {
    const tail = new BlobTail();
    for (let count = 0; count < 1_000; count += 1) {
      tail.add(Buffer.alloc(65_536));
      tail.wrote(65_536);
      expect(tail.end - tail.start).toBeLessThanOrEqual(MIB);
    }
    expect(tail.end - tail.start).toBe(MIB);
    for (let count = 0; count < 40; count += 1) tail.add(Buffer.alloc(65_536));
    expect(tail.full).toBe(true);
    expect(tail.unwritten()).toHaveLength(40);
    tail.wrote(40 * 65_536);
    expect(tail.full).toBe(false);
  });

  test('has the next bytes wait for those that wait for the file, and for no others', () => {
    const tail = new BlobTail();
    for (let count = 0; count < 16; count += 1) tail.add(Buffer.alloc(65_536));
    expect(tail.full).toBe(false);
    tail.add(Buffer.from('x'));
    expect(tail.full).toBe(true);
    tail.wrote(65_536);
    expect(tail.full).toBe(false);
    expect(tail.at(0)).toBeUndefined();
    expect(tail.at(65_536)).toHaveLength(65_536);
  });

  test('counts tiny chunks, too: they cost more than their bytes', () => {
    const tail = new BlobTail();
    for (let count = 0; count < 5_000; count += 1) tail.add(Buffer.from('x'));
    expect(tail.full).toBe(true);
    tail.wrote(5_000);
    expect(tail.end - tail.start).toBe(1_024);
  });

  test('does not keep a large block of memory for a small part of it', () => {
    const tail = new BlobTail();
    const block = Buffer.alloc(MIB, 'y');
    tail.add(block.subarray(0, 50_000));
    tail.add(block);
    expect(tail.at(0)?.buffer.byteLength).toBeLessThan(100_000);
    expect(tail.at(0)?.toString()).toBe('y'.repeat(50_000));
    expect(tail.at(50_000)).toBe(block);
  });
});

describe('an ended blob', () => {
  const nowhere = {
    writev: async () => ({ bytesWritten: 0 }),
    read: async () => ({ bytesRead: 0 }),
    close: async () => undefined,
  };

  test('keeps its tail no longer than a follower is in it', async () => {
    const blob = new ArrivingBlob(nowhere);
    const [inside, done] = [blob.follow(), blob.follow()];
    blob.tail.add(Buffer.alloc(100));
    blob.tail.wrote(100);
    expect(done.read()).toHaveLength(100);
    await blob.end({ name: 'committed', path: '/nowhere' });
    expect(blob.tail.at(0)).toHaveLength(100);
    await new Promise((closed) => inside.once('close', closed).destroy());
    expect(blob.tail.at(0)).toBeUndefined();
    expect(blob.followed).toBe(true);
    done.destroy();
  });

  test('drops the tail at once when nobody wants it, or when it was aborted', async () => {
    const ends = [
      { name: 'committed', path: '/nowhere' },
      { name: 'aborted', reason: new Error('enough') },
    ] as const;
    for (const end of ends) {
      const blob = new ArrivingBlob(nowhere);
      if (end.name === 'aborted') blob.follow().on('error', () => undefined);
      blob.tail.add(Buffer.alloc(100));
      await blob.end(end);
      expect(blob.tail.at(0)).toBeUndefined();
    }
  });
});
