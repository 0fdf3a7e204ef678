import * as z from 'zod/mini';
import { digestOf } from '../../src/image/digest.ts';
import type { ManifestContent } from '../../src/image/manifest.ts';
import {
  DOCKER_LIST,
  DOCKER_MANIFEST,
  isManifestType,
  OCI_INDEX,
  OCI_MANIFEST,
} from '../../src/image/mediaTypes.ts';

/** What each media type is called in the other family. */
const PAIRS: readonly (readonly [oci: string, docker: string])[] = [
  [OCI_MANIFEST, DOCKER_MANIFEST],
  [OCI_INDEX, DOCKER_LIST],
  ['application/vnd.oci.image.config.v1+json', 'application/vnd.docker.container.image.v1+json'],
  ['application/vnd.oci.image.layer.v1.tar+gzip', 'application/vnd.docker.image.rootfs.diff.tar.gzip'],
];
const COUNTERPART = new Map(
  PAIRS.flatMap(([oci, docker]) => [[oci, docker] as const, [docker, oci] as const]),
);

const partSchema = z.looseObject({ mediaType: z.optional(z.string()) });
const wholeSchema = z.looseObject({
  mediaType: z.optional(z.string()),
  config: z.optional(partSchema),
  layers: z.optional(z.array(partSchema)),
});

/**
 * The manifest as a client gets it that reads it by tag: in the other family, and so with another digest, when
 * the client accepts only that one.
 * @param accept the media types that the client names; naming none, or none of a manifest, is taken as any
 */
export function convertFor(content: ManifestContent, accept: readonly string[]): ManifestContent {
  const wanted = accept.filter(isManifestType);
  const mediaType = COUNTERPART.get(content.mediaType);
  if (
    !mediaType ||
    accept.includes('*/*') ||
    wanted.includes(content.mediaType) ||
    !wanted.includes(mediaType)
  ) {
    return content;
  }
  const whole = z.parse(wholeSchema, JSON.parse(new TextDecoder().decode(content.bytes)));
  const converted = {
    ...whole,
    mediaType,
    ...(whole.config && { config: convertPart(whole.config) }),
    ...(whole.layers && { layers: whole.layers.map(convertPart) }),
  };
  const bytes = new TextEncoder().encode(JSON.stringify(converted));
  return { mediaType, digest: digestOf(bytes), bytes };
}

function convertPart(part: z.infer<typeof partSchema>): z.infer<typeof partSchema> {
  return { ...part, mediaType: COUNTERPART.get(part.mediaType ?? '') ?? part.mediaType };
}
