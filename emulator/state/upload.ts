import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { Upload } from '../../src/distribution/server/backend.ts';
import type { BlobWriter } from '../../src/distribution/server/blobWriter.ts';
import { Refusal } from '../../src/distribution/server/refusal.ts';
import type { Digest } from '../../src/image/digest.ts';
import type { Behaviour } from '../behaviour.ts';
import { EcrError } from '../errors.ts';

type Limits = Pick<Behaviour, 'minimumPart' | 'maximumLayer' | 'emptyBlobs'>;

/** A layer on its way in, over /v2/ or over the JSON API. */
export class LayerUpload implements Upload {
  readonly id = randomUUID();
  readonly #writer: BlobWriter;
  readonly #limits: Limits;
  readonly #ended: (digest?: Digest) => void;
  readonly #parts: number[] = [];

  /** @param ended is told when the upload is over, with the digest of the layer if there is one */
  constructor(writer: BlobWriter, limits: Limits, ended: (digest?: Digest) => void) {
    this.#writer = writer;
    this.#limits = limits;
    this.#ended = ended;
  }

  get received(): number {
    return this.#writer.received;
  }

  async append(body: Readable, whole?: { digest: Digest; size: number }): Promise<void> {
    if (whole) this.#assertNotTooLarge(whole.size);
    const before = this.received;
    await this.#writer.append(body);
    this.#parts.push(this.received - before);
    this.#assertNotTooLarge(this.received);
  }

  #assertNotTooLarge(size: number): void {
    if (size <= this.#limits.maximumLayer) return;
    throw new EcrError(
      'LimitExceededException',
      `The layer exceeds the limit of ${this.#limits.maximumLayer} bytes`,
    );
  }

  async commit(digest: Digest): Promise<void> {
    if (this.received === 0 && this.#limits.emptyBlobs === 'refused') {
      throw new EcrError(
        'EmptyUploadException',
        'The specified layer upload does not contain any layer parts',
      );
    }
    if (this.#parts.slice(0, -1).some((size) => size < this.#limits.minimumPart)) {
      throw new EcrError('LayerPartTooSmallException', 'Layer parts must be at least 5 MiB in size');
    }
    try {
      await this.#writer.commit(digest);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      throw new EcrError(
        'InvalidLayerException',
        'None of the provided layer digests match the calculated layer digest',
      );
    }
    this.#ended(digest);
  }

  async abort(): Promise<void> {
    this.#ended();
    await this.#writer.abort();
  }
}
