import { isRetriable } from '../distribution/retry.ts';
import { ambiguitiesOf, ambiguityOf, type Listed } from '../image/choice.ts';
import { type Descriptor, isCompanion } from '../image/descriptor.ts';
import {
  blobsOf,
  describe,
  type ImageManifest,
  type Manifest,
  ManifestError,
  platformFromConfig,
} from '../image/manifest.ts';
import { isIndexType } from '../image/mediaTypes.ts';
import { formatPlatform, normalizePlatform, type Platform } from '../image/platform.ts';
import type { Source } from './content.ts';
import { toError } from './errors.ts';

/** The most that an image's config may have, in bytes: BuildKit's are a few thousand. */
const MAX_CONFIG_BYTES = 8 * 1024 * 1024;

/** One image below a root, with the platform that its own config states. */
export interface InspectedImage {
  readonly descriptor: Listed;
  /** Bytes of its blobs. */
  readonly bytes: number;
}

/** What stands below a root. */
export interface Inspection {
  readonly images: readonly InspectedImage[];
  /** Manifests that speak of the images: provenance, bills of material, SOCI indexes. */
  readonly attestations: readonly Descriptor[];
}

/**
 * Looks into a build's result: which images it has, for which platforms, and what attests them.
 * @throws ManifestError when a config says another platform than the index, the index names none, has no image or several of one
 *   platform, or an index stands in an index
 */
export async function inspectRoot(root: Manifest, source: Source): Promise<Inspection> {
  if (root.kind === 'image')
    return { images: [await inspectImage(describe(root), root, source)], attestations: [] };
  const nested = root.manifests.find(({ mediaType }) => isIndexType(mediaType));
  if (nested)
    throw new ManifestError(`${root.digest} holds another index, ${nested.digest}: build images only`);
  const images = root.manifests.filter((child) => !isCompanion(child));
  if (images.length === 0) throw new ManifestError(`${root.digest} holds no image`);
  const unlisted = images.find(({ platform }) => !platform);
  if (unlisted) {
    throw new ManifestError(
      `${root.digest} lists ${unlisted.digest} without a platform, by which no runtime would find it: build the index anew`,
    );
  }
  const inspected = await Promise.all(
    images.map(async (child) => {
      const manifest = await source.manifest(child);
      if (manifest.kind !== 'image') throw new ManifestError(`${child.digest} is not an image`);
      return inspectImage(child, manifest, source);
    }),
  );
  const ambiguities = ambiguitiesOf(inspected);
  if (ambiguities.length > 0) {
    throw new ManifestError(`${root.digest} ${ambiguityOf(ambiguities)}: leave one of each platform in it`);
  }
  return { images: inspected, attestations: root.manifests.filter(isCompanion) };
}

async function inspectImage(
  descriptor: Descriptor,
  manifest: ImageManifest,
  source: Source,
): Promise<InspectedImage> {
  const stated = await platformOfImage(manifest, source).catch((error: unknown) => {
    if (!(error instanceof ManifestError)) throw error;
    throw new ManifestError(`${error.message}: build the image anew, with its os and architecture there`);
  });
  const listed = descriptor.platform && normalizePlatform(descriptor.platform);
  if (
    listed &&
    formatPlatform({ ...listed, 'os.version': stated['os.version'] }) !== formatPlatform(stated)
  ) {
    throw new ManifestError(
      `${descriptor.digest} is listed as ${formatPlatform(listed)}, but its own config says ${formatPlatform(stated)}: check the FROM --platform of its Dockerfile`,
    );
  }
  return {
    descriptor: { ...descriptor, platform: { ...listed, ...stated } },
    bytes: blobsOf(manifest).reduce((sum, { size }) => sum + size, 0),
  };
}

/**
 * The platform in an image's own config, in normal form.
 * @throws ManifestError naming the image and its config, when that is too large, not JSON, or names none; what to do about it
 *   depends on who has built the image
 */
export async function platformOfImage({ digest, config }: ImageManifest, source: Source): Promise<Platform> {
  const refuse = (why: string) =>
    new ManifestError(`${digest}: its config ${config.digest} cannot be used: ${why}`);
  if (config.size > MAX_CONFIG_BYTES) {
    throw refuse(`it has ${config.size} bytes, and may have ${MAX_CONFIG_BYTES}`);
  }
  const content = await readWhole(config, source);
  try {
    return normalizePlatform(platformFromConfig(content));
  } catch (error) {
    throw refuse(toError(error).message);
  }
}

/** A source tries again what it cannot open, but not what breaks off later, when it is being read. */
async function readWhole(blob: Descriptor, source: Source): Promise<Buffer> {
  const read = async () => Buffer.concat(await (await source.blob(blob)).toArray());
  return read().catch((error: unknown) => {
    if (!isRetriable(error)) throw error;
    return read();
  });
}
