import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { Upload } from '../distribution/server/backend.ts';
import type { BlobWriter } from '../distribution/server/blobWriter.ts';
import type { Descriptor } from '../image/descriptor.ts';
import type { Digest } from '../image/digest.ts';
import type { Spool } from '../release/spool.ts';

/** What the ingest registry wants to know of an upload. */
export interface UploadEvents {
  /** The blob's digest and size are known, and it can be read: from its first byte on, while it still arrives. */
  known(descriptor: Descriptor): void;
  /** Its bytes could not be taken. */
  failed(error: unknown): void;
  ended(): void;
}

/** A blob on its way from the builder into the spool. */
export class IngestUpload implements Upload {
  readonly id = randomUUID();
  readonly #writer: BlobWriter;
  readonly #spool: Spool;
  readonly #events: UploadEvents;
  #announced: Digest | undefined;

  constructor(writer: BlobWriter, spool: Spool, events: UploadEvents) {
    this.#writer = writer;
    this.#spool = spool;
    this.#events = events;
  }

  get received(): number {
    return this.#writer.received;
  }

  async append(body: Readable, whole?: { digest: Digest; size: number }): Promise<void> {
    if (whole) {
      this.#announced = whole.digest;
      this.#spool.arriving(whole.digest, this.#writer);
      this.#events.known({ mediaType: 'application/octet-stream', ...whole });
    }
    try {
      await this.#writer.append(body, whole?.size);
    } catch (error) {
      this.#events.failed(error);
      throw error;
    }
  }

  async commit(digest: Digest): Promise<void> {
    await this.#writer.commit(digest);
    this.#end();
    this.#events.known({ mediaType: 'application/octet-stream', digest, size: this.received });
  }

  async abort(): Promise<void> {
    // Readers that follow may try again: the builder is likely to send the blob once more.
    await this.#writer.abort(
      Object.assign(new Error('the builder broke off the upload'), { code: 'ECONNRESET' }),
    );
    this.#end();
  }

  #end(): void {
    if (this.#announced) this.#spool.arrived(this.#announced, this.#writer);
    this.#events.ended();
  }
}
