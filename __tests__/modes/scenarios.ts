import * as z from 'zod/mini';
import type { Emulator, EmulatorOptions } from '../../emulator/emulator.ts';
import { startOidcService } from '../../emulator/github/oidcService.ts';
import type { Policy } from '../../emulator/iam/policy.ts';
import { createApis } from '../../src/ecr/apis.ts';
import type { Purpose, Resource } from '../../src/ecr/permissions.ts';
import type { RepositorySettings } from '../../src/ecr/repositorySettings.ts';
import { describe as descriptorOf } from '../../src/image/manifest.ts';
import { parseReference } from '../../src/image/reference.ts';
import { placesIn } from '../../src/inputs/destinations.ts';
import type { Target } from '../../src/inputs/target.ts';
import { runBuild } from '../../src/modes/build.ts';
import { runMirror } from '../../src/modes/mirror.ts';
import type { Outcome, RunContext } from '../../src/modes/services.ts';
import { runStitch } from '../../src/modes/stitch.ts';
import type { Destination } from '../../src/release/content.ts';
import { Replica } from '../../src/release/replicate.ts';
import { APIS, openEmulated, REPOSITORY } from '../support/emulated.ts';
import { atEnd } from '../support/ends.ts';
import { setEnvironment } from '../support/environment.ts';
import { attestationOf, type Graph, type Image, imageOf, indexOf } from '../support/images.ts';
import { SILENT, sourceOf } from '../support/memory.ts';
import { serveGraph } from '../support/registry.ts';
import { buildInputs, servicesWith } from '../support/services.ts';
import { buildxOf } from './buildx.ts';

export const ACCOUNT = '123456789012';
export const REGIONS = ['us-east-1', 'eu-west-1'];
const SOURCE = 'team/base';
const ALIAS = 'acme';

/** The ARNs of the policies, which are good in every region. */
export const ARNS: Readonly<Record<Exclude<Resource, 'all'>, string>> = {
  repository: `arn:aws:ecr:*:${ACCOUNT}:repository/${REPOSITORY}`,
  source: `arn:aws:ecr:*:${ACCOUNT}:repository/${SOURCE}`,
  public: `arn:aws:ecr-public::${ACCOUNT}:repository/${REPOSITORY}`,
  key: `arn:aws:kms:*:${ACCOUNT}:key/*`,
  role: `arn:aws:iam::${ACCOUNT}:role/publish`,
};

/** One way to use the action, for real, against the emulator. */
export interface Scenario {
  readonly purposes: readonly Purpose[];
  readonly options?: Partial<EmulatorOptions>;
  /** What is required for its purposes, but that this way has no use for; another one has. */
  readonly unused?: readonly string[];
  /** What it uses of that which is not required. */
  readonly uses?: readonly string[];
  /** Does as an administrator what earlier jobs have done, and gives what is to be looked at. */
  prepare(emulator: Emulator): Promise<() => Promise<Outcome>>;
}

const image = imageOf('linux/arm64');
const built = indexOf([image, attestationOf(image)]);

function targetOf({ endpoint }: Emulator, more: Partial<Target> = {}): Target {
  const endpoints = { fips: false, dualStack: false };
  return {
    repository: REPOSITORY,
    places: placesIn(REGIONS, { repository: REPOSITORY, account: ACCOUNT, endpoints }),
    registryEndpoint: registryAt(endpoint),
    createRepository: false,
    settings: undefined,
    push: true,
    ifTagExists: 'fail',
    mountFrom: [],
    onRegionFailure: 'abort',
    regionTimeout: undefined,
    ...more,
  };
}

function registryAt(endpoint: string): string {
  return `http://{account}.dkr.ecr.{region}.localhost:${new URL(endpoint).port}`;
}

function buildOf(
  target: Target,
  {
    quiet = false,
    apis = APIS,
    run = {},
  }: { quiet?: boolean; apis?: typeof APIS; run?: Partial<RunContext> } = {},
): () => Promise<Outcome> {
  return async () =>
    runBuild(buildInputs('linux/arm64', { target }), {
      ...(await servicesWith({ docker: buildxOf(built, { quiet }).docker, run })),
      ...apis,
    });
}

/** A build for Amazon ECR Public, to which the SDK is led. */
function publicBuildOf(emulator: Emulator, more: Partial<Target> = {}): () => Promise<Outcome> {
  const publicEndpoint = emulator.publicUrl;
  const places = [{ kind: 'public', repository: `${ALIAS}/${REPOSITORY}`, role: undefined } as const];
  setEnvironment({ AWS_ENDPOINT_URL_ECR_PUBLIC: publicEndpoint });
  return buildOf(targetOf(emulator, { places, ...more }), { run: { publicEndpoint } });
}

/** Puts images where a job finds them. */
async function land(
  images: readonly Graph[],
  regions = REGIONS,
  repository: string = REPOSITORY,
): Promise<readonly Destination[]> {
  const endpoints = { fips: false, dualStack: false };
  const places = placesIn(regions, { repository, account: ACCOUNT, endpoints });
  const destinations = await openEmulated({ places });
  for (const destination of destinations) {
    for (const each of images) {
      const replica = new Replica(destination, sourceOf(each), { uploads: 4, observer: SILENT });
      await replica.copy(descriptorOf(each.root));
    }
  }
  return destinations;
}

function stitchOf(target: Target, images: readonly Image[] = [image]): () => Promise<Outcome> {
  const left = images.map((each) => ({
    schema: 'ecr-multiarch/leg/v1' as const,
    repository: REPOSITORY,
    runId: '7',
    runAttempt: 1,
    job: 'build',
    builder: 'default',
    root: each.root.digest,
    images: [{ descriptor: each.listed, bytes: 10 }],
    attestations: [],
    destinations: [],
  }));
  return async () =>
    runStitch(
      {
        mode: 'stitch',
        target,
        platforms: [],
        tags: ['v1'],
        legs: { by: 'artifact' },
        platformTags: undefined,
        annotations: {},
      },
      await servicesWith({ left }),
    );
}

function mirrorOf(target: Target, source: string, referrers = false): () => Promise<Outcome> {
  return async () =>
    runMirror(
      { mode: 'mirror', target, platforms: [], tags: ['v1'], source: parseReference(source), referrers },
      await servicesWith(),
    );
}

/**
 * What AWS's documentation lists, and the emulator does not ask for: keys are no business of it, and nobody needs a
 * permission to look at what is public.
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/encryption-at-rest.html and
 * https://docs.aws.amazon.com/AmazonECR/latest/public/public-repository-policy-examples.html
 */
export const DOCUMENTED_ALONE = [
  'ecr-public:BatchCheckLayerAvailability on public',
  ...['kms:CreateGrant on key', 'kms:RetireGrant on key', 'kms:DescribeKey on key'],
];

/** Settings with which a repository is created, each of which needs a permission of its own. */
const SETTINGS: RepositorySettings = {
  encryption: { type: 'KMS', kmsKey: 'alias/images' },
  lifecyclePolicy: JSON.stringify({
    rules: [
      {
        rulePriority: 1,
        selection: { tagStatus: 'untagged', countType: 'imageCountMoreThan', countNumber: 9 },
        action: { type: 'expire' },
      },
    ],
  }),
  repositoryPolicy: JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { AWS: 'arn:aws:iam::210987654321:root' },
        Action: ['ecr:BatchGetImage'],
      },
    ],
  }),
  tags: new Map([['team', 'web']]),
};
const SETTING = ['tags', 'lifecycle-policy', 'repository-policy', 'encryption'] as const;

const PUBLIC = { public: { aliases: { [ACCOUNT]: ALIAS } } };
const NO_REPOSITORY = { repositories: [] };
/** What the builder sends need not be read back. */
const NOTHING_READ = ['ecr:GetDownloadUrlForLayer on repository'];
const UPLOADING = [
  ...['ecr:BatchCheckLayerAvailability', 'ecr:InitiateLayerUpload', 'ecr:UploadLayerPart'],
  'ecr:CompleteLayerUpload',
].map((action) => `${action} on repository`);

/** What people do with the action. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'a first build': {
    purposes: ['push'],
    unused: NOTHING_READ,
    prepare: async (emulator) => buildOf(targetOf(emulator)),
  },
  'a build of what every region has': {
    purposes: ['push'],
    unused: [...UPLOADING, 'ecr:PutImage on repository'],
    async prepare(emulator) {
      await buildOf(targetOf(emulator))();
      return buildOf(targetOf(emulator), { quiet: true });
    },
  },
  'a build that creates the repository': {
    purposes: ['push', 'create'],
    unused: NOTHING_READ,
    options: NO_REPOSITORY,
    prepare: async (emulator) => buildOf(targetOf(emulator, { createRepository: true })),
  },
  'a build for a repository that is set up otherwise': {
    purposes: ['push', 'create', ...SETTING],
    unused: [
      ...NOTHING_READ,
      ...DOCUMENTED_ALONE,
      ...['ecr:CreateRepository', 'ecr:TagResource', 'ecr:PutLifecyclePolicy', 'ecr:SetRepositoryPolicy'].map(
        (action) => `${action} on repository`,
      ),
    ],
    uses: ['ecr:ListTagsForResource', 'ecr:GetLifecyclePolicy', 'ecr:GetRepositoryPolicy'].map(
      (action) => `${action} on repository`,
    ),
    prepare: async (emulator) => buildOf(targetOf(emulator, { createRepository: true, settings: SETTINGS })),
  },
  'a build that creates the repository with settings': {
    purposes: ['push', 'create', ...SETTING],
    options: NO_REPOSITORY,
    unused: [...NOTHING_READ, ...DOCUMENTED_ALONE],
    prepare: async (emulator) => buildOf(targetOf(emulator, { createRepository: true, settings: SETTINGS })),
  },
  'a build whose layers are mounted': {
    purposes: ['push', 'mount'],
    unused: [...NOTHING_READ, 'ecr:UploadLayerPart on repository', 'ecr:CompleteLayerUpload on repository'],
    uses: [
      'ecr:GetAccountSetting on all',
      'ecr:BatchCheckLayerAvailability on source',
      'ecr:GetDownloadUrlForLayer on source',
    ],
    options: { repositories: [REPOSITORY, SOURCE], behaviour: { blobMounting: true } },
    async prepare(emulator) {
      await land([built], REGIONS, SOURCE);
      return buildOf(targetOf(emulator, { mountFrom: [SOURCE] }));
    },
  },
  'a build for a repository that is created by it': {
    purposes: ['push', 'create-on-push'],
    unused: NOTHING_READ,
    options: { ...NO_REPOSITORY, behaviour: { createOnPush: true } },
    prepare: async (emulator) => buildOf(targetOf(emulator)),
  },
  'a build in Amazon ECR Public': {
    purposes: ['public'],
    options: PUBLIC,
    unused: DOCUMENTED_ALONE,
    async prepare(emulator) {
      const build = publicBuildOf(emulator);
      await APIS.createPublicApi(undefined).createRepository(REPOSITORY);
      return build;
    },
  },
  'a build that creates the repository in Amazon ECR Public': {
    purposes: ['public', 'public-create'],
    options: PUBLIC,
    unused: DOCUMENTED_ALONE,
    prepare: async (emulator) => publicBuildOf(emulator, { createRepository: true }),
  },
  'a stitch': {
    purposes: ['stitch'],
    uses: ['ecr:DescribeImages on repository'],
    async prepare(emulator) {
      await land([image]);
      return stitchOf(targetOf(emulator));
    },
  },
  'a mirror of a public image': {
    purposes: ['mirror'],
    uses: ['ecr:DescribeImages on repository'],
    async prepare(emulator) {
      const { repository } = await serveGraph(built, '1');
      return mirrorOf(targetOf(emulator), `${repository}:1`);
    },
  },
  'a mirror of a private image': {
    purposes: ['mirror', 'source', 'mount'],
    uses: ['ecr:GetAccountSetting on all'],
    options: { repositories: [REPOSITORY, SOURCE] },
    async prepare(emulator) {
      const [source] = await land([built], ['us-east-1'], SOURCE);
      await source?.writeManifest('1', built.root);
      return mirrorOf(targetOf(emulator), `${ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/${SOURCE}:1`);
    },
  },
  'a mirror of a private image and of what refers to it': {
    purposes: ['mirror', 'source', 'mount'],
    uses: ['ecr:GetAccountSetting on all'],
    options: { repositories: [REPOSITORY, SOURCE] },
    async prepare(emulator) {
      const signature = imageOf('linux/arm64', { fields: { subject: descriptorOf(built.root) } });
      const [source] = await land([built, signature], ['us-east-1'], SOURCE);
      await source?.writeManifest('1', built.root);
      return mirrorOf(targetOf(emulator), `${ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/${SOURCE}:1`, true);
    },
  },
};

/** Ways in which more is done than has to be. */
export const RICHER: Readonly<Record<string, Scenario>> = {
  'a stitch that heals a region': {
    purposes: ['stitch'],
    uses: [...UPLOADING, 'ecr:GetDownloadUrlForLayer on repository'],
    async prepare(emulator) {
      await land([image], ['us-east-1']);
      return stitchOf(targetOf(emulator));
    },
  },
  'a stitch that takes a tag back': {
    purposes: ['stitch'],
    uses: ['ecr:BatchDeleteImage on repository'],
    options: {
      fault: ({ region, method, path }) =>
        region === 'eu-west-1' && method === 'PUT' && path.endsWith('/manifests/v1')
          ? { status: 400, code: 'TAG_INVALID', message: 'taken' }
          : undefined,
    },
    async prepare(emulator) {
      await land([image]);
      return stitchOf(targetOf(emulator));
    },
  },
};

/** What GitHub's tokens are about that the role trusts. */
export const SUBJECT = 'repo:octo-org/octo-repo:environment:production';

/** A build whose role is assumed: with the credentials of a user, or with a token of GitHub's for this subject. */
export function buildInRole(policy: Policy, subject?: string): Scenario {
  return {
    purposes: [],
    options: {
      roles: {
        [ARNS.role]: {
          policy,
          trust: [{ principals: [ACCOUNT] }, { audience: 'sts.amazonaws.com', subject: SUBJECT }],
        },
      },
    },
    async prepare(emulator) {
      const oidcToken = subject === undefined ? undefined : await tokensFor(subject);
      if (oidcToken) setEnvironment({ AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined });
      const apis = createApis({
        role: { arn: ARNS.role },
        sessionName: 'test',
        duration: undefined,
        proxy: {},
        environment: process.env,
        audience: 'sts.amazonaws.com',
        oidcToken,
        userAgent: 'test',
        mask: () => undefined,
      });
      return buildOf(targetOf(emulator), { apis });
    },
  };
}

/** GitHub's tokens for a job, which it gives about this subject. */
async function tokensFor(subject: string): Promise<(audience: string) => Promise<string>> {
  const oidc = await startOidcService({ subject });
  atEnd(() => oidc.close());
  return async (audience) => {
    const headers = { authorization: `Bearer ${oidc.requestToken}` };
    const answer = await fetch(`${oidc.url}&audience=${audience}`, { headers });
    return z.parse(z.object({ value: z.string() }), await answer.json()).value;
  };
}
