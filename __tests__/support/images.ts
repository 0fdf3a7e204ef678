import type { Descriptor } from '../../src/image/descriptor.ts';
import { ATTESTED_DIGEST } from '../../src/image/descriptor.ts';
import { type Digest, digestOf } from '../../src/image/digest.ts';
import { describe, type Manifest, parseManifest } from '../../src/image/manifest.ts';
import { DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST } from '../../src/image/mediaTypes.ts';
import { type Platform, parsePlatform } from '../../src/image/platform.ts';

export const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';
export const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';
const DOCKER_CONFIG = 'application/vnd.docker.container.image.v1+json';
const DOCKER_LAYER = 'application/vnd.docker.image.rootfs.diff.tar.gzip';

/** A manifest with everything below it. */
export interface Graph {
  readonly root: Manifest;
  readonly manifests: ReadonlyMap<Digest, Manifest>;
  readonly blobs: ReadonlyMap<Digest, Uint8Array>;
}

/** A graph whose root is one image, and how an index lists it. */
export interface Image extends Graph {
  readonly listed: Descriptor & { readonly platform: Platform };
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** A manifest of these fields; a text is taken as its bytes. */
export function manifestOf(fields: Readonly<Record<string, unknown>> | string, mediaType: string): Manifest {
  return parseManifest(utf8(typeof fields === 'string' ? fields : JSON.stringify(fields)), mediaType);
}

export function blobOf(content: Uint8Array, mediaType: string): Descriptor {
  return { mediaType, digest: digestOf(content), size: content.byteLength };
}

export interface ImageOptions {
  readonly layers?: readonly (string | Uint8Array)[];
  readonly docker?: boolean;
  /** More fields of the manifest. */
  readonly fields?: Readonly<Record<string, unknown>>;
  /** More fields of the config, or the whole of it as text. */
  readonly config?: Readonly<Record<string, unknown>> | string;
}

/** An image for a platform, with small layers. */
export function imageOf(platform: string, options: ImageOptions = {}): Image {
  const { layers = ['shared', `own ${platform}`], docker = false, fields = {} } = options;
  const parsed = parsePlatform(platform);
  const fieldsOfConfig = { ...parsed, rootfs: { type: 'layers' } };
  const config = utf8(
    typeof options.config === 'string'
      ? options.config
      : JSON.stringify({ ...fieldsOfConfig, ...options.config }),
  );
  const contents = layers.map((layer) => (typeof layer === 'string' ? utf8(layer) : layer));
  const mediaType = docker ? DOCKER_MANIFEST : OCI_MANIFEST;
  const root = manifestOf(
    {
      schemaVersion: 2,
      mediaType,
      config: blobOf(config, docker ? DOCKER_CONFIG : OCI_CONFIG),
      layers: contents.map((layer) => blobOf(layer, docker ? DOCKER_LAYER : OCI_LAYER)),
      ...fields,
    },
    mediaType,
  );
  return {
    root,
    manifests: new Map([[root.digest, root]]),
    blobs: new Map([config, ...contents].map((content) => [digestOf(content), content])),
    listed: { ...describe(root), platform: parsed },
  };
}

/** An attestation manifest, as BuildKit writes one beside the image that it speaks of. */
export function attestationOf(image: Image): Image {
  const { root, manifests, blobs } = imageOf('linux/amd64', {
    layers: [`{"predicate":"of ${image.root.digest}"}`],
    config: { os: 'unknown', architecture: 'unknown' },
  });
  const listed = {
    ...describe(root),
    platform: { os: 'unknown', architecture: 'unknown' },
    annotations: {
      'vnd.docker.reference.type': 'attestation-manifest',
      [ATTESTED_DIGEST]: image.root.digest,
    },
  };
  return { root, manifests, blobs, listed };
}

/** A SOCI index, as `soci convert` lists one under the platform of the image that it speaks of. */
export function sociOf(image: Image): Image {
  const artifactType = 'application/vnd.amazon.soci.index.v2+json';
  const { root, manifests, blobs } = imageOf('linux/amd64', {
    layers: [`ztoc of ${image.root.digest}`],
    config: {},
    fields: { artifactType },
  });
  const listed = {
    ...describe(root),
    artifactType,
    platform: image.listed.platform,
    annotations: { 'com.amazon.soci.image-manifest-digest': image.root.digest },
  };
  return { root, manifests, blobs, listed };
}

/** An index of these images, written by hand. */
export function indexOf(images: readonly Image[], fields: Readonly<Record<string, unknown>> = {}): Graph {
  const docker = images.some(({ root }) => root.mediaType === DOCKER_MANIFEST);
  const mediaType = docker ? DOCKER_LIST : OCI_INDEX;
  const root = manifestOf(
    { schemaVersion: 2, mediaType, manifests: images.map(({ listed }) => listed), ...fields },
    mediaType,
  );
  return {
    root,
    manifests: new Map([[root.digest, root], ...images.flatMap(({ manifests }) => [...manifests])]),
    blobs: new Map(images.flatMap(({ blobs }) => [...blobs])),
  };
}
