import { Readable } from 'node:stream';
import type { BlobTail } from './blobTail.ts';

/**
 * How much of a blob's file is read at once, in bytes. Half of it costs the processor more; twice as much saves nothing
 * that can be measured, and every reader, of which there may be a hundred, has one or two of these in its streams.
 */
export const READ_BYTES = 128 * 1024;

/** How a blob came to its end. */
export type Ended =
  | { readonly name: 'committed'; readonly path: string }
  | { readonly name: 'aborted'; readonly reason: Error };

/** What a follower needs of the blob that it follows. */
export interface Followed {
  readonly state: { readonly name: 'open' } | Ended;
  readonly tail: BlobTail;
  readonly file: {
    read(into: Buffer, offset: number, length: number, position: number): Promise<{ bytesRead: number }>;
  };
  /** Has a follower woken once when there is more, or the blob has ended. */
  wait(follower: BlobFollower): void;
  /** Says that a follower reads no more. */
  leave(follower: BlobFollower): Promise<void>;
}

/**
 * Reads a blob from its first byte while it arrives, at its own pace: out of the tail where it keeps up, from the
 * file where it lags. It ends when the blob is committed, and fails with the reason when it is aborted.
 */
export class BlobFollower extends Readable {
  readonly #blob: Followed;
  #position = 0;

  constructor(blob: Followed) {
    super();
    this.#blob = blob;
  }

  /** How many bytes it has taken so far. */
  get position(): number {
    return this.#position;
  }

  /** Goes on after it has waited. */
  wake(): void {
    if (!this.destroyed) this._read();
  }

  override _read(): void {
    const { state, tail } = this.#blob;
    if (state.name === 'aborted') {
      this.destroy(state.reason);
      return;
    }
    const held = tail.at(this.#position);
    if (held) this.#give(held);
    else if (this.#position < tail.end) this.#readFile();
    else if (state.name === 'committed') this.push(null);
    else this.#blob.wait(this);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#blob.leave(this).then(() => callback(error), callback);
  }

  #readFile(): void {
    const { file, tail } = this.#blob;
    const piece = Buffer.allocUnsafe(Math.min(READ_BYTES, tail.written - this.#position));
    file.read(piece, 0, piece.length, this.#position).then(
      ({ bytesRead }) => {
        if (this.destroyed) return;
        if (bytesRead > 0) this.#give(piece.subarray(0, bytesRead));
        else this.destroy(new Error("the blob's file was cut short"));
      },
      (error: Error) => this.destroy(error),
    );
  }

  #give(bytes: Buffer): void {
    this.#position += bytes.length;
    this.push(bytes);
  }
}
