import { Readable } from 'node:stream';
import type { BlobTail } from './blobTail.ts';

/**
 * How much of a blob's file is read at once, in bytes. Half of it costs the processor more; twice as much, in new memory
 * each time, was measured to leave a hundred megabytes of garbage about.
 */
export const READ_BYTES = 128 * 1024;

/** What a lent follower reads a small blob's file by, in bytes: not less than a connection takes before it has its writer wait. */
const PIECE = 64 * 1024;
/** How many of these it reads a large blob's by at the most. */
const MOST_PIECES = 8;
/** How much of a blob makes for one of them, in bytes. */
const PER_PIECE = 8_000_000;
/** How many pieces' memory it reads into by turns: one is with the connection, one waits in the stream, one is being read. */
const PLACES = 4;

/**
 * How much a lent follower reads at once, in bytes. Where the processor is the limit, all uploads take turns, each with
 * what was read at once: the larger a blob is, the more it gets, since it is the largest that ends last.
 */
function pieceBytes(size: number): number {
  return PIECE * Math.min(MOST_PIECES, Math.max(1, Math.round(size / PER_PIECE)));
}

/** How a blob came to its end. */
export type Ended =
  | { readonly name: 'committed'; readonly path: string }
  | { readonly name: 'aborted'; readonly reason: Error };

/** What a follower needs of the blob that it follows. */
export interface Followed {
  readonly state: { readonly name: 'open' } | Ended;
  readonly tail: BlobTail;
  /** The size that it will have in bytes, if it is known. */
  readonly size: number | undefined;
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
  #places: Buffer[] | undefined;

  constructor(blob: Followed) {
    super();
    this.#blob = blob;
  }

  /** How many bytes it has taken so far. */
  get position(): number {
    return this.#position;
  }

  /**
   * Says that each piece is used up before the next but one is asked for, as by a connection that has its writer wait: what
   * is read from the file comes in the same memory again and again then, and by larger pieces.
   */
  lend(): void {
    this.#places ??= [];
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
    const piece = this.#place(tail.written - this.#position);
    file.read(piece, 0, piece.length, this.#position).then(
      ({ bytesRead }) => {
        if (this.destroyed) return;
        if (bytesRead > 0) this.#give(piece.subarray(0, bytesRead));
        else this.destroy(new Error("the blob's file was cut short"));
      },
      (error: Error) => this.destroy(error),
    );
  }

  /** Memory for so many bytes, or for as many as are read at once. */
  #place(left: number): Buffer {
    // A connection takes several small ones before it has its writer wait.
    if (!this.#places || left < PIECE) return Buffer.allocUnsafe(Math.min(READ_BYTES, left));
    const oldest = this.#places.length === PLACES ? this.#places.shift() : undefined;
    const place = oldest ?? Buffer.allocUnsafeSlow(pieceBytes(this.#blob.size ?? 0));
    this.#places.push(place);
    return place.subarray(0, Math.min(place.length, left));
  }

  #give(bytes: Buffer): void {
    this.#position += bytes.length;
    this.push(bytes);
  }
}

/** Content for a connection, which waits for the bytes of each piece to be gone before it takes the next. */
export function lent(content: Readable): Readable {
  if (content instanceof BlobFollower) content.lend();
  return content;
}
