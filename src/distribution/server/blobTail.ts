/**
 * How many bytes a tail holds: enough for a follower to look away for a moment, and little beside all the blobs that
 * arrive at once.
 */
const TAIL_BYTES = 1024 * 1024;

/** How many chunks it holds: as many as one system call writes, so that tiny ones do not cost more than they bring. */
const TAIL_CHUNKS = 1024;

/**
 * How much of it may wait for the file, in bytes. What waits is written at once: a write for each chunk would cost more, and
 * hold the builder up for as long as the disk's threads are busy with what is read.
 */
const WAITING_BYTES = TAIL_BYTES;

/**
 * The newest bytes of a blob on its way to a file: all that the file still lacks, and what was written last, as far
 * as there is room. Positions are bytes from the blob's start. Chunks are shared by all who ask, and nobody may
 * change them.
 */
export class BlobTail {
  #chunks: Buffer[] = [];
  #start = 0;
  #written = 0;
  #end = 0;

  /** The position of the oldest byte that is held. */
  get start(): number {
    return this.#start;
  }

  /** The bytes before this position are in the file. */
  get written(): number {
    return this.#written;
  }

  /** The position after the newest byte. */
  get end(): number {
    return this.#end;
  }

  /** Whether so much waits for the file that the next bytes should wait, too: a builder that runs ahead of the disk would only fill memory. */
  get full(): boolean {
    return this.#end - this.#written > WAITING_BYTES || this.#chunks.length > 2 * TAIL_CHUNKS;
  }

  /** Adds the next bytes of the blob, at least one. */
  add(chunk: Buffer): void {
    // A small part of a large block of memory would keep all of it.
    const lean = chunk.buffer.byteLength <= 2 * chunk.length;
    this.#chunks.push(lean ? chunk : Buffer.from(chunk));
    this.#end += chunk.length;
  }

  /** The chunks that the file lacks, oldest first. */
  unwritten(): Buffer[] {
    const place = this.#locate(this.#written);
    if (!place) return [];
    return [place.chunk.subarray(place.offset), ...this.#chunks.slice(place.index + 1)];
  }

  /** Says that so many bytes more are in the file: the oldest can be let go of now. */
  wrote(bytes: number): void {
    this.#written += bytes;
    while (this.#end - this.#start > TAIL_BYTES || this.#chunks.length > TAIL_CHUNKS) {
      const [oldest] = this.#chunks;
      if (!oldest || this.#start + oldest.length > this.#written) return;
      this.#chunks.shift();
      this.#start += oldest.length;
    }
  }

  /** The bytes from a position up to the end of the chunk that it lies in, or nothing when that is not held. */
  at(position: number): Buffer | undefined {
    const place = this.#locate(position);
    return place && (place.offset === 0 ? place.chunk : place.chunk.subarray(place.offset));
  }

  /** Lets go of everything. */
  clear(): void {
    this.#chunks = [];
    this.#start = this.#end;
  }

  #locate(position: number): { index: number; chunk: Buffer; offset: number } | undefined {
    // From the newest on: who keeps up asks for the last ones.
    let start = this.#end;
    for (let index = this.#chunks.length - 1; index >= 0 && position < this.#end; index -= 1) {
      const chunk = this.#chunks[index];
      if (!chunk) return undefined;
      start -= chunk.length;
      if (start <= position) return { index, chunk, offset: position - start };
    }
    return undefined;
  }
}
