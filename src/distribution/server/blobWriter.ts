import { createReadStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { type Digest, finishDigest, startDigest } from '../../image/digest.ts';
import { ArrivingBlob, type BlobFile } from './arrivingBlob.ts';
import { READ_BYTES } from './blobFollower.ts';
import { Refusal } from './refusal.ts';

/** One blob on its way into a BlobStore, written once and read by any number of followers meanwhile. */
export class BlobWriter {
  readonly #blob: ArrivingBlob;
  readonly #path: string;
  readonly #placeOf: (digest: Digest) => string;
  readonly #ended: () => void;
  readonly #hash = startDigest();
  #busy = false;
  /** The write that the disk is at. It never rejects: what fails aborts the blob. */
  #writing: Promise<void> | undefined;

  /**
   * @param file a new one, open for reading and writing, which the writer closes
   * @param path where that file is
   * @param store where a blob of a given digest belongs, on the same file system; and who is told of the end
   */
  constructor(
    file: BlobFile,
    path: string,
    store: { placeOf: (digest: Digest) => string; ended: (writer: BlobWriter) => void },
  ) {
    this.#blob = new ArrivingBlob(file);
    this.#path = path;
    this.#placeOf = store.placeOf;
    this.#ended = () => store.ended(this);
  }

  /** Bytes taken so far; unless the blob was aborted, all of them are in the file once append has ended. */
  get received(): number {
    return this.#blob.tail.end;
  }

  /**
   * Writes a body to the end, hashing it as it passes. The body is read no faster than the disk takes it, and its
   * chunks are kept for followers for a while: nobody may change them. When it fails, what came of it stays written,
   * and the caller aborts or appends the rest; when the disk fails, the blob is aborted.
   * @param size of the whole blob in bytes, where it is known
   * @throws the body's error, the file system's, the reason when the blob is aborted meanwhile, or an Error when the
   *   writer has ended or another append goes on
   */
  async append(body: Readable, size?: number): Promise<void> {
    const { state } = this.#blob;
    if (state.name !== 'open') throw new Error(`the blob is ${state.name} already`);
    if (this.#busy) throw new Error('two bodies are being appended to one blob at once');
    this.#busy = true;
    this.#blob.size = size;
    try {
      // A request's stream must outlive an error here: destroying it would take the connection, and the answer, along.
      for await (const chunk of body.iterator({ destroyOnReturn: false })) await this.#take(bufferOf(chunk));
    } finally {
      while (this.#writing) await this.#writing;
      this.#busy = false;
    }
    this.#assertNotAborted();
  }

  /** Takes one chunk, as soon as there is room for more. */
  async #take(chunk: Buffer): Promise<void> {
    this.#assertNotAborted();
    if (chunk.length === 0) return;
    const { tail } = this.#blob;
    tail.add(chunk);
    this.#write();
    this.#blob.wake();
    // The disk writes on another thread meanwhile.
    this.#hash.update(chunk);
    while (tail.full && this.#writing) await this.#writing;
  }

  /** Has the disk write all that waits; what comes while it does waits for the next time. */
  #write(): void {
    const { file, state, tail } = this.#blob;
    if (this.#writing || state.name !== 'open' || tail.written === tail.end) return;
    this.#writing = file.writev(tail.unwritten(), tail.written).then(
      ({ bytesWritten }) => {
        tail.wrote(bytesWritten);
        this.#writing = undefined;
        this.#write();
      },
      async (error: Error) => {
        // What is on the disk is no longer what was hashed. If it cannot be removed, the first error still counts.
        await this.abort(error).catch(() => undefined);
        this.#writing = undefined;
      },
    );
  }

  /**
   * A reader from byte 0 that follows the growing file: it gives what has come, waits for more, ends when the
   * blob is committed, and fails with the reason when it is aborted. A slow one keeps nobody waiting.
   */
  follow(): Readable {
    const { state, followed } = this.#blob;
    if (state.name === 'aborted') return failed(state.reason);
    if (state.name === 'committed' && !followed)
      return createReadStream(state.path, { highWaterMark: READ_BYTES });
    return this.#blob.follow();
  }

  /**
   * Ends the blob and moves it to its place.
   * @throws Refusal (DIGEST_INVALID) when the content has another digest; the blob is dropped then
   */
  async commit(digest: Digest): Promise<void> {
    if (this.#blob.state.name !== 'open' || this.#busy)
      throw new Error('only an open blob at rest can be committed');
    const actual = finishDigest(this.#hash.copy());
    if (actual !== digest) {
      const mismatch = new Refusal(
        400,
        'DIGEST_INVALID',
        `the content has the digest ${actual}, not ${digest}`,
      );
      await this.abort(mismatch);
      throw mismatch;
    }
    const path = this.#placeOf(digest);
    // Nothing may be appended any more, nor committed twice, while the file moves.
    this.#busy = true;
    await rename(this.#path, path);
    this.#assertNotAborted();
    this.#ended();
    await this.#blob.end({ name: 'committed', path });
  }

  /** Drops what came so far; followers fail with the reason. Nothing happens when the blob has ended already. */
  async abort(reason: Error = new Error('the upload was aborted')): Promise<void> {
    if (this.#blob.state.name !== 'open') return;
    this.#ended();
    await Promise.all([this.#blob.end({ name: 'aborted', reason }), rm(this.#path, { force: true })]);
  }

  #assertNotAborted(): void {
    if (this.#blob.state.name === 'aborted') throw this.#blob.state.reason;
  }
}

function bufferOf(chunk: unknown): Buffer {
  return Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
}

function failed(reason: Error): Readable {
  return new Readable({ read() {}, construct: (callback) => callback(reason) });
}
