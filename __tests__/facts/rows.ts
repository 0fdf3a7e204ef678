import type { Switch } from './switches.ts';

/** Something that Amazon ECR does, in our own words. */
export interface Row {
  readonly says: string;
  /** `certain`: AWS says so; `likely`: others have seen it; `uncertain`: it may be otherwise. */
  readonly sure: 'certain' | 'likely' | 'uncertain';
  /** Where the emulator can be made to behave otherwise. */
  readonly switches?: readonly Switch[];
  /** Why no test of the client shows it. */
  readonly untested?: string;
}

/** What the client depends on, or has to put up with, by ids that the tests name. */
export const ROWS = {
  // Authentication and hosts
  '1': {
    says: 'GetAuthorizationToken gives base64 of "AWS:" and a password, which is good for 12 hours',
    sure: 'certain',
  },
  '1a': {
    says: 'the API is JSON 1.1 with targets of AmazonEC2ContainerRegistry_V20150921, signed for "ecr"',
    sure: 'certain',
  },
  '2': {
    says: '/v2/ takes the token as basic authentication, with no bearer token to fetch',
    sure: 'certain',
  },
  '2a': {
    says: 'a token that is missing or wrong gets 401, a challenge for basic authentication and bare text',
    sure: 'likely',
    switches: ['notAuthorized'],
  },
  '2b': {
    says: 'an expired token is refused as DENIED, with words that say so',
    sure: 'likely',
    switches: ['expiredToken'],
  },
  '3': { says: 'a token is refused in another region', sure: 'likely', switches: ['foreignToken'] },
  '3a': { says: 'a token has to be asked for in each region', sure: 'likely' },
  '4': {
    says: 'proxyEndpoint is the plain host, even for FIPS and dual stack',
    sure: 'likely',
    switches: ['addresses'],
  },
  '5': { says: 'registries have hosts of a known form in every partition', sure: 'certain' },
  '5a': { says: 'the API has hosts of a known form in every partition', sure: 'certain' },
  '6': { says: 'ECR Public is a service of its own, whose API is in us-east-1 alone', sure: 'certain' },
  '6a': {
    says: 'its token needs ecr-public:GetAuthorizationToken and sts:GetServiceBearerToken',
    sure: 'certain',
  },
  '6b': { says: 'its /v2/ sends one to fetch a bearer token', sure: 'certain', switches: ['notAuthorized'] },
  '6c': { says: 'everybody may pull from it', sure: 'certain' },

  // The distribution API
  '7': {
    says: 'blobs are mounted from another repository only where the account has that set for the region',
    sure: 'certain',
    switches: ['blobMounting'],
  },
  '7a': {
    says: 'blobs are mounted within a registry, between repositories encrypted alike',
    sure: 'certain',
  },
  '7b': {
    says: 'mounting needs ecr:GetDownloadUrlForLayer on the source',
    sure: 'certain',
    switches: ['unreadableMount'],
  },
  '7c': {
    says: 'a blob is mounted only if a manifest of the source refers to it; else an upload begins',
    sure: 'likely',
    switches: ['mountNeedsManifest'],
  },
  '8': {
    says: 'PATCH is answered with 201 and a Range that sticks, and the state of an upload with 404',
    sure: 'likely',
    switches: ['uploads', 'uploadStatus'],
  },
  '8a': { says: 'parts but the last have 5 MiB at least', sure: 'likely' },
  '8b': {
    says: 'POST and one PUT with a content-length work, to a Location that names the host',
    sure: 'likely',
    switches: ['absoluteLocation'],
  },
  '8c': {
    says: 'one PUT can have 15 GB',
    sure: 'likely',
    untested: 'it would take minutes; that a PUT is streamed and has its length is tested as 8b',
  },
  '9': { says: 'a layer has 52,000 MiB at the most', sure: 'certain' },
  '9a': { says: 'a manifest has 4 MiB at the most', sure: 'certain' },
  '9b': { says: 'a tag has 300 characters at the most', sure: 'certain' },
  '9c': { says: "a repository's name has 2 to 256 characters", sure: 'certain' },
  '9d': { says: 'an image has 1,000 tags at the most', sure: 'certain' },
  '9e': { says: 'an empty blob is refused', sure: 'likely', switches: ['emptyBlobs'] },
  '10': { says: 'GET of a blob is answered with 307 to S3', sure: 'likely', switches: ['redirectBlobs'] },
  '10a': {
    says: 'S3 refuses a presigned request that has an Authorization header too',
    sure: 'likely',
    switches: ['forwardedAuthorization'],
  },
  '11': {
    says: 'Docker-Content-Digest comes with HEAD of a manifest, but not with GET',
    sure: 'likely',
    switches: ['digestOnGet'],
  },
  '12': {
    says: 'tags/list has pages of 100, gives no more than 1,000, and goes on by a cursor of its own',
    sure: 'likely',
    switches: ['opaqueTagCursor'],
  },
  '13': { says: 'the referrers API of OCI 1.1 is there', sure: 'certain' },
  '13c': {
    says: 'a manifest is taken before its subject is there, as the specification has it',
    sure: 'uncertain',
    switches: ['missingSubject'],
  },
  '13a': { says: 'manifests of Docker and of OCI 1.0 and 1.1 are taken', sure: 'certain' },
  '13b': {
    says: 'a manifest is converted when it is pulled by tag and Accept lacks its type, by digest never',
    sure: 'certain',
    switches: ['convertByAccept'],
  },
  '14': {
    says: 'a manifest with fields that ECR does not expect is refused, such as platform.features',
    sure: 'likely',
    switches: ['manifestFields'],
  },
  '14a': { says: 'so is one without a mediaType', sure: 'likely', switches: ['requireMediaType'] },
  '14b': { says: 'so is an index in an index', sure: 'uncertain', switches: ['nestedIndexes'] },
  '14c': {
    says: "so is one that tells a blob's size wrongly",
    sure: 'uncertain',
    switches: ['checkSizes'],
  },
  '15': {
    says: 'a manifest right after its blobs may be told that they are missing, whether they show or not',
    sure: 'likely',
    switches: ['layerDelay', 'raceShowsLayer', 'missingLayer'],
  },
  '15a': {
    says: 'an index right after its images may be told that they are missing',
    sure: 'uncertain',
    switches: ['manifestDelay', 'missingChild'],
  },
  '16': { says: 'BatchCheckLayerAvailability takes 100 digests', sure: 'certain' },
  '16a': {
    says: 'it lists absent layers as UNAVAILABLE, or among the failures',
    sure: 'likely',
    switches: ['absentLayers'],
  },
  '16b': {
    says: "DescribeImages tells a tag's digest, media type and size, for an index that of its largest image",
    sure: 'certain',
    switches: ['describesSame'],
  },
  '16c': {
    says: 'right after a write it may tell what the tag showed before',
    sure: 'uncertain',
    switches: ['describeDelay'],
  },

  // Errors, as they appear on /v2/
  'e-repository': { says: 'a missing repository is 404 NAME_UNKNOWN', sure: 'certain' },
  'e-tag': {
    says: 'an immutable tag that is taken is 400 TAG_INVALID, in two wordings',
    sure: 'certain',
    switches: ['immutableWords'],
  },
  'e-child': {
    says: "an index's missing image is MANIFEST_BLOB_UNKNOWN",
    sure: 'certain',
    switches: ['missingChild'],
  },
  'e-layer': {
    says: 'a missing layer is 404 BLOB_UPLOAD_UNKNOWN',
    sure: 'certain',
    switches: ['missingLayer'],
  },
  'e-digest': { says: 'bytes of another digest are BLOB_UPLOAD_INVALID', sure: 'certain' },
  'e-parameter': { says: 'a bad parameter is 405 UNSUPPORTED', sure: 'certain' },
  'e-throttled': {
    says: 'what is too much is 429 TOOMANYREQUESTS',
    sure: 'certain',
    switches: ['retryAfter'],
  },
  '17': {
    says: 'an immutable tag refuses even the digest that it shows',
    sure: 'likely',
    switches: ['sameDigestUnderImmutableTag', 'sameDigestInApi'],
  },
  '17a': { says: 'images are pushed by digest, and the index alone gets tags', sure: 'certain' },
  '18': {
    says: 'tags are mutable or immutable, in both cases but for those that a filter names',
    sure: 'certain',
  },
  '19': {
    says: 'a push creates a missing repository only by a template for that',
    sure: 'certain',
    switches: ['createOnPush'],
  },
  '19a': { says: 'the template with the longest prefix decides', sure: 'certain' },
  '19b': {
    says: 'who pushes has to be allowed to create the repository',
    sure: 'uncertain',
    switches: ['createOnPushNeedsPermission'],
  },

  // Quotas, per account and region, per second
  'q-GetAuthorizationToken': { says: '500 GetAuthorizationToken, once 20', sure: 'certain' },
  'q-BatchCheckLayerAvailability': { says: '1,000 BatchCheckLayerAvailability', sure: 'certain' },
  'q-InitiateLayerUpload': { says: '100 InitiateLayerUpload', sure: 'certain' },
  'q-UploadLayerPart': { says: '500 UploadLayerPart', sure: 'certain' },
  'q-CompleteLayerUpload': { says: '100 CompleteLayerUpload', sure: 'certain' },
  'q-PutImage': { says: '10 PutImage', sure: 'certain', switches: ['quotaWindow'] },
  'q-BatchGetImage': { says: '2,000 BatchGetImage', sure: 'certain' },
  'q-GetDownloadUrlForLayer': { says: '3,000 GetDownloadUrlForLayer', sure: 'certain' },
  'q-shared': {
    says: 'all jobs of an account share them',
    sure: 'certain',
    switches: ['quotaWindow', 'retryAfter'],
  },

  // Repositories
  'r-create': {
    says: 'CreateRepository sets tags, mutability with filters, scanning and encryption',
    sure: 'certain',
  },
  'r-policies': {
    says: "lifecycle policy and the repository's own policy are separate calls",
    sure: 'certain',
  },
  'r-kept': {
    says: 'an image of an index is not removed before the index is',
    sure: 'certain',
  },

  // IAM
  'i-push': {
    says: 'a push needs six actions on the repository, and GetAuthorizationToken',
    sure: 'certain',
  },
  'i-index': { says: 'an index needs nothing more', sure: 'certain' },
  'i-pull': { says: 'a pull needs BatchGetImage and GetDownloadUrlForLayer', sure: 'certain' },
  'i-create': {
    says: 'creation needs CreateRepository, DescribeRepositories, and an action for each setting',
    sure: 'certain',
  },
  'i-oidc': {
    says: "GitHub's OIDC token is taken for a role that trusts its subject and audience",
    sure: 'certain',
  },

  // Replication, and who pulls
  'p-alone': {
    says: "ECR's own replication is late, copies no settings and does not chain",
    sure: 'certain',
  },
  'c-lambda': { says: 'AWS Lambda takes a single manifest and no index', sure: 'likely' },
  'c-platform': {
    says: 'ECS, Fargate and EKS take the child for their platform, and an empty architecture harms them',
    sure: 'likely',
  },
  'c-attestations': { says: 'attestations are images without a tag', sure: 'certain' },
} as const satisfies Readonly<Record<string, Row>>;

export type FactId = keyof typeof ROWS;
