import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { type Digest, hexOf } from '../../image/digest.ts';
import type { BlobFile } from './arrivingBlob.ts';
import { READ_BYTES } from './blobFollower.ts';
import { BlobWriter } from './blobWriter.ts';

/**
 * A folder of blobs, each in a file named by the hex digits of its digest. Content on its way in lies apart and is
 * moved in place when it is whole and right, so that a blob is either there entirely or not at all.
 */
export class BlobStore {
  readonly #blobs: string;
  readonly #incoming: string;
  readonly #dir: string;
  readonly #openFile: (path: string) => Promise<BlobFile>;
  readonly #writers = new Set<BlobWriter>();
  #gone = false;

  /**
   * @param dir belongs to the store alone; it is made when the first blob arrives
   * @param openFile makes the file of a blob on its way in, for reading and writing
   */
  constructor(dir: string, openFile: (path: string) => Promise<BlobFile> = makeFile) {
    this.#dir = dir;
    this.#openFile = openFile;
    this.#blobs = join(dir, 'sha256');
    this.#incoming = join(dir, 'incoming');
  }

  /** The blob's size in bytes, or nothing when it is not there. */
  async stat(digest: Digest): Promise<number | undefined> {
    const found = await stat(this.#path(digest)).catch(ignoreMissing);
    return found?.size;
  }

  /**
   * Opens a blob, or its bytes from `start` up to and with `end`. A blob that is not there gives a stream that
   * fails with ENOENT.
   */
  open(digest: Digest, range?: { start: number; end: number }): Readable {
    return createReadStream(this.#path(digest), { ...range, highWaterMark: READ_BYTES });
  }

  /**
   * Starts a new blob, whose digest is told at its end.
   * @throws the file system's error, or an Error when the store was destroyed
   */
  async begin(): Promise<BlobWriter> {
    if (this.#gone) throw new Error('the blob store is gone');
    await Promise.all([this.#blobs, this.#incoming].map((dir) => mkdir(dir, { recursive: true })));
    const path = join(this.#incoming, randomUUID());
    const writer = new BlobWriter(await this.#openFile(path), path, {
      placeOf: (digest) => this.#path(digest),
      ended: () => this.#writers.delete(writer),
    });
    this.#writers.add(writer);
    // Destroyed meanwhile: what this has just made again must go, too.
    if (this.#gone) await this.destroy();
    return writer;
  }

  /** Removes a blob if it is there; readers that opened it go on. */
  async remove(digest: Digest): Promise<void> {
    await rm(this.#path(digest), { force: true });
  }

  /** Aborts what is on its way in, and removes the folder and all that is in it. */
  async destroy(): Promise<void> {
    this.#gone = true;
    await Promise.all([...this.#writers].map((writer) => writer.abort(new Error('the blob store is gone'))));
    await rm(this.#dir, { recursive: true, force: true, maxRetries: 3 });
  }

  #path(digest: Digest): string {
    return join(this.#blobs, hexOf(digest));
  }
}

function makeFile(path: string): Promise<BlobFile> {
  return open(path, 'wx+');
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
