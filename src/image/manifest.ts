import * as z from 'zod/mini';
import { plain } from '../words.ts';
import { type Descriptor, descriptorSchema, isCompanion, partsSchema, uniqueByDigest } from './descriptor.ts';
import { type Digest, digestOf } from './digest.ts';
import { isForeignLayer, isIndexType, isManifestType, OCI_INDEX, OCI_MANIFEST } from './mediaTypes.ts';
import { type Platform, platformSchema } from './platform.ts';

/** The most that ECR takes for one manifest, in bytes. */
export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

/** How deep a manifest's JSON may be nested; no field of theirs is deeper than six. */
const MAX_DEPTH = 100;

/** A manifest's bytes as they came, with the type and digest under which a registry keeps them. */
export interface ManifestContent {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

/** An image manifest: one platform's config and layers. */
export interface ImageManifest extends ManifestContent {
  readonly kind: 'image';
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly subject: Descriptor | undefined;
}

/** An index: one child manifest for each platform, and their attestations. */
export interface Index extends ManifestContent {
  readonly kind: 'index';
  readonly manifests: readonly Descriptor[];
  readonly subject: Descriptor | undefined;
}

export type Manifest = ImageManifest | Index;

/** Bytes that are not a manifest which can be copied; the message says why. */
export class ManifestError extends Error {
  override readonly name = 'ManifestError';
}

const imageSchema = z.looseObject({
  mediaType: z.optional(z.string()),
  config: descriptorSchema,
  layers: partsSchema,
  subject: z.optional(descriptorSchema),
});

const indexSchema = z.looseObject({
  mediaType: z.optional(z.string()),
  manifests: partsSchema,
  subject: z.optional(descriptorSchema),
});

const shapeSchema = z.looseObject({
  schemaVersion: z.optional(z.number()),
  mediaType: z.optional(z.string()),
});

const configSchema = z.looseObject({
  os: z.optional(z.string()),
  architecture: z.optional(z.string()),
  variant: z.optional(z.string()),
  'os.version': z.optional(z.string()),
});

/**
 * Reads a manifest or an index of either family. The bytes are kept as they are: whatever is copied is copied
 * byte for byte.
 * @param bytes at most {@link MAX_MANIFEST_BYTES}
 * @param declared the media type that the registry or the descriptor gave, if it gave one
 * @throws ManifestError when it is too large, not JSON, of an unknown type, says two types at once, has the parts of both an
 *   image and an index, has more than a thousand parts, or is nested more than a hundred deep
 */
export function parseManifest(bytes: Uint8Array, declared?: string): Manifest {
  if (bytes.byteLength > MAX_MANIFEST_BYTES) {
    throw new ManifestError(
      `a manifest of ${bytes.byteLength} bytes is over the limit of ${MAX_MANIFEST_BYTES}`,
    );
  }
  const json = parseJson(bytes, 'manifest');
  const mediaType = mediaTypeOf(json, declared);
  const content = { mediaType, digest: digestOf(bytes), bytes };
  if (isIndexType(mediaType)) {
    const { manifests, subject } = parseWith(indexSchema, json, mediaType);
    assertOneSize(manifests);
    return { kind: 'index', ...content, manifests, subject };
  }
  const { config, layers, subject } = parseWith(imageSchema, json, mediaType);
  assertOneSize([config, ...layers]);
  return { kind: 'image', ...content, config, layers, subject };
}

/** One of two sizes is wrong, and nobody who holds content against it could pull that. */
function assertOneSize(parts: readonly Descriptor[]): void {
  const sizes = new Map<Digest, number>();
  for (const { digest, size } of parts) {
    const other = sizes.get(digest) ?? size;
    if (other !== size)
      throw new ManifestError(`the manifest lists ${digest} with ${other} bytes and with ${size}`);
    sizes.set(digest, size);
  }
}

/** @param what messages call it */
function parseJson(bytes: Uint8Array, what: string): unknown {
  try {
    // A byte order mark stays: JSON has none, and other readers refuse it.
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    const json: unknown = JSON.parse(text);
    if (isShallow(text)) return json;
  } catch {
    throw new ManifestError(`the ${what} is not JSON in UTF-8`);
  }
  throw new ManifestError(`the ${what} is nested more than ${MAX_DEPTH} deep`);
}

/** Whether a JSON text is nested no deeper than can be walked through by recursion, as many do. */
function isShallow(text: string): boolean {
  let depth = 0;
  let isString = false;
  for (let at = 0; at < text.length && depth <= MAX_DEPTH; at += 1) {
    const character = text[at];
    if (character === '"') isString = !isString;
    else if (isString) at += Number(character === '\\');
    else if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') depth -= 1;
  }
  return depth <= MAX_DEPTH;
}

function mediaTypeOf(json: unknown, declared: string | undefined): string {
  const shape = parseWith(shapeSchema, json, 'manifest');
  // Which of the two it is would depend on who reads it: https://github.com/opencontainers/image-spec/security/advisories/GHSA-77vh-xpmg-72qh
  if ('manifests' in shape && ('config' in shape || 'layers' in shape)) {
    throw new ManifestError('the manifest is both an image and an index');
  }
  const outside = declared?.split(';')[0]?.trim();
  const typeOutside = outside && isManifestType(outside) ? outside : undefined;
  if (shape.mediaType && typeOutside && shape.mediaType !== typeOutside) {
    throw new ManifestError(
      `the manifest calls itself ${plain(shape.mediaType)}, but was given as ${typeOutside}`,
    );
  }
  // OCI allows a manifest without a mediaType field; then its shape tells which of the two it is.
  const inferred = 'manifests' in shape ? OCI_INDEX : 'layers' in shape ? OCI_MANIFEST : undefined;
  const mediaType = shape.mediaType ?? typeOutside ?? inferred;
  if (mediaType && isManifestType(mediaType)) return mediaType;
  if (shape.schemaVersion === 1) {
    throw new ManifestError(
      'the manifest has schema version 1, which registries no longer take: rebuild the image',
    );
  }
  throw new ManifestError(`a manifest of type ${plain(mediaType ?? outside ?? 'unknown')} cannot be copied`);
}

function parseWith<T extends z.ZodMiniType>(schema: T, json: unknown, what: string): z.infer<T> {
  const parsed = z.safeParse(schema, json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = plain(issue?.path.join('.') ?? '', 200) || 'the whole';
  throw new ManifestError(`not a valid ${what}: ${where}: ${issue?.message ?? 'of an unknown shape'}`);
}

/** The descriptor under which a manifest is referred to, without platform or annotations. */
export function describe(content: ManifestContent): Descriptor {
  return { mediaType: content.mediaType, digest: content.digest, size: content.bytes.byteLength };
}

/** The blobs that a registry must hold before it takes this manifest; each digest once. */
export function blobsOf(manifest: Manifest): Descriptor[] {
  if (manifest.kind === 'index') return [];
  return uniqueByDigest([
    manifest.config,
    ...manifest.layers.filter((layer) => !isForeignLayer(layer.mediaType)),
  ]);
}

/** The manifests that a registry must hold before it takes this one; each digest once. */
export function childrenOf(manifest: Manifest): Descriptor[] {
  return manifest.kind === 'index' ? uniqueByDigest(manifest.manifests) : [];
}

/**
 * The platforms that a runtime can pick from an index, in its order: attestations are left out.
 */
export function platformsOf(index: Index): Platform[] {
  return index.manifests.flatMap((child) => (child.platform && !isCompanion(child) ? [child.platform] : []));
}

/**
 * The platform that an image's own config states, which is what counts when legs are compared.
 * @throws ManifestError when the config names none, or one that cannot be
 */
export function platformFromConfig(config: Uint8Array): Platform {
  const { os, architecture, variant, ...rest } = parseWith(
    configSchema,
    parseJson(config, 'image config'),
    'image config',
  );
  if (!os || !architecture) throw new ManifestError('the image config names no os and architecture');
  const platform = {
    os,
    architecture,
    ...(variant && { variant }),
    ...(rest['os.version'] && { 'os.version': rest['os.version'] }),
  };
  return parseWith(platformSchema, platform, 'platform in the image config');
}
