/**
 * How the emulator behaves where ECR can be set, is not the same everywhere, or is not known for sure. The
 * defaults are ECR's, and the stricter of two where it is not known which of them ECR does.
 */
export interface Behaviour {
  /** How long an authorization token is good, in seconds. */
  readonly tokenLifetime: number;
  /** How BatchCheckLayerAvailability tells of a layer that is not there: both forms have been seen. */
  readonly absentLayers: 'layers' | 'failures';
  /** What a push over /v2/ gets that puts the same digest under a taken immutable tag again. */
  readonly sameDigestUnderImmutableTag: 'refused' | 'accepted';
  /** Whether the refusal of a taken tag says that the repository or, as of late, that the tag is immutable. */
  readonly immutableWords: 'repository' | 'tag';
  /** The registry's setting BLOB_MOUNTING: whether blobs can be mounted from another repository. */
  readonly blobMounting: boolean;
  /** Whether a push over /v2/ to a missing repository creates it, as a creation template makes ECR do. */
  readonly createOnPush: boolean;
  /** Whether a manifest without a mediaType of its own is refused even when the request's Content-Type names it. */
  readonly requireMediaType: boolean;
  /** Whether a manifest read by tag is converted to the other family when `Accept` names only that one. */
  readonly convertByAccept: boolean;
  /** Whether GET of a blob redirects to a presigned address on another origin. */
  readonly redirectBlobs: boolean;
  /** How long after its upload a layer is seen, in milliseconds. */
  readonly layerDelay: number;
  /** The least that every part of a layer but its last one has, in bytes. */
  readonly minimumPart: number;
  /** The most that a layer has, in bytes. */
  readonly maximumLayer: number;
  /** The most tags that one image has. */
  readonly maximumTags: number;
}

export const ECR_BEHAVIOUR: Behaviour = {
  tokenLifetime: 12 * 60 * 60,
  absentLayers: 'layers',
  sameDigestUnderImmutableTag: 'refused',
  immutableWords: 'tag',
  blobMounting: false,
  createOnPush: false,
  requireMediaType: false,
  convertByAccept: true,
  redirectBlobs: true,
  layerDelay: 0,
  minimumPart: 5 * 1024 * 1024,
  maximumLayer: 52_000 * 1024 * 1024,
  maximumTags: 1_000,
};

/** The length of ECR's own parts of a layer, in bytes: what it proposes, and where an upload's Range sticks. */
export const PART_SIZE = 10 * 1024 * 1024;
