import { type RegistryError, saysMissing } from '../distribution/errors.ts';
import type { Descriptor } from '../image/descriptor.ts';
import type { Digest } from '../image/digest.ts';
import { blobsOf, childrenOf, type Manifest, ManifestError } from '../image/manifest.ts';
import { isManifestType } from '../image/mediaTypes.ts';
import type { Destination, Source } from './content.ts';
import { toError } from './errors.ts';
import { assertShallow } from './graph.ts';
import { Holdings, once } from './holdings.ts';
import { ManifestRefusedError, type RefusedManifest } from './refused.ts';
import { Turns } from './turns.ts';

/** Told how a destination's uploads go; all of it is for people to read. */
export interface TransferObserver {
  /** An upload begins, or begins again. */
  started(destination: string, descriptor: Descriptor): void;
  /** So many bytes more were handed to the connection. */
  moved(destination: string, descriptor: Descriptor, bytes: number): void;
  finished(destination: string, descriptor: Descriptor): void;
  /** The destination lacks what it said that it holds, and is given it. */
  repairs(destination: string, descriptor: Descriptor): void;
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
  readonly #written = new Set<Digest>();
  readonly #repairs = new Map<Digest, Promise<void>>();
  /** What is said of the size of what is copied, in bytes. */
  readonly #sizes = new Map<Digest, number>();
  /** What copies from other sources, by the digest of what it copies. */
  readonly #others = new Map<Digest, Replica>();
  #stopped: Error | undefined;
  #sent = 0;

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
    return this.#others.values().reduce((sum, other) => sum + other.sent, this.#sent);
  }

  /** Whether anything had to be written: a blob or a manifest. */
  get changed(): boolean {
    return this.written.size > 0;
  }

  /** The blobs and manifests that had to be written, as digests. */
  get written(): ReadonlySet<Digest> {
    return new Set([...this.#written, ...this.#others.values().flatMap(({ written }) => written)]);
  }

  /** Those of them that the destination had said it holds. */
  get repaired(): readonly Digest[] {
    return [...this.#repairs.keys(), ...this.#others.values().flatMap(({ repaired }) => repaired)];
  }

  /** Breaks off whatever is under way; nothing more is begun, and whoever waits or asks is told this reason. */
  stop(reason: Error): void {
    this.#stopped ??= reason;
    for (const other of this.#others.values()) other.stop(reason);
    this.destination.breakOff(reason);
  }

  #assertGoing(): void {
    if (this.#stopped) throw this.#stopped;
  }

  /**
   * Copies content and all that it refers to, children before parents, skipping what the destination holds.
   * @throws ManifestRefusedError before anything is uploaded for a manifest
   */
  async copy(descriptor: Descriptor): Promise<void> {
    const { digest, size } = descriptor;
    const stated = this.#sizes.get(digest) ?? size;
    assertSize(descriptor, stated, 'elsewhere in the image');
    this.#sizes.set(digest, stated);
    const claimed = this.#claims.get(digest);
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
   * Copies content that another source has than that of the rest, with all that it refers to. What is sent counts here, and
   * what turns out to be missing when it is written under a tag comes from that source too.
   * @throws ManifestRefusedError before anything is uploaded for a manifest
   */
  async copyFrom(source: Source, descriptor: Descriptor): Promise<void> {
    this.#assertGoing();
    const other = new Replica(this.destination, source, this.#options);
    this.#others.set(descriptor.digest, other);
    await other.copy(descriptor);
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
   * Looks at all manifests that have to be written: these, and all below them.
   * @throws ManifestRefusedError when the destination would not take one of them
   */
  async examine(descriptors: readonly Descriptor[]): Promise<void> {
    const refused = (await allSettledOrThrow(descriptors.map(async (each) => this.#examine(each)))).flat();
    if (refused.length > 0) throw new ManifestRefusedError(uniqueRefused(refused));
  }

  /**
   * Copies all that a manifest refers to, so that the manifest itself is all that may be missing. All manifests that have
   * to be written, this one included, are looked at before the first upload.
   * @throws ManifestRefusedError when the destination would not take them
   */
  async copyBelow(descriptor: Descriptor): Promise<void> {
    if (await this.holdings.manifest(descriptor.digest)) return;
    await this.examine([descriptor]);
    const manifest = await this.#source.manifest(descriptor);
    const blobs = blobsOf(manifest).toSorted((one, other) => other.size - one.size);
    await allSettledOrThrow([...childrenOf(manifest), ...blobs].map((each) => this.copy(each)));
  }

  /**
   * Which of the manifests that it lacks the destination would not take: this one, and all below it.
   * @param depth how many stand above it
   */
  #examine(descriptor: Descriptor, depth = 0): Promise<readonly RefusedManifest[]> {
    assertShallow(descriptor, depth);
    return once(this.#examined, descriptor.digest, async () => {
      if (await this.holdings.manifest(descriptor.digest)) return [];
      const manifest = await this.#source.manifest(descriptor);
      assertSize(descriptor, manifest.bytes.byteLength, 'at its source');
      const reasons = this.destination.refusals(manifest);
      const children = childrenOf(manifest).filter(({ mediaType }) => isManifestType(mediaType));
      const below = await allSettledOrThrow(children.map(async (child) => this.#examine(child, depth + 1)));
      const own = reasons.length > 0 ? [{ digest: manifest.digest, reasons }] : [];
      return uniqueRefused([...own, ...below.flat()]);
    });
  }

  async #copyManifest(descriptor: Descriptor): Promise<void> {
    await this.copyBelow(descriptor);
    if (await this.holdings.manifest(descriptor.digest)) return;
    await this.write(descriptor.digest, await this.#source.manifest(descriptor));
  }

  async #copyBlob(descriptor: Descriptor): Promise<void> {
    const asked = this.holdings.blob(descriptor.digest);
    // While it is being asked there is time to get ready.
    if (this.holdings.mayLack(descriptor.digest)) this.destination.expectUpload(descriptor);
    const held = await asked;
    // Some registries do not tell the size. With another one it is not what the manifest says, whichever of the two is wrong:
    // that is found out when it is sent.
    if (held === descriptor.size || held === 0) return;
    await (held === undefined ? this.#writeBlob(descriptor) : this.repair(descriptor));
  }

  async #writeBlob(descriptor: Descriptor): Promise<void> {
    const how = await this.#turns.run(descriptor.size, async () => {
      this.#assertGoing();
      return this.#upload(descriptor);
    });
    if (how === 'sent') this.#sent += descriptor.size;
    this.#written.add(descriptor.digest);
  }

  /**
   * Writes a manifest, below which all is there as far as the destination says. When it is refused because something is
   * missing after all, that is written, whatever was said of it, each digest once for all who write, and the manifest again.
   * @param reference a tag, or the manifest's own digest
   */
  async write(reference: string, manifest: Manifest): Promise<void> {
    const other = this.#others.get(manifest.digest);
    if (other) return other.write(reference, manifest);
    const tried = new Set<Digest>();
    const attempt = async (): Promise<void> => {
      this.#assertGoing();
      try {
        await this.destination.writeManifest(reference, manifest);
      } catch (error) {
        await this.#giveMissing(manifest, error, tried);
        await attempt();
      }
    };
    await attempt();
    if (reference === manifest.digest) this.#written.add(manifest.digest);
  }

  /** @throws the refusal itself when it says of nothing that is missing, or only of what was given already */
  async #giveMissing(manifest: Manifest, refusal: unknown, tried: Set<Digest>): Promise<void> {
    const suspects = saysMissing(refusal) ? this.#suspects(manifest, refusal) : [];
    const untried = suspects.filter(({ digest }) => !tried.has(digest));
    if (untried.length === 0) throw refusal;
    for (const { digest } of untried) tried.add(digest);
    try {
      await allSettledOrThrow(untried.map((each) => this.repair(each)));
    } catch (error) {
      const reasons = [refusal, error].map((each) => toError(each).message);
      throw new Error(reasons.join('; it could not be given what it lacks: '), { cause: error });
    }
  }

  /** What may be missing below a manifest: what the registry names, or else all that did not have to be copied. */
  #suspects(manifest: Manifest, { digests }: RegistryError): Descriptor[] {
    const below = [...childrenOf(manifest), ...blobsOf(manifest)];
    const named = below.filter(({ digest }) => digests.has(digest));
    if (named.length > 0) return named;
    return below.filter(({ digest }) => !this.#written.has(digest) || this.#repairs.has(digest));
  }

  /** Writes content that the destination lacks, whatever it said of it; that is told, and done once. */
  repair(descriptor: Descriptor): Promise<void> {
    return once(this.#repairs, descriptor.digest, async () => {
      this.#observer.repairs(this.destination.name, descriptor);
      if (!isManifestType(descriptor.mediaType)) return this.#writeBlob(descriptor);
      await this.write(descriptor.digest, await this.#source.manifest(descriptor));
    });
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

/** A manifest may stand below several others. */
function uniqueRefused(refused: readonly RefusedManifest[]): RefusedManifest[] {
  return [...new Map(refused.map((each) => [each.digest, each])).values()];
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

/** @throws ManifestError when content has not the size that a manifest says: nobody who holds one against the other could pull it */
function assertSize({ digest, size }: Descriptor, found: number, where: string): void {
  if (found === size) return;
  throw new ManifestError(
    `${digest} has ${found} bytes ${where}, and the manifest that names it says ${size}: build the image anew`,
  );
}
