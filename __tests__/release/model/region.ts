import type { Readable } from 'node:stream';
import type { Descriptor } from '../../../src/image/descriptor.ts';
import type { Digest } from '../../../src/image/digest.ts';
import { blobsOf, childrenOf, type Manifest, type ManifestContent } from '../../../src/image/manifest.ts';
import { MemoryDestination, refused, turn } from '../../support/memory.ts';

/**
 * What happens at one operation of a region. `refuse`: it is not done, and fails. `lose`: it is done, and its answer is lost.
 * `down`: it is not done, nor is any that follows. `lie`: a question whether something is there is answered with yes.
 * `interrupt`: the release is told that it has to end.
 */
export type Fault = 'refuse' | 'lose' | 'down' | 'lie' | 'interrupt';

/** How a region behaves: what befalls its operations, by their number, and how many turns each takes, in rotation. */
export interface Course {
  readonly faults: ReadonlyMap<number, Fault>;
  readonly turns: readonly number[];
  /** Whether an operation that is broken off has been done by then, in rotation. */
  readonly doneWhenBroken: readonly boolean[];
}

/** What a region tells the world that it is in. */
export interface Watcher {
  /** Something may have changed. */
  changed(): void;
  interrupt(): void;
}

/** A region that fails as it was told to. */
export class ModelRegion extends MemoryDestination {
  readonly struck: Fault[] = [];
  /** How many operations were broken off. */
  brokenOff = 0;
  readonly #course: Course;
  readonly #watcher: Watcher;
  readonly #pending = new Set<(reason: Error) => void>();
  #count = 0;
  #isDown = false;

  constructor(name: string, course: Course, watcher: Watcher) {
    super(name);
    this.#course = course;
    this.#watcher = watcher;
  }

  override statBlob(digest: Digest): Promise<number | undefined> {
    return this.#step(
      () => super.statBlob(digest),
      () => 1,
    );
  }

  override hasManifest(digest: Digest): Promise<boolean> {
    return this.#step(
      () => super.hasManifest(digest),
      () => true,
    );
  }

  override writeBlob(descriptor: Descriptor, open: () => Promise<Readable>): Promise<'sent'> {
    return this.#step(() => super.writeBlob(descriptor, open));
  }

  override writeManifest(reference: string, content: ManifestContent): Promise<void> {
    return this.#step(() => super.writeManifest(reference, content));
  }

  override tagged(tag: string): Promise<Manifest | undefined> {
    return this.#step(() => super.tagged(tag));
  }

  override deleteTag(tag: string): Promise<void> {
    return this.#step(() => super.deleteTag(tag));
  }

  override manifest(descriptor: Descriptor): Promise<Manifest> {
    return this.#step(() => super.manifest(descriptor));
  }

  override blob(descriptor: Descriptor): Promise<Readable> {
    return this.#step(() => super.blob(descriptor));
  }

  override breakOff(reason: Error = new Error('broken off')): void {
    this.brokenOff += this.#pending.size;
    for (const end of this.#pending) end(reason);
  }

  /** Holds and shows what another one does. */
  become({ blobs, manifests, tags, immutable }: MemoryDestination): void {
    for (const tag of immutable) this.immutable.add(tag);
    for (const [digest, content] of blobs) this.blobs.set(digest, content);
    for (const [digest, manifest] of manifests) this.manifests.set(digest, manifest);
    for (const [tag, digest] of tags) this.tags.set(tag, digest);
  }

  /** The digests of what a tag needs and this region lacks. */
  missingBelow(tag: string): Digest[] {
    const root = this.tags.get(tag);
    const visit = (digest: Digest): Digest[] => {
      const manifest = this.manifests.get(digest);
      if (!manifest) return [digest];
      const lacking = blobsOf(manifest).map((blob) => blob.digest);
      return [
        ...lacking.filter((each) => !this.blobs.has(each)),
        ...childrenOf(manifest).flatMap((child) => visit(child.digest)),
      ];
    };
    return root ? visit(root) : [];
  }

  async #step<T>(act: () => Promise<T>, lie?: () => T): Promise<T> {
    const number = this.#count;
    this.#count += 1;
    const { faults, turns, doneWhenBroken } = this.#course;
    const fault = faults.get(number);
    if (fault && (fault !== 'lie' || lie)) this.struck.push(fault);
    if (fault === 'interrupt') this.#watcher.interrupt();
    if (fault === 'down') this.#isDown = true;
    if (fault === 'lie' && lie) return lie();
    const isDone = doneWhenBroken[number % doneWhenBroken.length] ?? false;
    const broken = await this.#wait(turns[number % turns.length] ?? 0);
    if (this.#isDown) throw refused('UNAVAILABLE', 'the region is down', 503);
    if (broken && !isDone) throw broken;
    if (fault === 'refuse') throw refused('DENIED', 'not now', 403);
    try {
      const value = await act();
      if (broken) throw broken;
      if (fault === 'lose') throw new Error('the answer was lost');
      return value;
    } finally {
      this.#watcher.changed();
    }
  }

  /** Lets others go first, unless it is broken off: then it gives the reason. */
  async #wait(turns: number): Promise<Error | undefined> {
    let broken: Error | undefined;
    const end = (reason: Error) => {
      broken = reason;
    };
    this.#pending.add(end);
    try {
      for (let count = 0; count < turns && !broken; count += 1) await turn();
      return broken;
    } finally {
      this.#pending.delete(end);
    }
  }
}
