import { setTimeout as sleep } from 'node:timers/promises';
import type { Descriptor } from '../image/descriptor.ts';
import { type Digest, isDigest } from '../image/digest.ts';
import { childrenOf, type Manifest } from '../image/manifest.ts';
import { OCI_INDEX } from '../image/mediaTypes.ts';
import type { Source } from '../release/content.ts';
import { allAgree, anyAgrees, type Holdings } from '../release/holdings.ts';

/** How long the builder's first question waits for its log, which is some 150 ms behind, in milliseconds. */
const LOG_DELAY = 250;

/** How many manifests are remembered: a build's own log can hold anything. */
const REMEMBERED = 64;

const MANIFEST_MADE = /^#\d+ exporting (?:attestation )?manifest (?:list )?(sha256:[0-9a-f]{64})/;
const PUSH_BEGINS = /^#\d+ pushing layers/;

/**
 * Knows what a builder is about to push before it does. In its log it names the manifests that it has made, the root
 * last, and only then asks for their blobs, four at a time. Where every region holds one of those manifests, what stands
 * below it is held, too: however many layers an image has, one question answers for all of them. It is a help and no
 * more: without the log, or where a region lacks the manifests, each blob is asked for.
 */
export class Forecast {
  readonly #regions: readonly Promise<Holdings | undefined>[];
  readonly #content: Source;
  readonly #digests: Digest[] = [];
  readonly #pushBegins = Promise.withResolvers<void>();
  #learned: Promise<void> | undefined;

  /**
   * @param regions what each region holds, as soon as it can be asked
   * @param content where manifests can be read that the regions hold
   */
  constructor(regions: readonly Promise<Holdings | undefined>[], content: Source) {
    this.#regions = regions;
    this.#content = content;
  }

  /** Takes a line of the builder's log. */
  read(line: string): void {
    const digest = MANIFEST_MADE.exec(line)?.[1] ?? '';
    if (isDigest(digest) && !this.#digests.includes(digest)) this.#digests.push(digest);
    if (this.#digests.length > REMEMBERED) this.#digests.shift();
    if (PUSH_BEGINS.test(line)) this.#pushBegins.resolve();
  }

  /** Settles when there is nothing more to be learned about the root; never rejects. */
  learned(): Promise<void> {
    this.#learned ??= this.#begin().catch(() => undefined);
    return this.#learned;
  }

  async #begin(): Promise<void> {
    await Promise.race([this.#pushBegins.promise, sleep(LOG_DELAY)]);
    const root = this.#digests.at(-1);
    if (!root || (await this.#learn(root))) return;
    // Its attestations make the root a new one each time, while the images may be the same. No question waits for this.
    for (const digest of this.#digests.slice(0, -1)) this.#learn(digest).catch(() => undefined);
  }

  /** Whether every region holds a manifest; note is taken then of all that stands below it. */
  async #learn(digest: Digest): Promise<boolean> {
    const answers = this.#regions.map(async (region) => (await region)?.manifest(digest) ?? true);
    // It is read while the farther regions are still being asked. Its size is not known, and no registry wants to know it.
    const reading = anyAgrees(answers).then(() => this.#read({ mediaType: OCI_INDEX, digest, size: 0 }));
    reading.catch(() => undefined);
    if (!(await allAgree(answers))) return false;
    const regions = await Promise.all(this.#regions);
    for (const manifest of await reading) {
      for (const holdings of regions) holdings?.learn(manifest);
    }
    return true;
  }

  /** A manifest, and those that it lists: no builder puts an index into an index. */
  async #read(descriptor: Descriptor): Promise<Manifest[]> {
    const manifest = await this.#content.manifest(descriptor);
    const below = await Promise.all(childrenOf(manifest).map((child) => this.#content.manifest(child)));
    return [manifest, ...below];
  }
}
