import type { Behaviour } from '../../emulator/behaviour.ts';

/** What of the emulator's behaviour is no more than a number of how much, how long or how many. */
export const LIMITS = [
  'tokenLifetime',
  'minimumPart',
  'maximumLayer',
  'maximumTags',
  'maxTagPage',
  'defaultTagPage',
  'referrersPage',
  'quotas',
] as const satisfies readonly (keyof Behaviour)[];

/** What of the behaviour can be one way or another. */
export type Switch = Exclude<keyof Behaviour, (typeof LIMITS)[number]>;

/** How long whatever is late is late, in milliseconds: longer than the client takes to ask for it. */
export const LATE = 150;

/** Both ways of every switch, ECR's own one as the emulator has it first. */
export const SWITCHES: { readonly [S in Switch]: readonly [Behaviour[S], Behaviour[S]] } = {
  absentLayers: ['layers', 'failures'],
  sameDigestUnderImmutableTag: ['refused', 'accepted'],
  sameDigestInApi: ['ImageTagAlreadyExists', 'ImageAlreadyExists'],
  immutableWords: ['tag', 'repository'],
  blobMounting: [false, true],
  mountNeedsManifest: [true, false],
  createOnPush: [false, true],
  requireMediaType: [false, true],
  manifestFields: ['known', 'any'],
  nestedIndexes: ['refused', 'accepted'],
  emptyBlobs: ['refused', 'accepted'],
  checkSizes: [false, true],
  convertByAccept: [true, false],
  redirectBlobs: [true, false],
  forwardedAuthorization: ['refused', 'ignored'],
  layerDelay: [0, LATE],
  raceShowsLayer: [false, true],
  manifestDelay: [0, LATE],
  describeDelay: [0, LATE],
  describesSame: ['once', 'each'],
  missingLayer: ['BLOB_UPLOAD_UNKNOWN', 'MANIFEST_BLOB_UNKNOWN'],
  missingChild: [404, 400],
  uploads: ['ecr', 'by the book'],
  uploadStatus: [false, true],
  absoluteLocation: [true, false],
  digestOnGet: [false, true],
  opaqueTagCursor: [true, false],
  missingSubject: ['accepted', 'refused'],
  expiredToken: [403, 401],
  foreignToken: [400, 401],
  notAuthorized: ['text', 'json'],
  addresses: ['emulator', 'aws'],
  quotaWindow: ['bucket', 'second'],
  retryAfter: [undefined, 1],
  unreadableMount: ['refused', 'upload'],
  createOnPushNeedsPermission: [true, false],
};
