import type { Descriptor } from '../image/descriptor.ts';
import { isCompanion } from '../image/descriptor.ts';
import { type Digest, hexOf } from '../image/digest.ts';
import { blobsOf, childrenOf, type Manifest, ManifestError } from '../image/manifest.ts';
import { isIndexType, isManifestType } from '../image/mediaTypes.ts';
import type { Source } from './content.ts';
import { allSettledOrThrow } from './replicate.ts';

/** How far referrers are followed: what is farther from the image, more, or larger than this is refused. */
const MAX_DEPTH = 4;
const MAX_REFERRERS = 500;
const MAX_BYTES = 4 * 1024 * 1024 * 1024;

/** By which tags cosign keeps what it makes for an image, where it does not use referrers. */
const COSIGN_SUFFIXES = ['sig', 'att', 'sbom'] as const;

/** Where referrers are found: a source that lists them. */
export interface ReferrerSource extends Pick<Source, 'name' | 'manifest'> {
  /** What is said to refer to a manifest. */
  referrers(subject: Digest): Promise<readonly Descriptor[]>;
  /** What a tag shows, or nothing. */
  tagged(tag: string): Promise<Manifest | undefined>;
}

/** What speaks of an image: signatures, attestations, bills of material. */
export interface Referrers {
  /** Those that name what they refer to, each after that. */
  readonly manifests: readonly Manifest[];
  /** Those that are found by a tag alone, by it. */
  readonly tagged: ReadonlyMap<string, Manifest>;
  /** Bytes of all their blobs, each counted once. */
  readonly bytes: number;
}

/**
 * Finds what refers to an image, to the images below it, and to what was found.
 * @param root what is released; attestations below it are not asked about, for they are part of it
 * @throws ManifestError when what is found is not what it was said to be, or is more than can be meant
 */
export async function findReferrers(root: Manifest, source: ReferrerSource): Promise<Referrers> {
  const images = childrenOf(root).filter((child) => !isCompanion(child));
  const found = new Found([root, ...childrenOf(root)].map(({ digest }) => digest));
  let subjects: readonly Digest[] = [root, ...images].map(({ digest }) => digest);
  for (let depth = 1; subjects.length > 0; depth += 1) {
    const around = await allSettledOrThrow(subjects.map((subject) => lookAround(subject, source)));
    found.assertFew(around);
    const read = await allSettledOrThrow(around.map((each) => readListed(each, source)));
    const added = around.flatMap(({ tagged }, position) => found.add(read[position] ?? [], tagged));
    if (depth > MAX_DEPTH && added.length > 0) {
      throw new ManifestError(`referrers stand on each other more than ${MAX_DEPTH} high`);
    }
    await allSettledOrThrow(added.map((manifest) => found.count(manifest, source)));
    subjects = added.map(({ digest }) => digest);
  }
  return found;
}

/** A manifest that is found by a tag alone. */
type Tagged = readonly [tag: string, manifest: Manifest];

/** What is said to refer to one manifest. */
interface Around {
  readonly subject: Digest;
  readonly listed: readonly Descriptor[];
  readonly tagged: readonly Tagged[];
}

async function lookAround(subject: Digest, source: ReferrerSource): Promise<Around> {
  const tags = COSIGN_SUFFIXES.map((suffix) => `sha256-${hexOf(subject)}.${suffix}`);
  const reading = allSettledOrThrow(tags.map(async (tag) => ({ tag, shown: await source.tagged(tag) })));
  // Whether it failed is asked when the list has been read.
  reading.catch(() => undefined);
  const listed = await source.referrers(subject).catch(async (error: unknown) => {
    await Promise.allSettled([reading]);
    throw error;
  });
  const tagged = (await reading).flatMap(({ tag, shown }): Tagged[] => (shown ? [[tag, shown]] : []));
  return { subject, listed, tagged };
}

/** A list is no proof: each manifest has to say itself what it refers to. */
function readListed({ subject, listed }: Around, source: ReferrerSource): Promise<Manifest[]> {
  return allSettledOrThrow(
    listed.map(async (descriptor) => {
      const where = `${source.name} lists ${descriptor.digest} among what refers to ${subject}`;
      if (!isManifestType(descriptor.mediaType)) {
        throw new ManifestError(`${where}, but it is no image and no index, which alone can be copied`);
      }
      const manifest = await source.manifest(descriptor);
      if (manifest.subject?.digest === subject) return manifest;
      throw new ManifestError(`${where}, but it refers to ${manifest.subject?.digest ?? 'nothing'}`);
    }),
  );
}

/** All that was found so far. */
class Found implements Referrers {
  readonly manifests: Manifest[] = [];
  readonly tagged = new Map<string, Manifest>();
  readonly #seen: Set<Digest>;
  readonly #blobs = new Map<Digest, number>();

  /** @param released what is released anyway */
  constructor(released: readonly Digest[]) {
    this.#seen = new Set(released);
  }

  get bytes(): number {
    return [...this.#blobs.values()].reduce((sum, size) => sum + size, 0);
  }

  /** @throws ManifestError when more is listed than is worth reading */
  assertFew(around: readonly Around[]): void {
    const listed = around.reduce((sum, each) => sum + each.listed.length + each.tagged.length, 0);
    if (this.manifests.length + this.tagged.size + listed <= MAX_REFERRERS) return;
    throw new ManifestError(`more than ${MAX_REFERRERS} manifests refer to this image`);
  }

  /** @returns those that nobody has found before */
  add(listed: readonly Manifest[], tagged: readonly Tagged[]): Manifest[] {
    const isNew = ({ digest }: Manifest) => !this.#seen.has(digest) && this.#seen.add(digest) !== undefined;
    const added = listed.filter(isNew);
    this.manifests.push(...added);
    for (const [tag, manifest] of tagged) this.tagged.set(tag, manifest);
    return [...added, ...tagged.map(([, manifest]) => manifest).filter(isNew)];
  }

  /** Counts what has to be copied with a manifest. */
  async count(manifest: Manifest, source: ReferrerSource): Promise<void> {
    const children = childrenOf(manifest);
    if (children.some(({ mediaType }) => isIndexType(mediaType))) {
      throw new ManifestError(`${manifest.digest}, which refers to this image, holds another index`);
    }
    const images = await allSettledOrThrow(
      children.filter(({ mediaType }) => isManifestType(mediaType)).map((child) => source.manifest(child)),
    );
    for (const { digest, size } of [manifest, ...images].flatMap(blobsOf)) this.#blobs.set(digest, size);
    if (this.bytes > MAX_BYTES) {
      throw new ManifestError(`what refers to this image has more than ${MAX_BYTES} bytes`);
    }
  }
}
