import { createReadStream } from 'node:fs';
import { type FileHandle, rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { type Digest, finishDigest, startDigest } from '../../image/digest.ts';
import { Refusal } from './refusal.ts';

type State =
  | { readonly name: 'open' }
  | { readonly name: 'committed'; readonly path: string }
  | { readonly name: 'aborted'; readonly reason: Error };

/** One blob on its way into a BlobStore, written once and read by any number of followers meanwhile. */
export class BlobWriter {
  readonly #handle: FileHandle;
  readonly #path: string;
  readonly #placeOf: (digest: Digest) => string;
  readonly #ended: () => void;
  readonly #hash = startDigest();
  #state: State = { name: 'open' };
  #received = 0;
  #busy = false;
  /** The writer itself and its followers: the last of them closes the file. */
  #users = 1;
  #change = Promise.withResolvers<void>();

  /**
   * @param handle a new file, open for reading and writing, which the writer closes
   * @param path where that file is
   * @param store where a blob of a given digest belongs, on the same file system; and who is told of the end
   */
  constructor(
    handle: FileHandle,
    path: string,
    store: { placeOf: (digest: Digest) => string; ended: (writer: BlobWriter) => void },
  ) {
    this.#handle = handle;
    this.#path = path;
    this.#placeOf = store.placeOf;
    this.#ended = () => store.ended(this);
  }

  /** Bytes written so far. */
  get received(): number {
    return this.#received;
  }

  /**
   * Writes a body to the end, hashing it as it passes. The body is read no faster than the disk takes it. When it
   * fails, what came of it stays written, and the caller aborts or appends the rest; when the disk fails, the blob
   * is aborted.
   * @throws the body's error, the file system's, or an Error when the writer has ended or another append goes on
   */
  async append(body: Readable): Promise<void> {
    if (this.#state.name !== 'open') throw new Error(`the blob is ${this.#state.name} already`);
    if (this.#busy) throw new Error('two bodies are being appended to one blob at once');
    this.#busy = true;
    try {
      // A request's stream must outlive an error here: destroying it would take the connection, and the answer, along.
      for await (const chunk of body.iterator({ destroyOnReturn: false })) await this.#write(bufferOf(chunk));
    } finally {
      this.#busy = false;
    }
  }

  async #write(chunk: Buffer): Promise<void> {
    const written = this.#writeFully(chunk);
    // The disk writes on another thread meanwhile.
    this.#hash.update(chunk);
    try {
      await written;
    } catch (error) {
      // What is on the disk is no longer what was hashed.
      if (error instanceof Error) await this.abort(error);
      throw error;
    }
  }

  async #writeFully(chunk: Buffer): Promise<void> {
    for (let done = 0; done < chunk.length; ) {
      if (this.#state.name === 'aborted') throw this.#state.reason;
      const { bytesWritten } = await this.#handle.write(chunk, done, chunk.length - done, this.#received);
      done += bytesWritten;
      this.#received += bytesWritten;
      this.#announce();
    }
  }

  /**
   * A reader from byte 0 that follows the growing file: it gives what is written, waits for more, ends when the
   * blob is committed, and fails with the reason when it is aborted. A slow one keeps nobody waiting.
   */
  follow(): Readable {
    if (this.#state.name === 'committed' && this.#users === 0) return createReadStream(this.#state.path);
    if (this.#state.name === 'aborted') return failed(this.#state.reason);
    this.#users += 1;
    return new Readable({
      read: this.#reader(),
      destroy: (error, callback) => {
        this.#release().then(() => callback(error), callback);
      },
    });
  }

  /** A Readable's read function; each follower has its own position. */
  #reader(): (this: Readable, size: number) => void {
    const pull = (stream: Readable, size: number) => this.#pull(stream, size, position);
    let position = 0;
    return function read(size) {
      pull(this, size).then(
        (bytes) => {
          position += bytes?.length ?? 0;
          if (!this.destroyed) this.push(bytes);
        },
        (error: Error) => this.destroy(error),
      );
    };
  }

  /** The next bytes for one follower, or null at the end; waits until there is either. */
  async #pull(stream: Readable, size: number, position: number): Promise<Buffer | null> {
    while (!stream.destroyed) {
      if (this.#state.name === 'aborted') throw this.#state.reason;
      const ready = Math.min(size, this.#received - position);
      if (ready > 0) {
        const { bytesRead, buffer } = await this.#handle.read(Buffer.allocUnsafe(ready), 0, ready, position);
        return buffer.subarray(0, bytesRead);
      }
      if (this.#state.name === 'committed') return null;
      await this.#change.promise;
    }
    return null;
  }

  /**
   * Ends the blob and moves it to its place.
   * @throws Refusal (DIGEST_INVALID) when the content has another digest; the blob is dropped then
   */
  async commit(digest: Digest): Promise<void> {
    if (this.#state.name !== 'open' || this.#busy)
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
    this.#state = { name: 'committed', path };
    this.#ended();
    this.#announce();
    await this.#release();
  }

  /** Drops what came so far; followers fail with the reason. Nothing happens when the blob has ended already. */
  async abort(reason: Error = new Error('the upload was aborted')): Promise<void> {
    if (this.#state.name !== 'open') return;
    this.#state = { name: 'aborted', reason };
    this.#ended();
    this.#announce();
    await Promise.all([this.#release(), rm(this.#path, { force: true })]);
  }

  #announce(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }

  async #release(): Promise<void> {
    this.#users -= 1;
    if (this.#users === 0) await this.#handle.close();
  }
}

function bufferOf(chunk: unknown): Buffer {
  return Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
}

function failed(reason: Error): Readable {
  return new Readable({ read() {}, construct: (callback) => callback(reason) });
}
