import * as z from 'zod/mini';
import { sizeSchema } from '../../src/image/descriptor.ts';
import { digestSchema } from '../../src/image/digest.ts';
import { type Manifest, ManifestError, parseManifest } from '../../src/image/manifest.ts';
import type { Behaviour } from '../behaviour.ts';
import { invalidParameter } from '../errors.ts';

/*
 * ECR's idea of a manifest, which is narrower than the image specification's: a field that it does not know, or
 * does not expect where it is, makes it refuse the whole as invalid JSON.
 */

/** RFC 6838, section 4.2: a media type without parameters, which ECR insists on for artifact types as well. */
const mediaTypeSchema = z
  .string()
  .check(z.regex(/^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$/));
const annotationsSchema = z.optional(z.record(z.string(), z.string()));

// `features`, which Docker's manifest lists once had, is one of the fields that are refused.
const platformSchema = z.strictObject({
  architecture: z.string(),
  os: z.string(),
  'os.version': z.optional(z.string()),
  'os.features': z.optional(z.array(z.string())),
  variant: z.optional(z.string()),
});

const content = {
  mediaType: mediaTypeSchema,
  digest: digestSchema,
  size: sizeSchema,
  urls: z.optional(z.array(z.string())),
  annotations: annotationsSchema,
  data: z.optional(z.string()),
  artifactType: z.optional(mediaTypeSchema),
};
const contentSchema = z.strictObject(content);

const common = {
  schemaVersion: z.literal(2),
  mediaType: z.optional(mediaTypeSchema),
  artifactType: z.optional(mediaTypeSchema),
  // A subject with a platform is refused.
  subject: z.optional(contentSchema),
  annotations: annotationsSchema,
};

const imageSchema = z.strictObject({ ...common, config: contentSchema, layers: z.array(contentSchema) });
const indexSchema = z.strictObject({
  ...common,
  manifests: z.array(z.strictObject({ ...content, platform: z.optional(platformSchema) })),
});

/** What is read of a manifest that may have any fields. */
const anySchema = z.object({
  mediaType: common.mediaType,
  artifactType: common.artifactType,
  annotations: annotationsSchema,
});

/** A manifest as ECR keeps it. */
export interface StoredManifest {
  readonly manifest: Manifest;
  /** What kind of artifact it is: its artifact type, or else its config's media type; an index may have none. */
  readonly artifactType: string | undefined;
  readonly annotations: Readonly<Record<string, string>> | undefined;
}

/**
 * Reads a manifest as strictly as ECR does.
 * @param declared the type given outside of the manifest, by Content-Type or imageManifestMediaType
 * @throws EcrError (InvalidParameterException, on /v2/ UNSUPPORTED)
 */
export function parseStrictly(
  bytes: Uint8Array,
  declared: string | undefined,
  { requireMediaType, manifestFields }: Pick<Behaviour, 'requireMediaType' | 'manifestFields'>,
): StoredManifest {
  const manifest = parseLeniently(bytes, declared);
  const json: unknown = JSON.parse(new TextDecoder().decode(bytes));
  const parsed = z.safeParse(schemaOf(manifest, manifestFields), json);
  if (!parsed.success) throw invalidSyntax();
  const { mediaType, artifactType, annotations } = parsed.data;
  // A manifest that does not say what it is must at least have been given as something.
  if (!mediaType && (requireMediaType || !declared)) throw invalidSyntax();
  const configType = manifest.kind === 'image' ? manifest.config.mediaType : undefined;
  return { manifest, artifactType: artifactType ?? configType, annotations };
}

function schemaOf({ kind }: Manifest, fields: Behaviour['manifestFields']) {
  if (fields === 'any') return anySchema;
  return kind === 'index' ? indexSchema : imageSchema;
}

function parseLeniently(bytes: Uint8Array, declared: string | undefined): Manifest {
  try {
    return parseManifest(bytes, declared);
  } catch (error) {
    if (error instanceof ManifestError) throw invalidSyntax();
    throw error;
  }
}

function invalidSyntax() {
  return invalidParameter('ImageManifest', 'Invalid JSON syntax');
}
