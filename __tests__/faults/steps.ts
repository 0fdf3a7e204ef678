import type { RequestFacts } from '../../emulator/traffic.ts';
import type { Digest } from '../../src/image/digest.ts';
import { CHILDREN, LATE, OLD, OTHER, PUBLIC, SOURCE, TAG, TAGS_BESIDE, THIRD, UPSTREAM } from './release.ts';
import type { ScenarioName } from './scenarios.ts';

/** What came from a region before a request. */
export interface Seen {
  /** How often the tag was written there. */
  readonly tagWrites: number;
  /** How often the tag was read there since it was written last. */
  readonly readsSince: number;
  /** Whether the tag was taken away. */
  readonly deleted: boolean;
  /** How often STS was asked. */
  readonly assumed: number;
}

/** One request of the protocol: what a fault strikes. */
export interface Step {
  readonly title: string;
  /** The work in which it comes. */
  readonly scenario: ScenarioName;
  /** Where it is struck. */
  readonly region: string;
  matches(request: RequestFacts, seen: Seen): boolean;
  /** Where its worst moment is later than it comes: whether that is now. */
  isWorst?(shown: (region: string) => Digest | undefined): boolean;
}

const isApi = (operation: string) => (request: RequestFacts) => request.operation === operation;

const isV2 =
  (method: string, path: RegExp) =>
  (request: RequestFacts): boolean =>
    request.method === method && path.test(request.path);

const blobHead = isV2('HEAD', /\/blobs\/sha256:/);
const manifestHead = isV2('HEAD', /\/manifests\/sha256:/);
const manifestGet = isV2('GET', /\/manifests\/sha256:/);
const uploadPost = isV2('POST', /\/blobs\/uploads\/$/);
const mountPost = isV2('POST', /\/blobs\/uploads\/\?.*\bmount=/);
const uploadPut = isV2('PUT', /\/blobs\/uploads\//);
const manifestPut = isV2('PUT', /\/manifests\/sha256:/);
const tagGet = isV2('GET', new RegExp(`/manifests/${TAG}$`));
const tagPut = isV2('PUT', new RegExp(`/manifests/${TAG}$`));
const blobGet = isV2('GET', /\/blobs\/sha256:/);
const storageGet = isV2('GET', /^\/_s3\//);

const tagPutBeside = isV2('PUT', new RegExp(`/manifests/${TAGS_BESIDE[0]}$`));
const bearerGet = isV2('GET', /^\/token\//);

/** The operation of a call to STS stands in its body. */
const isSts = ({ method, path, operation }: RequestFacts) =>
  method === 'POST' && path === '/' && operation === undefined;

const isImage = ({ path }: RequestFacts) => CHILDREN.some((digest) => path.endsWith(digest));

/** Every step of the protocol, in the order in which they come. */
export const STEPS = {
  token: { title: 'the token', scenario: 'mirror', region: LATE, matches: isApi('GetAuthorizationToken') },
  look: {
    title: 'whether the repository is there',
    scenario: 'mirror',
    region: LATE,
    matches: isApi('DescribeRepositories'),
  },
  create: {
    title: 'creating the repository',
    scenario: 'create',
    region: LATE,
    matches: isApi('CreateRepository'),
  },
  'source token': {
    title: "the source's token",
    scenario: 'mirror',
    region: SOURCE,
    matches: isApi('GetAuthorizationToken'),
  },
  'source tag': {
    title: "GET of the source's tag",
    scenario: 'mirror',
    region: SOURCE,
    matches: isV2('GET', new RegExp(`^/v2/${UPSTREAM}/manifests/${TAG}$`)),
  },
  'source referrers': {
    title: "GET of what refers to the source's image",
    scenario: 'with referrers',
    region: SOURCE,
    matches: isV2('GET', /\/referrers\/sha256:/),
  },
  'source image': {
    title: "GET of the source's manifest",
    scenario: 'mirror',
    region: SOURCE,
    matches: manifestGet,
  },
  'source blob': { title: "GET of the source's blob", scenario: 'mirror', region: SOURCE, matches: blobGet },
  'source storage': {
    title: "GET of the source's blob from the storage",
    scenario: 'mirror',
    region: SOURCE,
    matches: storageGet,
  },
  'region image': {
    title: 'GET of a manifest that another region lacks',
    scenario: 'stitch',
    region: OTHER,
    matches: manifestGet,
  },
  'region blob': {
    title: 'GET of a blob that another region lacks',
    scenario: 'stitch',
    region: THIRD,
    matches: blobGet,
  },
  'region storage': {
    title: 'the same from the storage',
    scenario: 'stitch',
    region: THIRD,
    matches: storageGet,
  },
  layers: {
    title: 'BatchCheckLayerAvailability',
    scenario: 'mirror',
    region: LATE,
    matches: isApi('BatchCheckLayerAvailability'),
  },
  'HEAD image': { title: 'HEAD of a manifest', scenario: 'mirror', region: LATE, matches: manifestHead },
  'HEAD blob': {
    title: 'HEAD of a blob, where the API does not answer',
    scenario: 'without the API',
    region: LATE,
    matches: blobHead,
  },
  mount: { title: 'POST that mounts a blob', scenario: 'mount', region: LATE, matches: mountPost },
  'POST upload': { title: 'POST of an upload', scenario: 'mirror', region: LATE, matches: uploadPost },
  'PUT upload': { title: 'PUT of an upload', scenario: 'mirror', region: LATE, matches: uploadPut },
  'PUT image': {
    title: 'PUT of an image by its digest',
    scenario: 'build',
    region: LATE,
    matches: (request) => manifestPut(request) && isImage(request),
  },
  'PUT index': {
    title: 'PUT of the index by its digest',
    scenario: 'build',
    region: LATE,
    matches: (request, { deleted }) => manifestPut(request) && !isImage(request) && !deleted,
  },
  'tag before': {
    title: 'GET of the tag before',
    scenario: 'build',
    region: LATE,
    matches: (request, { tagWrites }) => tagGet(request) && tagWrites === 0,
  },
  'tag write': {
    title: 'PUT of the tag',
    scenario: 'build',
    region: LATE,
    matches: tagPut,
    // When another region shows the release already.
    isWorst: (shown) => shown(OTHER) !== OLD.root.digest,
  },
  'read back': {
    title: 'GET of the tag that was written',
    scenario: 'build',
    region: LATE,
    matches: (request, { tagWrites }) => tagGet(request) && tagWrites > 0,
  },
  describe: {
    title: 'what ECR lists under the tag',
    scenario: 'build',
    region: LATE,
    matches: isApi('DescribeImages'),
  },
  'undo look': {
    title: 'GET of the tag that is to be put back',
    scenario: 'put back',
    region: LATE,
    matches: (request, { tagWrites }) => tagGet(request) && tagWrites > 0,
  },
  'undo write': {
    title: 'PUT of the tag that is put back',
    scenario: 'put back',
    region: LATE,
    matches: (request, { readsSince, tagWrites }) =>
      tagPut(request) && (readsSince > 0 ? tagWrites > 0 : tagWrites > 1),
  },
  'undo delete': {
    title: 'DeleteTag of a tag that was free',
    scenario: 'take away',
    region: LATE,
    matches: isApi('BatchDeleteImage'),
  },
  'undo keep': {
    title: 'PUT of the index that went with its tag',
    scenario: 'take away',
    region: LATE,
    matches: (request, { deleted }) => manifestPut(request) && !isImage(request) && deleted,
  },
  'web role': {
    title: "AssumeRoleWithWebIdentity, with GitHub's token",
    scenario: 'with a role',
    region: OTHER,
    matches: isSts,
  },
  role: {
    title: 'AssumeRole, from another role',
    scenario: 'with roles',
    region: OTHER,
    matches: (request, { assumed }) => isSts(request) && assumed > 0,
  },
  'public token': {
    title: "ECR Public's token",
    scenario: 'public',
    region: PUBLIC,
    matches: isApi('GetAuthorizationToken'),
  },
  'bearer token': {
    title: 'the token that a registry asks for',
    scenario: 'public',
    region: PUBLIC,
    matches: bearerGet,
  },
  'public tag': {
    title: 'PUT of the tag in ECR Public',
    scenario: 'public',
    region: PUBLIC,
    matches: tagPut,
    isWorst: (shown) => shown(OTHER) !== OLD.root.digest,
  },
  'leg tag': {
    title: "GET of a leg's tag",
    scenario: 'legs by tag',
    region: LATE,
    matches: isV2('GET', new RegExp(`/manifests/${TAGS_BESIDE[0]}$`)),
  },
  'leg digest': {
    title: 'HEAD of a leg by its digest',
    scenario: 'legs by digest',
    region: LATE,
    matches: manifestHead,
  },
  'leg image': {
    title: "GET of a leg's manifest",
    scenario: 'legs by digest',
    region: OTHER,
    matches: manifestGet,
  },
  'leg config': {
    title: "GET of the config of a leg's image",
    scenario: 'legs by digest',
    region: OTHER,
    matches: blobGet,
  },
  'leg storage': {
    title: 'the same from the storage',
    scenario: 'legs by digest',
    region: OTHER,
    matches: storageGet,
  },
  'kept image': {
    title: 'GET of the image that a tag keeps, for a region that lacks it',
    scenario: 'keep',
    region: OTHER,
    matches: manifestGet,
  },
  'kept blob': {
    title: 'GET of its blob',
    scenario: 'keep',
    region: OTHER,
    matches: blobGet,
  },
  'kept write': {
    title: 'PUT of that image by its digest',
    scenario: 'keep',
    region: LATE,
    matches: isV2('PUT', new RegExp(`/manifests/${OLD.root.digest}$`)),
  },
  'tag beside': {
    title: 'PUT of the tag of a platform beside the release',
    scenario: 'with tags beside',
    region: LATE,
    matches: tagPutBeside,
    // When the release's own tag was written everywhere.
    isWorst: (shown) => [OTHER, LATE, THIRD].every((region) => shown(region) !== OLD.root.digest),
  },
} as const satisfies Record<string, Step>;

export type StepName = keyof typeof STEPS;

export function stepOf(name: StepName): Step {
  return STEPS[name];
}
