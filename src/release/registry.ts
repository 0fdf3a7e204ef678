import type { Readable } from 'node:stream';
import type { Repository } from '../distribution/repository.ts';
import type { Digest } from '../image/digest.ts';
import type { Manifest, ManifestContent } from '../image/manifest.ts';
import { type Destination, type ImageDescription, MissingContentError, type Source } from './content.ts';

/** A repository as a source of content, whatever registry it is in. */
export function repositorySource(name: string, repository: Repository): Source {
  return {
    name,
    async manifest({ digest }): Promise<Manifest> {
      const found = await repository.readManifest(digest);
      if (!found) throw new MissingContentError(`${name} does not have ${digest}`);
      return found;
    },
    blob: (descriptor): Promise<Readable> => repository.readBlob(descriptor),
  };
}

/** What a registry may do better than the distribution API does it; the signals break that off. */
export interface DestinationOptions {
  readonly name: string;
  /** Host and repository. */
  readonly image: string;
  readonly repository: Repository;
  /** Tells of a blob's size in bytes, if it is there; by default every one is asked for with HEAD. */
  readonly statBlob?: (digest: Digest) => Promise<number | undefined>;
  /** Why it would not take a manifest; by default it takes every one. */
  readonly refusals?: Destination['refusals'];
  /** Whether a taken tag may be written again; by default that is not known. */
  readonly tagRule?: Destination['tagRule'];
  readonly deleteTag?: (tag: string, signal: AbortSignal) => Promise<void>;
  /** What it says of tags itself; by default it has no API for that. */
  readonly describeTags?: (
    expected: ReadonlyMap<string, ManifestContent>,
    how: 'once' | undefined,
    signal: AbortSignal,
  ) => Promise<ReadonlyMap<string, ImageDescription>>;
  readonly writeBlob?: Destination['writeBlob'];
  readonly writeManifest?: (
    reference: string,
    content: ManifestContent,
    signal: AbortSignal,
  ) => Promise<void>;
}

/** A repository as a destination. */
export function repositoryDestination(options: DestinationOptions): Destination {
  const { name, image, repository, deleteTag, describeTags, writeManifest } = options;
  return {
    ...repositorySource(name, repository),
    image,
    statBlob: options.statBlob ?? ((digest) => repository.statBlob(digest)),
    hasManifest: (digest) => repository.hasManifest(digest),
    refusals: options.refusals ?? (() => []),
    expectUpload: (blob) => repository.expectUpload(blob),
    writeBlob: options.writeBlob ?? ((descriptor, open) => repository.writeBlob(descriptor, open)),
    writeManifest: (reference, content) =>
      writeManifest
        ? repository.unlessBroken((signal) => writeManifest(reference, content, signal))
        : repository.writeManifest(reference, content),
    tagged: (tag) => repository.readManifest(tag),
    tagRule: options.tagRule ?? (() => 'unknown'),
    deleteTag: (tag) =>
      deleteTag ? repository.unlessBroken((signal) => deleteTag(tag, signal)) : repository.deleteTag(tag),
    ...(describeTags && {
      describeTags: (expected, how) =>
        repository.unlessBroken((signal) => describeTags(expected, how, signal)),
    }),
    breakOff: (reason) => repository.breakOff(reason),
  };
}
