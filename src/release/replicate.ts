import type { Descriptor } from '../image/descriptor.ts';
import type { Digest } from '../image/digest.ts';
import { blobsOf, childrenOf, type Manifest, ManifestError } from '../image/manifest.ts';
import { isManifestType } from '../image/mediaTypes.ts';
import type { Destination, Source } from './content.ts';
import { Holdings, once } from './holdings.ts';
import { ManifestRefusedError, type RefusedManifest } from './refused.ts';
import { Turns } from './turns.ts';

/** How many indexes may stand above each other; builders make one. */
const MAX_DEPTH = 8;

/** Told how a destination's uploads go; all of it is for people to read. */
export interface TransferObserver {
  /** An upload begins, or begins again. */
  started(destination: string, descriptor: Descriptor): void;
  /** So many bytes more were handed to the connection. */
  moved(destination: string, descriptor: Descriptor, bytes: number): void;
  finished(destination: string, descriptor: Descriptor): void;
}

export interface ReplicaOptions {
  /** Blobs that go up beside each other, at the most. */
  readonly uploads: number;
  readonly observer: TransferObserver;
}

/**
 * One destination while content is copied to it. Each digest is copied once, however often and from wherever it is
 * asked for: a blob may be announced while it still arrives, long before the manifest that names it is known.
 */
export class Replica {
  readonly destination: Destination;
  readonly holdings: Holdings;
  readonly #source: Source;
  readonly #options: ReplicaOptions;
  readonly #observer: TransferObserver;
  readonly #turns: Turns;
  readonly #claims = new Map<Digest, Promise<void>>();
  readonly #examined = new Map<Digest, Promise<readonly RefusedManifest[]>>();
  #sent = 0;
  #changed = false;

  /** @param holdings what is known of the destination already */
  constructor(
    destination: Destination,
    source: Source,
    options: ReplicaOptions,
    holdings = new Holdings(destination),
  ) {
    this.destination = destination;
    this.holdings = holdings;
    this.#source = source;
    this.#options = options;
    this.#observer = options.observer;
    this.#turns = new Turns(options.uploads);
  }

  /** Bytes of the blobs that the destination lacked and now holds. */
  get sent(): number {
    return this.#sent;
  }

  /** Whether anything had to be written: a blob or a manifest. */
  get changed(): boolean {
    return this.#changed;
  }

  /**
   * Copies content and all that it refers to, children before parents, skipping what the destination holds.
   * @throws ManifestRefusedError before anything is uploaded for a manifest
   */
  copy(descriptor: Descriptor): Promise<void> {
    const claimed = this.#claims.get(descriptor.digest);
    if (claimed) return claimed;
    const work = isManifestType(descriptor.mediaType)
      ? this.#copyManifest(descriptor)
      : this.#copyBlob(descriptor);
    this.#claims.set(descriptor.digest, work);
    // A failure is told to those who wait for it. The next one who asks begins anew: a builder may send a blob again.
    work.catch(() => this.#claims.delete(descriptor.digest));
    return work;
  }

  /**
   * Copies content that another source has than that of the rest, with all that it refers to. What is sent counts here.
   * @throws ManifestRefusedError before anything is uploaded for a manifest
   */
  async copyFrom(source: Source, descriptor: Descriptor): Promise<void> {
    const other = new Replica(this.destination, source, this.#options);
    try {
      await other.copy(descriptor);
    } finally {
      this.#sent += other.sent;
      this.#changed ||= other.changed;
    }
  }

  /**
   * Asks at once for what would be asked one after the other: whether a manifest is there that is to be copied, and whether
   * those are that it refers to. The answers are kept for the copy.
   */
  ask(manifest: Manifest): void {
    for (const { digest } of [manifest, ...childrenOf(manifest)]) {
      // A failure is asked for again by the copy, which tells of it.
      this.holdings.manifest(digest).catch(() => undefined);
    }
  }

  /**
   * Copies all that a manifest refers to, so that the manifest itself is all that may be missing. All manifests that have
   * to be written, this one included, are looked at before the first upload.
   * @throws ManifestRefusedError when the destination would not take them
   */
  async copyBelow(descriptor: Descriptor): Promise<void> {
    if (await this.holdings.manifest(descriptor.digest)) return;
    const refused = await this.#examine(descriptor);
    if (refused.length > 0) throw new ManifestRefusedError(refused);
    const manifest = await this.#source.manifest(descriptor);
    const blobs = blobsOf(manifest).toSorted((one, other) => other.size - one.size);
    await allSettledOrThrow([...childrenOf(manifest), ...blobs].map((each) => this.copy(each)));
  }

  /**
   * Which of the manifests that it lacks the destination would not take: this one, and all below it.
   * @param depth how many stand above it
   */
  #examine(descriptor: Descriptor, depth = 0): Promise<readonly RefusedManifest[]> {
    if (depth > MAX_DEPTH) {
      throw new ManifestError(
        `${descriptor.digest} stands below ${depth} indexes, of which ${MAX_DEPTH} are enough`,
      );
    }
    return once(this.#examined, descriptor.digest, async () => {
      if (await this.holdings.manifest(descriptor.digest)) return [];
      const manifest = await this.#source.manifest(descriptor);
      const reasons = this.destination.refusals(manifest);
      const children = childrenOf(manifest).filter(({ mediaType }) => isManifestType(mediaType));
      const below = await allSettledOrThrow(children.map(async (child) => this.#examine(child, depth + 1)));
      const all = [...(reasons.length > 0 ? [{ digest: manifest.digest, reasons }] : []), ...below.flat()];
      return [...new Map(all.map((each) => [each.digest, each])).values()];
    });
  }

  async #copyManifest(descriptor: Descriptor): Promise<void> {
    await this.copyBelow(descriptor);
    if (await this.holdings.manifest(descriptor.digest)) return;
    await this.destination.writeManifest(descriptor.digest, await this.#source.manifest(descriptor));
    this.#changed = true;
  }

  async #copyBlob(descriptor: Descriptor): Promise<void> {
    const asked = this.holdings.blob(descriptor.digest);
    // While it is being asked there is time to get ready.
    if (this.holdings.mayLack(descriptor.digest)) this.destination.expectUpload();
    if ((await asked) !== undefined) return;
    const how = await this.#turns.run(descriptor.size, () => this.#upload(descriptor));
    if (how === 'sent') this.#sent += descriptor.size;
    this.#changed = true;
  }

  async #upload(descriptor: Descriptor): Promise<'sent' | 'mounted'> {
    const { name } = this.destination;
    const how = await this.destination.writeBlob(descriptor, async () => {
      const content = await this.#source.blob(descriptor);
      this.#observer.started(name, descriptor);
      // Looking on must not start the stream: whoever sends it does, at the pace of the line.
      content.on('data', (chunk: Buffer) => this.#observer.moved(name, descriptor, chunk.length)).pause();
      // Whoever sends it finds out that it failed, even if it does before it is sent.
      content.on('error', () => undefined);
      return content;
    });
    if (how === 'sent') this.#observer.finished(name, descriptor);
    return how;
  }
}

/**
 * Waits for all, even when one fails: nothing may still be running when the failure is reported.
 * @throws the first failure
 */
export async function allSettledOrThrow<T>(work: readonly Promise<T>[]): Promise<T[]> {
  const outcomes = await Promise.allSettled(work);
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed) throw failed.reason;
  return Promise.all(work);
}

/**
 * The size in bytes of all blobs below a root, each counted once.
 * @throws what the source throws for a manifest that it lacks
 */
export async function graphBytes(root: Descriptor, source: Source): Promise<number> {
  const sizes = new Map<Digest, number>();
  const seen = new Set<Digest>();
  const visit = async (descriptor: Descriptor): Promise<void> => {
    if (seen.has(descriptor.digest)) return;
    seen.add(descriptor.digest);
    const manifest = await source.manifest(descriptor);
    for (const blob of blobsOf(manifest)) sizes.set(blob.digest, blob.size);
    await Promise.all(childrenOf(manifest).map(visit));
  };
  await visit(root);
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}
