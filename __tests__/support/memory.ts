import { Readable } from 'node:stream';
import { RegistryError } from '../../src/distribution/errors.ts';
import type { Descriptor } from '../../src/image/descriptor.ts';
import { type Digest, digestOf, isDigest } from '../../src/image/digest.ts';
import {
  blobsOf,
  childrenOf,
  type Manifest,
  type ManifestContent,
  parseManifest,
} from '../../src/image/manifest.ts';
import { type Destination, MissingContentError, type Source } from '../../src/release/content.ts';
import type { TransferObserver } from '../../src/release/replicate.ts';
import type { Graph } from './images.ts';

/** What a destination is asked to do: `blob`, `manifest`, `tag`, `untag`, `stat`, `has`, `tagged`, `read`, and to what. */
export type Operation = `${string} ${string}`;

export const SILENT: TransferObserver = { started() {}, moved() {}, finished() {}, repairs() {} };

/** Waits until other work has had its turn. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Waits until something has become so; the test's own time limit is the only one. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

/** A destination in memory, as strict as a registry, that remembers what was asked of it. */
export class MemoryDestination implements Destination {
  readonly name: string;
  readonly image: string;
  readonly blobs = new Map<Digest, Uint8Array>();
  readonly manifests = new Map<Digest, Manifest>();
  readonly tags = new Map<string, Digest>();
  /** Tags that, once they are taken, refuse whatever is written there. */
  readonly immutable = new Set<string>();
  /** All that was asked, in order. */
  readonly operations: Operation[] = [];
  /** What was written, in order, as it ended. */
  readonly writes: Operation[] = [];
  /** Asked before each operation; it may throw, or take its time. */
  before: (operation: Operation) => unknown = () => undefined;
  /** Whether it takes no manifest without all that it refers to. */
  isStrict = true;
  /** It takes every manifest, unless a test says otherwise. */
  refusals: Destination['refusals'] = () => [];
  /** It has no API that tells of tags, unless a test says otherwise. */
  describeTags?: NonNullable<Destination['describeTags']>;
  /** It tells which of its tags are immutable, unless a test says otherwise. */
  tagRule: Destination['tagRule'] = (tag) => (this.immutable.has(tag) ? 'immutable' : 'mutable');

  constructor(name: string, holds?: Graph) {
    this.name = name;
    this.image = `${name}.example/app`;
    if (holds) this.hold(holds);
  }

  /** Puts a graph here, as if it had been pushed long ago, under a tag if there is one. */
  hold(graph: Graph, tag?: string): void {
    for (const [digest, content] of graph.blobs) this.blobs.set(digest, content);
    for (const [digest, manifest] of graph.manifests) this.manifests.set(digest, manifest);
    if (tag !== undefined) this.tags.set(tag, graph.root.digest);
  }

  async statBlob(digest: Digest): Promise<number | undefined> {
    await this.#enter(`stat ${digest}`);
    return this.blobs.get(digest)?.byteLength;
  }

  async hasManifest(digest: Digest): Promise<boolean> {
    await this.#enter(`has ${digest}`);
    return this.manifests.has(digest);
  }

  /** How often it was told that an upload may be about to begin. */
  expected = 0;

  expectUpload(): void {
    this.expected += 1;
  }

  breakOff(_reason: Error): void {}

  async writeBlob(descriptor: Descriptor, open: () => Promise<Readable>): Promise<'sent'> {
    await this.#enter(`blob ${descriptor.digest}`);
    const content = Buffer.concat(await (await open()).toArray());
    if (digestOf(content) !== descriptor.digest) throw refused('DIGEST_INVALID', descriptor.digest);
    this.blobs.set(descriptor.digest, new Uint8Array(content));
    this.writes.push(`blob ${descriptor.digest}`);
    return 'sent';
  }

  async writeManifest(reference: string, content: ManifestContent): Promise<void> {
    const operation: Operation = `${isDigest(reference) ? 'manifest' : 'tag'} ${reference}`;
    await this.#enter(operation);
    if (this.tags.has(reference) && this.immutable.has(reference)) {
      throw refused('TAG_INVALID', `${reference} is taken`);
    }
    const manifest = parseManifest(content.bytes, content.mediaType);
    for (const { digest } of this.isStrict ? blobsOf(manifest) : []) {
      if (!this.blobs.has(digest)) throw refused('BLOB_UNKNOWN', digest);
    }
    for (const { digest } of this.isStrict ? childrenOf(manifest) : []) {
      if (!this.manifests.has(digest)) throw refused('MANIFEST_BLOB_UNKNOWN', digest);
    }
    this.manifests.set(manifest.digest, manifest);
    if (!isDigest(reference)) this.tags.set(reference, manifest.digest);
    this.writes.push(operation);
  }

  async tagged(tag: string): Promise<Manifest | undefined> {
    await this.#enter(`tagged ${tag}`);
    const digest = this.tags.get(tag);
    return digest && this.manifests.get(digest);
  }

  async deleteTag(tag: string): Promise<void> {
    await this.#enter(`untag ${tag}`);
    this.tags.delete(tag);
    this.writes.push(`untag ${tag}`);
  }

  async manifest({ digest }: Descriptor): Promise<Manifest> {
    await this.#enter(`read ${digest}`);
    const found = this.manifests.get(digest);
    if (!found) throw new MissingContentError(`${this.name} does not have ${digest}`);
    return found;
  }

  async blob({ digest }: Descriptor): Promise<Readable> {
    await this.#enter(`read ${digest}`);
    const found = this.blobs.get(digest);
    if (!found) throw new MissingContentError(`${this.name} does not have ${digest}`);
    return Readable.from([Buffer.from(found)], { objectMode: false });
  }

  async #enter(operation: Operation): Promise<void> {
    this.operations.push(operation);
    await this.before(operation);
  }
}

/** A graph as a source. */
export function sourceOf(graph: Graph): Source {
  return new MemoryDestination('source', graph);
}

/** A registry's refusal, as a client throws it. */
export function refused(code: string, message: string, status = 400): RegistryError {
  return new RegistryError(
    { method: 'PUT', url: new URL('https://registry.example/v2/') },
    { status, body: JSON.stringify({ errors: [{ code, message }] }) },
  );
}
