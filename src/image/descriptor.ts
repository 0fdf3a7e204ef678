import * as z from 'zod/mini';
import { type Digest, digestSchema } from './digest.ts';
import { isUnknownPlatform, platformSchema } from './platform.ts';

/** A size in bytes, of what a registry can hold. */
export const sizeSchema = z.number().check(z.int(), z.gte(0));

/** No more than what is known to be in use: layers have types with parameters, too. */
const mediaTypeSchema = z.string().check(z.regex(/^[ -~]{1,255}$/, 'must be 1 to 255 characters of ASCII'));

/**
 * A descriptor: what content is, how long it is (bytes), and its digest. Fields that are not named here are
 * kept as they came.
 * https://github.com/opencontainers/image-spec/blob/main/descriptor.md
 */
export const descriptorSchema = z.looseObject({
  mediaType: mediaTypeSchema,
  digest: digestSchema,
  size: sizeSchema,
  platform: z.optional(platformSchema),
  annotations: z.optional(z.record(z.string(), z.string())),
  artifactType: z.optional(z.string()),
});
export type Descriptor = z.infer<typeof descriptorSchema>;

/**
 * The most children that an index may have, and the most layers that an image may: every one of them is asked for in every
 * region, and 4 MiB have room for some 30,000.
 */
const MAX_PARTS = 1_000;

/** What an index or an image is made of, counted before it is looked at. */
export const partsSchema = z.pipe(
  z.array(z.unknown()).check(z.maxLength(MAX_PARTS, `there may be at most ${MAX_PARTS}`)),
  z.array(descriptorSchema),
);

/** Drops repeated digests; the first descriptor of each stays, in order. */
export function uniqueByDigest(descriptors: readonly Descriptor[]): Descriptor[] {
  const first = new Map<Digest, Descriptor>();
  for (const each of descriptors) if (!first.has(each.digest)) first.set(each.digest, each);
  return [...first.values()];
}

/** The annotation by which BuildKit's attestation manifests name the image that they speak of. */
export const ATTESTED_DIGEST = 'vnd.docker.reference.digest';

/**
 * The annotation by which the descriptor of a SOCI index names its image, and the type of such an index. It lets Fargate and other
 * nodes with soci-snapshotter start before the layers are there, and is listed under the platform of its image.
 * https://github.com/awslabs/soci-snapshotter/blob/main/docs/soci-index-manifest-v2.md
 */
const SOCI_DIGEST = 'com.amazon.soci.image-manifest-digest';
const SOCI_INDEX = 'application/vnd.amazon.soci.index.v2+json';

/** Whether a child of an index speaks of an image rather than being one: an attestation manifest, or a SOCI index. */
export function isCompanion({ platform, annotations, artifactType }: Descriptor): boolean {
  return (
    isUnknownPlatform(platform) ||
    annotations?.['vnd.docker.reference.type'] === 'attestation-manifest' ||
    annotations?.[SOCI_DIGEST] !== undefined ||
    artifactType === SOCI_INDEX
  );
}

/** The digest of the image that a child of an index speaks of, if it is one that tells. */
export function spokenOf({ annotations }: Descriptor): string | undefined {
  return annotations?.[ATTESTED_DIGEST] ?? annotations?.[SOCI_DIGEST];
}
