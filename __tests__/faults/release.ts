import type { Stock } from '../../emulator/state/contents.ts';
import type { Digest } from '../../src/image/digest.ts';
import type { Manifest } from '../../src/image/manifest.ts';
import { type Graph, type Image, imageOf, indexOf } from '../support/images.ts';

/** The region in which things go wrong; one that has what another one lacks, or refuses the tag; and one more. */
export const [LATE, OTHER, THIRD] = ['eu-west-1', 'us-east-1', 'sa-east-1'] as const;
/** Where a mirror reads. */
export const SOURCE = 'ap-south-1';

/** ECR Public, as the emulator calls it and as results do, and the registry there. */
export const PUBLIC = 'public';
const PUBLIC_NAME = 'public.ecr.aws';
export const ALIAS = 'octo';

/** How results name a region. */
export function nameOfRegion(region: string): string {
  return region === PUBLIC ? PUBLIC_NAME : region;
}

/** The role that is assumed first, and the destinations' own, which is assumed from there. */
export const ROLES = ['ci', 'publish'].map((name) => `arn:aws:iam::123456789012:role/${name}`);

export const REPOSITORY = 'team/app';
export const UPSTREAM = 'upstream/app';
export const TAG = 'v1';

/** The tags of single platforms beside it. */
export const TAGS_BESIDE = [`${TAG}-amd64`, `${TAG}-arm64`];

/** Enough for an upload, or an answer, to be cut in its middle. */
const LARGE = Buffer.alloc(160 * 1024, 'layer');

export const AMD64 = imageOf('linux/amd64', { layers: ['shared', LARGE] });
export const ARM64 = imageOf('linux/arm64', { layers: ['shared', 'own'] });
/** What is to be released. */
export const NEW = indexOf([AMD64, ARM64]);
/** What the tag shows before, where there is one. */
export const OLD = imageOf('linux/amd64', { layers: ['earlier'] });

export const CHILDREN: readonly Digest[] = [AMD64, ARM64].map(({ root }) => root.digest);

/** A graph as an emulator is stocked with it. */
export function stockOf({ root, manifests, blobs }: Graph | Image): Stock {
  const below = [...manifests.values()].filter(({ digest }) => digest !== root.digest);
  return { manifests: [...below, root], blobs };
}

/** Every manifest that there is, and every blob. */
export const MANIFESTS: ReadonlyMap<Digest, Manifest> = new Map([...NEW.manifests, ...OLD.manifests]);
export const BLOBS: ReadonlyMap<Digest, Uint8Array> = new Map([...NEW.blobs, ...OLD.blobs]);
