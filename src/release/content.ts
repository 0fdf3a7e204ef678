import type { Readable } from 'node:stream';
import type { Descriptor } from '../image/descriptor.ts';
import type { Digest } from '../image/digest.ts';
import type { Manifest, ManifestContent } from '../image/manifest.ts';

/** Where content comes from: it opens by descriptor, and opens again for a retry. */
export interface Source {
  /** How messages name it: a region, a host, a folder. */
  readonly name: string;
  /** The manifest of that digest. */
  manifest(descriptor: Descriptor): Promise<Manifest>;
  /** A blob from its first byte; the stream fails when the bytes are not the descriptor's. */
  blob(descriptor: Descriptor): Promise<Readable>;
}

/**
 * Whether a tag that is taken may be written again: `immutable` refuses even the digest that it shows. `unknown` where
 * nobody may look, or the registry does not tell.
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html
 */
export type TagRule = 'mutable' | 'immutable' | 'unknown';

/** What a registry itself says of an image that it lists, apart from the image's own bytes. */
export interface ImageDescription {
  readonly digest: string;
  readonly mediaType?: string;
  /** In bytes, as the registry counts them: ECR takes the largest image for the size of an index. */
  readonly size?: number;
}

/** Where content goes: one repository in one region's registry. What it holds can be read back. */
export interface Destination extends Source {
  /** The repository with its host, `123456789012.dkr.ecr.us-east-1.amazonaws.com/app`. */
  readonly image: string;
  /** The manifest of that digest: a registry needs to know no more of it. */
  manifest(descriptor: Pick<Descriptor, 'digest'>): Promise<Manifest>;
  /** The size in bytes of a blob that it holds, or nothing when it lacks the blob. */
  statBlob(digest: Digest): Promise<number | undefined>;
  hasManifest(digest: Digest): Promise<boolean>;
  /** Why it would not take a manifest, each reason with what to do about it; nothing is asked for that. */
  refusals(manifest: Manifest): readonly string[];
  /**
   * Told that a blob may be about to be uploaded, while it is still being found out whether it has to, and of its size in
   * bytes, when that is known.
   */
  expectUpload(blob: Pick<Descriptor, 'digest'> & Partial<Pick<Descriptor, 'size'>>): void;
  /**
   * @param open gives the content from its first byte; called anew whenever it has to be sent again
   * @returns whether the bytes were sent, or the registry had them elsewhere
   */
  writeBlob(descriptor: Descriptor, open: () => Promise<Readable>): Promise<'sent' | 'mounted'>;
  /** @param reference a tag, or the content's own digest */
  writeManifest(reference: string, content: ManifestContent): Promise<void>;
  /** What a tag points at now, or nothing. */
  tagged(tag: string): Promise<Manifest | undefined>;
  /** Whether a tag may be written again once it is taken; nothing is asked for that. */
  tagRule(tag: string): TagRule;
  deleteTag(tag: string): Promise<void>;
  /**
   * Asks what the registry itself says of tags; not there where it has no API for that.
   * @param expected what each tag shows; a registry that does not say so yet is asked again for a while
   * @param how `once`: what it says now is enough
   * @returns what it says, by tag, without the tags that it does not list
   */
  readonly describeTags?: (
    expected: ReadonlyMap<string, ManifestContent>,
    how?: 'once',
  ) => Promise<ReadonlyMap<string, ImageDescription>>;
  /** Breaks off whatever is under way, which fails with this reason; what begins later is not affected. */
  breakOff(reason: Error): void;
}

/** Content that a source was asked for and does not have. */
export class MissingContentError extends Error {
  override readonly name = 'MissingContentError';
}

/**
 * Several sources as one: content comes from the first that gives it. They take turns at being asked first, so that none
 * has to give everything; one that failed to give something, be it in the middle, is asked last for it.
 * @throws the last source's error when none does
 */
export function anyOf(sources: readonly Source[]): Source {
  let turn = 0;
  const failed = new Map<Digest, Set<Source>>();
  const fail = (digest: Digest, source: Source) => {
    failed.set(digest, (failed.get(digest) ?? new Set()).add(source));
  };
  const first = async <T>(digest: Digest, read: (source: Source) => Promise<T>): Promise<T> => {
    let failure: unknown = new MissingContentError(`no source has ${digest}`);
    const inTurn = [...sources.slice(turn), ...sources.slice(0, turn)];
    turn = (turn + 1) % sources.length;
    const isLast = (source: Source) => Number(failed.get(digest)?.has(source) ?? false);
    for (const source of inTurn.toSorted((one, other) => isLast(one) - isLast(other))) {
      try {
        return await read(source);
      } catch (error) {
        fail(digest, source);
        failure = error;
      }
    }
    throw failure;
  };
  return {
    name: sources.map(({ name }) => name).join(', '),
    manifest: (descriptor) => first(descriptor.digest, (source) => source.manifest(descriptor)),
    blob: (descriptor) =>
      first(descriptor.digest, async (source) => {
        const content = await source.blob(descriptor);
        return content.once('error', () => fail(descriptor.digest, source));
      }),
  };
}

/**
 * A source that is still being opened: whoever asks waits for it.
 * @param name how messages name it meanwhile, and after
 */
export function awaited(name: string, opening: Promise<Source>): Source {
  // A failure is for those who ask, and for whoever opens it.
  opening.catch(() => undefined);
  return {
    name,
    manifest: async (descriptor) => (await opening).manifest(descriptor),
    blob: async (descriptor) => (await opening).blob(descriptor),
  };
}

/** A source that has some manifests of its own, which may come to be known later, before those of another one. */
export function withManifests(source: Source, own: ReadonlyMap<Digest, Manifest>): Source {
  return {
    name: source.name,
    manifest: async (descriptor) => own.get(descriptor.digest) ?? source.manifest(descriptor),
    blob: (descriptor) => source.blob(descriptor),
  };
}
