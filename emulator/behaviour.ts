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
  /** What PutImage calls the same: a tag that is taken, or an image that is there. */
  readonly sameDigestInApi: 'ImageTagAlreadyExists' | 'ImageAlreadyExists';
  /** Whether the refusal of a taken tag says that the repository or, as of late, that the tag is immutable. */
  readonly immutableWords: 'repository' | 'tag';
  /** What the accounts' setting BLOB_MOUNTING is at first: whether blobs can be mounted from another repository. */
  readonly blobMounting: boolean;
  /** Whether a blob can be mounted only when a manifest in the repository that has it refers to it. */
  readonly mountNeedsManifest: boolean;
  /** Whether every registry has a creation template for all repositories at first, by which a push creates them. */
  readonly createOnPush: boolean;
  /** Whether a manifest without a mediaType of its own is refused even when the request's Content-Type names it. */
  readonly requireMediaType: boolean;
  /** Whether a manifest may have fields that ECR does not know, or does not expect where they are. */
  readonly manifestFields: 'known' | 'any';
  /** What becomes of an index among the children of an index. */
  readonly nestedIndexes: 'refused' | 'accepted';
  /** What becomes of a layer or a config without any bytes, as it is uploaded and as a manifest names it. */
  readonly emptyBlobs: 'refused' | 'accepted';
  /** Whether a manifest is refused that tells other sizes than its layers and config have. */
  readonly checkSizes: boolean;
  /** Whether a manifest read by tag is converted to the other family when `Accept` names only that one. */
  readonly convertByAccept: boolean;
  /** Whether GET of a blob redirects to a presigned address on another origin. */
  readonly redirectBlobs: boolean;
  /** What the storage does with an Authorization header beside a presigned address. */
  readonly forwardedAuthorization: 'refused' | 'ignored';
  /** How long after its upload a layer is seen, in milliseconds. */
  readonly layerDelay: number;
  /** Whether a layer shows itself before that, but to a manifest that is pushed. */
  readonly raceShowsLayer: boolean;
  /** How long after its push an image is not seen as the child of an index, in milliseconds. */
  readonly manifestDelay: number;
  /** How long DescribeImages goes on telling what a tag showed before it was written, in milliseconds. */
  readonly describeDelay: number;
  /** How often DescribeImages tells of an image that it is asked for by several tags. */
  readonly describesSame: 'once' | 'each';
  /** The code on /v2/ of a manifest whose layer is not there: the one with the status 404, the other with 400. */
  readonly missingLayer: 'BLOB_UPLOAD_UNKNOWN' | 'MANIFEST_BLOB_UNKNOWN';
  /** The status on /v2/ of an index whose child is not there. */
  readonly missingChild: 404 | 400;
  /** The least that every part of a layer but its last one has, in bytes. */
  readonly minimumPart: number;
  /** The most that a layer has, in bytes. */
  readonly maximumLayer: number;
  /** The most tags that one image has. */
  readonly maximumTags: number;
  /** How PATCH of an upload is answered: with 201 and a Range that sticks at the first part, or with 202 and a true one. */
  readonly uploads: 'ecr' | 'by the book';
  /** Whether GET of an upload tells how far it is; otherwise it is answered with 404. */
  readonly uploadStatus: boolean;
  /** Whether the Location of an upload names the host too. */
  readonly absoluteLocation: boolean;
  /** Whether GET of a manifest carries Docker-Content-Digest, as HEAD does. */
  readonly digestOnGet: boolean;
  /** The most names that a page of tags/list has; who asks for more is refused. */
  readonly maxTagPage: number;
  /** How many names a page of tags/list has that does not ask for a number. */
  readonly defaultTagPage: number;
  /** How many manifests a page of referrers has. */
  readonly referrersPage: number;
  /** What becomes of a manifest whose subject is not there. */
  readonly missingSubject: 'accepted' | 'refused';
  /** Whether tags/list goes on only by its Link, the cursor in it being ECR's own. */
  readonly opaqueTagCursor: boolean;
  /** The status of an expired token on /v2/: 403 with the code DENIED, or 401 with a challenge. */
  readonly expiredToken: 403 | 401;
  /** The status of another region's token on /v2/: 400 with the code DENIED, or 401 with a challenge. */
  readonly foreignToken: 400 | 401;
  /** What the body of a 401 on /v2/ is: bare text, or an error as the specification words it. */
  readonly notAuthorized: 'text' | 'json';
  /** What proxyEndpoint and repositoryUri say: where the emulator can be reached, or where the registry is at AWS. */
  readonly addresses: 'emulator' | 'aws';
  /** How many requests a second there may be for an operation, of an account in a region; without it, any number. */
  readonly quotas: Readonly<Record<string, number>>;
  /** How they are counted: in a bucket that holds a second's and is refilled all the time, or second by second. */
  readonly quotaWindow: 'bucket' | 'second';
  /** What a throttled request is told by Retry-After, in seconds. */
  readonly retryAfter: number | undefined;
  /** What a push gets that would mount a blob from a repository that it may not read: a refusal, or an upload. */
  readonly unreadableMount: 'refused' | 'upload';
  /** Whether who pushes to a missing repository that is then created has to be allowed to create it. */
  readonly createOnPushNeedsPermission: boolean;
}

/** https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html */
const ECR_QUOTAS: Behaviour['quotas'] = {
  GetAuthorizationToken: 500,
  BatchCheckLayerAvailability: 1_000,
  InitiateLayerUpload: 100,
  UploadLayerPart: 500,
  CompleteLayerUpload: 100,
  PutImage: 10,
  BatchGetImage: 2_000,
  GetDownloadUrlForLayer: 3_000,
};

export const ECR_BEHAVIOUR: Behaviour = {
  tokenLifetime: 12 * 60 * 60,
  absentLayers: 'layers',
  sameDigestUnderImmutableTag: 'refused',
  sameDigestInApi: 'ImageTagAlreadyExists',
  immutableWords: 'tag',
  blobMounting: false,
  mountNeedsManifest: true,
  createOnPush: false,
  requireMediaType: false,
  manifestFields: 'known',
  nestedIndexes: 'refused',
  emptyBlobs: 'refused',
  checkSizes: false,
  convertByAccept: true,
  redirectBlobs: true,
  forwardedAuthorization: 'refused',
  layerDelay: 0,
  raceShowsLayer: false,
  manifestDelay: 0,
  describeDelay: 0,
  describesSame: 'once',
  missingLayer: 'BLOB_UPLOAD_UNKNOWN',
  missingChild: 404,
  minimumPart: 5 * 1024 * 1024,
  maximumLayer: 52_000 * 1024 * 1024,
  maximumTags: 1_000,
  uploads: 'ecr',
  uploadStatus: false,
  absoluteLocation: true,
  digestOnGet: false,
  maxTagPage: 1_000,
  defaultTagPage: 100,
  opaqueTagCursor: true,
  referrersPage: 50,
  missingSubject: 'accepted',
  expiredToken: 403,
  foreignToken: 400,
  notAuthorized: 'text',
  addresses: 'emulator',
  quotas: ECR_QUOTAS,
  quotaWindow: 'bucket',
  retryAfter: undefined,
  unreadableMount: 'refused',
  createOnPushNeedsPermission: true,
};

/** The length of ECR's own parts of a layer, in bytes: what it proposes, and where an upload's Range sticks. */
export const PART_SIZE = 10 * 1024 * 1024;
