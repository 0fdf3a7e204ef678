import type { Readable } from 'node:stream';
import type { BlobStore } from '../distribution/server/blobStore.ts';
import type { BlobWriter } from '../distribution/server/blobWriter.ts';
import type { Descriptor } from '../image/descriptor.ts';
import type { Digest } from '../image/digest.ts';
import { type Manifest, ManifestError } from '../image/manifest.ts';
import { MissingContentError, type Source } from './content.ts';
import { toError } from './errors.ts';

/** The most that all manifests in memory have, in bytes. */
const MAX_BYTES = 64 * 1024 * 1024;

/**
 * Content on its way through this machine: manifests in memory, blobs on disk. A blob can be read from the moment
 * its first byte is there. What the spool lacks it fetches from upstream, once for all who ask.
 */
export class Spool implements Source {
  readonly name: string;
  readonly #store: BlobStore;
  readonly #upstream: Source | undefined;
  readonly #manifests = new Map<Digest, Manifest>();
  readonly #configs = new Set<Digest>();
  #bytes = 0;
  readonly #arriving = new Map<Digest, BlobWriter>();
  readonly #fetching = new Map<Digest, Promise<BlobWriter>>();
  readonly #reading = new Map<Digest, Promise<Manifest>>();

  /**
   * @param store the spool's own; whoever made it removes it
   * @param upstream asked for what nobody put here
   */
  constructor(store: BlobStore, upstream?: Source) {
    this.#store = store;
    this.#upstream = upstream;
    this.name = upstream?.name ?? 'the spool';
  }

  /**
   * Keeps a manifest for those who will ask for its digest.
   * @throws ManifestError when all that are kept would need more memory than any image's should
   */
  keep(manifest: Manifest): void {
    if (!this.#manifests.has(manifest.digest)) this.#bytes += manifest.bytes.byteLength;
    if (this.#bytes > MAX_BYTES) {
      throw new ManifestError(`the manifests of this image have more than ${MAX_BYTES} bytes together`);
    }
    this.#manifests.set(manifest.digest, manifest);
    if (manifest.kind === 'image') this.#configs.add(manifest.config.digest);
  }

  /** Whether a blob is the config of an image whose manifest is kept here: those are read by us, too. */
  isConfig(digest: Digest): boolean {
    return this.#configs.has(digest);
  }

  /** Opens a file for a blob that will be put here. */
  begin(): Promise<BlobWriter> {
    return this.#store.begin();
  }

  /** Says that a writer will give the blob of this digest, so that readers can follow it while it arrives. */
  arriving(digest: Digest, writer: BlobWriter): void {
    this.#arriving.set(digest, writer);
  }

  /** Says that the writer has ended: the blob is in the store now, or will not come from it. */
  arrived(digest: Digest, writer: BlobWriter): void {
    if (this.#arriving.get(digest) === writer) this.#arriving.delete(digest);
  }

  /** The size in bytes of a blob that is here entirely. */
  stat(digest: Digest): Promise<number | undefined> {
    return this.#store.stat(digest);
  }

  /** Reads a blob that is here entirely, or its bytes from `start` up to and with `end`. */
  read(digest: Digest, range?: { start: number; end: number }): Readable {
    return this.#store.open(digest, range);
  }

  /** A manifest that is here already, wherever it came from. */
  kept(digest: Digest): Manifest | undefined {
    return this.#manifests.get(digest);
  }

  async manifest(descriptor: Descriptor): Promise<Manifest> {
    const kept = this.#manifests.get(descriptor.digest);
    if (kept) return kept;
    if (!this.#upstream) throw new MissingContentError(`${descriptor.digest} was not put into the spool`);
    // Once for all who ask at the same time: registries count each reading of a manifest as a pull.
    const reading = this.#reading.get(descriptor.digest) ?? this.#upstream.manifest(descriptor);
    this.#reading.set(descriptor.digest, reading);
    try {
      const fetched = await reading;
      this.keep(fetched);
      return fetched;
    } finally {
      this.#reading.delete(descriptor.digest);
    }
  }

  async blob(descriptor: Descriptor): Promise<Readable> {
    const writer = this.#arriving.get(descriptor.digest);
    if (writer) return writer.follow();
    if ((await this.#store.stat(descriptor.digest)) !== undefined) return this.#store.open(descriptor.digest);
    return (await this.#fetch(descriptor)).follow();
  }

  #fetch(descriptor: Descriptor): Promise<BlobWriter> {
    const running = this.#fetching.get(descriptor.digest);
    if (running) return running;
    const started = this.#startFetch(descriptor);
    this.#fetching.set(descriptor.digest, started);
    // Forgotten when it could not start, so that a retry starts anew; when it did, #fill forgets it at its end.
    started.catch(() => this.#fetching.delete(descriptor.digest));
    return started;
  }

  async #startFetch(descriptor: Descriptor): Promise<BlobWriter> {
    if (!this.#upstream) throw new MissingContentError(`${descriptor.digest} was not put into the spool`);
    const content = await this.#upstream.blob(descriptor);
    const writer = await this.begin();
    void this.#fill(descriptor, content, writer);
    return writer;
  }

  /** Never rejects: a failure reaches those who follow the writer. */
  async #fill({ digest, size }: Descriptor, content: Readable, writer: BlobWriter): Promise<void> {
    try {
      await writer.append(content, size);
      await writer.commit(digest);
      this.#fetching.delete(digest);
    } catch (error) {
      // First of all, for whoever hears of the failure may ask again at once.
      this.#fetching.delete(digest);
      content.destroy();
      await writer.abort(toError(error)).catch(() => undefined);
    }
  }
}
