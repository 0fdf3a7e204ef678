/** The manifest and index media types that ECR stores, in both families. */
export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
export const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';

const IMAGE_TYPES: ReadonlySet<string> = new Set([OCI_MANIFEST, DOCKER_MANIFEST]);
const INDEX_TYPES: ReadonlySet<string> = new Set([OCI_INDEX, DOCKER_LIST]);

/**
 * Every manifest type, for the `Accept` header of each read: a registry may convert a manifest whose stored
 * type is not accepted, and a converted manifest has another digest.
 */
export const MANIFEST_TYPES: readonly string[] = [OCI_INDEX, DOCKER_LIST, OCI_MANIFEST, DOCKER_MANIFEST];

/** Whether this is the media type of an image manifest, OCI or Docker. */
function isImageType(mediaType: string): boolean {
  return IMAGE_TYPES.has(mediaType);
}

/** Whether this is the media type of an OCI index or a Docker manifest list. */
export function isIndexType(mediaType: string): boolean {
  return INDEX_TYPES.has(mediaType);
}

/** Whether content of this media type is a manifest or an index rather than a blob. */
export function isManifestType(mediaType: string): boolean {
  return isImageType(mediaType) || isIndexType(mediaType);
}

/** Whether this media type belongs to Docker's family rather than OCI's. */
export function isDockerType(mediaType: string): boolean {
  return mediaType.startsWith('application/vnd.docker.');
}

/**
 * Whether a layer of this type is kept by its publisher and never pushed (Windows base layers, and what OCI
 * calls non-distributable): a registry accepts manifests that name such layers without holding them.
 */
export function isForeignLayer(mediaType: string): boolean {
  return mediaType.includes('.foreign.') || mediaType.includes('.nondistributable.');
}
