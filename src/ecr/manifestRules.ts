import * as z from 'zod/mini';
import type { Manifest } from '../image/manifest.ts';
import { isIndexType, isManifestType } from '../image/mediaTypes.ts';
import { formatPath, formatValue, valueAt } from './fieldPath.ts';

/** The most that a layer may have: 52,000 MiB, in bytes. */
const MAX_LAYER_BYTES = 52_000 * 1024 * 1024;

/** RFC 6838, section 4.2: type and subtype, without parameters. */
const MEDIA_TYPE = /^[a-z0-9][\w!#$&^.+-]{0,126}\/[a-z0-9][\w!#$&^.+-]{0,126}$/i;

/** The most reasons that are told of one manifest: it may have as many odd fields as fit into 4 MiB. */
const MAX_REASONS = 50;

const BUILD_ANEW = 'build the image anew, with a builder that';

const text = z.string(`must be a text: ${BUILD_ANEW} writes one`);
const texts = z.array(text, `must be a list of texts: ${BUILD_ANEW} writes one`);
const mediaType = z
  .string(`must name the media type: ${BUILD_ANEW} names it, as current ones do`)
  .check(
    z.regex(MEDIA_TYPE, 'must be a media type without parameters: give it one where it is built or attached'),
  );
const annotations = z.record(
  z.string(),
  z.string('must be a text: write it in quotes where it is set'),
  `must be a mapping: ${BUILD_ANEW} writes one`,
);

const content = {
  mediaType,
  // What these two have to be was found when the manifest was read.
  digest: z.unknown(),
  size: z.unknown(),
  urls: z.optional(texts),
  annotations: z.optional(annotations),
  data: z.optional(text),
  artifactType: z.optional(mediaType),
};
const blob = z.strictObject(content);
const child = z.strictObject({
  ...content,
  platform: z.optional(
    z.strictObject({
      architecture: text,
      os: text,
      'os.version': z.optional(text),
      'os.features': z.optional(texts),
      variant: z.optional(text),
    }),
  ),
});
const common = {
  schemaVersion: z.literal(2, 'must be 2: build the image anew, with a current builder'),
  // Whether ECR takes a manifest that does not say its type itself is not known for sure: the request says it, too.
  mediaType: z.optional(mediaType),
  artifactType: z.optional(mediaType),
  subject: z.optional(blob),
  annotations: z.optional(annotations),
};
const image = z.strictObject({ ...common, config: blob, layers: z.array(blob) });
const index = z.strictObject({ ...common, manifests: z.array(child) });

/**
 * Why ECR would refuse a manifest, as far as the manifest itself shows it. Its schema is narrower than the image
 * specification's: it refuses fields that it does not know or does not expect where they are, media types with
 * parameters, and manifests that do not name their own type. It takes no index in an index, no empty blob, and none over
 * 52,000 MiB. A manifest over 4 MiB, or of an unknown type, cannot even be read here.
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-manifest-formats.html and /service-quotas.html
 * @returns one reason for each place, with what to do about it, but no more than fifty; none when ECR takes the manifest
 */
export function ecrRefusals(manifest: Manifest): string[] {
  const json: unknown = JSON.parse(new TextDecoder().decode(manifest.bytes));
  const { error } = z.safeParse(manifest.kind === 'index' ? index : image, json);
  const reasons = [
    ...(error?.issues ?? []).flatMap((issue) => fieldRefusals(issue, json)),
    ...(manifest.kind === 'index' ? childRefusals(manifest.manifests) : blobRefusals(manifest)),
  ];
  const more = reasons.length - MAX_REASONS;
  return more > 0 ? [...reasons.slice(0, MAX_REASONS), `and ${more} more of the kind`] : reasons;
}

function fieldRefusals(issue: z.core.$ZodIssue, json: unknown): string[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => unknownField([...issue.path, key]));
  }
  const value = valueAt(json, issue.path);
  const is = value === undefined ? 'missing' : formatValue(value);
  return [`${formatPath(issue.path)} is ${is}, but ${issue.message}`];
}

function unknownField(path: readonly PropertyKey[]): string {
  return path.join('.') === 'subject.platform'
    ? 'subject.platform is a field that ECR does not take: attach this to the image with a tool that leaves it out'
    : `${formatPath(path)} is a field that ECR does not take: ${BUILD_ANEW} leaves it out`;
}

function childRefusals(children: readonly { readonly mediaType: string }[]): string[] {
  return children.flatMap(({ mediaType }, position) => {
    const where = formatPath(['manifests', position]);
    if (isIndexType(mediaType)) {
      return [
        `${where} is an index itself, which ECR takes in no other one: put the images of both into one index`,
      ];
    }
    if (isManifestType(mediaType)) return [];
    return [
      `${where} is ${formatValue(mediaType)}, but ECR takes images alone in an index: leave it out (for a build cache, add "image-manifest=true" to "cache-to")`,
    ];
  });
}

function blobRefusals({ config, layers }: Extract<Manifest, { kind: 'image' }>): string[] {
  const blobs = [
    { where: 'config', size: config.size },
    ...layers.map(({ size }, position) => ({ where: formatPath(['layers', position]), size })),
  ];
  return blobs.flatMap(({ where, size }) => {
    if (size === 0) {
      return [`${where} is empty, but ECR takes no blob of 0 bytes: ${BUILD_ANEW} compresses layers`];
    }
    if (size <= MAX_LAYER_BYTES) return [];
    return [
      `${where} has ${Math.ceil(size / 1024 / 1024)} MiB, but ECR takes 52000 MiB at the most: make several layers of it`,
    ];
  });
}
