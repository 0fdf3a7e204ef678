import { BlobFollower, type Ended, type Followed } from './blobFollower.ts';
import { BlobTail } from './blobTail.ts';

/** What is needed of a blob's file; a FileHandle has it. Closing waits for what is being read or written. */
export interface BlobFile {
  writev(chunks: readonly Buffer[], position: number): Promise<{ bytesWritten: number }>;
  read(into: Buffer, offset: number, length: number, position: number): Promise<{ bytesRead: number }>;
  close(): Promise<void>;
}

/** What a blob's writer and its followers share: its file, its newest bytes, and whether more will come. */
export class ArrivingBlob implements Followed {
  readonly file: BlobFile;
  readonly tail = new BlobTail();
  size: number | undefined;
  readonly #followers = new Set<BlobFollower>();
  #waiting: BlobFollower[] = [];
  #state: { readonly name: 'open' } | Ended = { name: 'open' };

  /** @param file is closed after the blob has ended and its last follower has left */
  constructor(file: BlobFile) {
    this.file = file;
  }

  get state(): { readonly name: 'open' } | Ended {
    return this.#state;
  }

  /** Whether somebody still reads, so that the file is open even after the end. */
  get followed(): boolean {
    return this.#followers.size > 0;
  }

  /** A reader from byte 0, of a blob that is open or still followed. */
  follow(): BlobFollower {
    const follower = new BlobFollower(this);
    this.#followers.add(follower);
    return follower;
  }

  wait(follower: BlobFollower): void {
    this.#waiting.push(follower);
  }

  /** Wakes all who wait: more has come. */
  wake(): void {
    const woken = this.#waiting;
    this.#waiting = [];
    // Each in a turn of its own: what a reader does with its bytes must not hold up the writer.
    for (const follower of woken) process.nextTick(() => follower.wake());
  }

  /** Ends the blob for all. */
  async end(state: Ended): Promise<void> {
    this.#state = state;
    this.wake();
    await this.#tidy();
  }

  async leave(follower: BlobFollower): Promise<void> {
    this.#followers.delete(follower);
    await this.#tidy();
  }

  /** After the end: the tail goes when no follower is in it, and the file when there is none at all. */
  async #tidy(): Promise<void> {
    if (this.#state.name === 'open') return;
    const inTail = ({ position }: BlobFollower) => position >= this.tail.start && position < this.tail.end;
    if (this.#state.name === 'aborted' || ![...this.#followers].some(inTail)) this.tail.clear();
    if (!this.followed) await this.file.close();
  }
}
