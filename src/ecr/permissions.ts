/** What a job may be asked to do with ECR; policies are put together of them. */
export const PURPOSES = {
  push: '`build`',
  stitch: '`stitch`',
  mirror: '`mirror`',
  source: '`mirror` from a private repository of ECR, and base images from one (`base-registries`)',
  create: '`create-repository`',
  tags: '`tags`',
  'lifecycle-policy': '`lifecycle-policy`',
  'repository-policy': '`repository-policy`',
  encryption: '`encryption` with a key of your own',
  'create-on-push': 'a repository creation template',
  mount: '`mount-from`, and `mirror` from the same registry',
  public: 'Amazon ECR Public',
  'public-create': '`create-repository` in Amazon ECR Public',
  roles: '`role-to-assume`, and `role=` in `destinations`',
  oidc: "`role-to-assume` with GitHub's OIDC token",
} as const;

export type Purpose = keyof typeof PURPOSES;

/** What an action is allowed on: `*`, or what the ARN of a policy names. */
export type Resource = 'all' | 'repository' | 'source' | 'public' | 'key' | 'role';

/** Whether a purpose cannot do without an action, or what is lost without it. */
export type Need = 'required' | { readonly without: string };

/** An IAM action that may be used, on what, and for which purposes. */
export interface Permission {
  /** Such as `ecr:PutImage`. */
  readonly action: string;
  readonly on: Resource;
  readonly why: string;
  readonly needs: Readonly<Partial<Record<Purpose, Need>>>;
}

const IN_ALL_MODES = { push: 'required', stitch: 'required', mirror: 'required' } as const;
const NO_HEALING = {
  without:
    "a region that lacks a leg's image, or one that a tag keeps elsewhere, does not get it from another region, and legs that are handed over by tags or digests cannot be read",
};
const NO_KEEPING = { without: 'a region does not get the image that a tag keeps in another one' };
const NO_LOOKING = { without: 'a missing repository, or an immutable tag, shows only when it is written to' };
const NO_TAKING_BACK = { without: 'a new tag stays in the regions that took it when another region fails' };
const NO_COMPARING = { without: 'nobody is told that an existing repository differs from the settings' };
const NO_DESCRIBING = { without: 'the results do not have what ECR itself says of the tags' };
const NO_MOUNTING = { without: 'layers are sent instead of mounted' };

const UPLOADING = { push: 'required', stitch: NO_HEALING, mirror: 'required' } as const;

/**
 * Every IAM action that may be used.
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html and
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html
 */
export const PERMISSIONS: readonly Permission[] = [
  {
    action: 'ecr:GetAuthorizationToken',
    on: 'all',
    why: 'to log in to the registries',
    needs: { ...IN_ALL_MODES, source: 'required' },
  },
  {
    action: 'ecr:BatchGetImage',
    on: 'repository',
    why: 'to see which images and tags are there, and to read back what was published',
    needs: IN_ALL_MODES,
  },
  {
    action: 'ecr:PutImage',
    on: 'repository',
    why: 'to write images, indexes and tags',
    needs: IN_ALL_MODES,
  },
  {
    action: 'ecr:BatchCheckLayerAvailability',
    on: 'repository',
    why: 'to see which layers are there',
    needs: UPLOADING,
  },
  { action: 'ecr:InitiateLayerUpload', on: 'repository', why: 'to upload layers', needs: UPLOADING },
  { action: 'ecr:UploadLayerPart', on: 'repository', why: 'to upload layers', needs: UPLOADING },
  { action: 'ecr:CompleteLayerUpload', on: 'repository', why: 'to upload layers', needs: UPLOADING },
  {
    action: 'ecr:GetDownloadUrlForLayer',
    on: 'repository',
    why: 'to read layers that the builder did not send, because every region has them, and those that another region lacks',
    needs: { push: 'required', stitch: NO_HEALING, mirror: NO_KEEPING },
  },
  {
    action: 'ecr:DescribeRepositories',
    on: 'repository',
    why: 'to see before anything else whether the repository is there, and how it is set up',
    needs: { push: NO_LOOKING, stitch: NO_LOOKING, mirror: NO_LOOKING, create: 'required' },
  },
  {
    action: 'ecr:DescribeImages',
    on: 'repository',
    why: 'to compare what ECR itself says of the tags with what was published',
    needs: { push: NO_DESCRIBING, stitch: NO_DESCRIBING, mirror: NO_DESCRIBING },
  },
  {
    action: 'ecr:BatchDeleteImage',
    on: 'repository',
    why: 'to take a new tag back when another region fails',
    needs: { push: NO_TAKING_BACK, stitch: NO_TAKING_BACK, mirror: NO_TAKING_BACK },
  },
  {
    action: 'ecr:BatchGetImage',
    on: 'source',
    why: 'to read the image that is mirrored, and what refers to it, or that is built upon',
    needs: { source: 'required' },
  },
  {
    action: 'ecr:GetDownloadUrlForLayer',
    on: 'source',
    why: 'to read the layers of the image that is mirrored or built upon, or to mount layers from there',
    needs: { source: 'required', mount: NO_MOUNTING },
  },
  {
    action: 'ecr:BatchCheckLayerAvailability',
    on: 'source',
    why: 'to see which layers can be mounted from there',
    needs: { mount: NO_MOUNTING },
  },
  {
    action: 'ecr:GetAccountSetting',
    on: 'all',
    why: 'to see whether the account allows mounting (`BLOB_MOUNTING`)',
    needs: { mount: NO_MOUNTING },
  },
  {
    action: 'ecr:CreateRepository',
    on: 'repository',
    why: 'to create a missing repository, or to have it created by the first push',
    needs: { create: 'required', 'create-on-push': 'required' },
  },
  {
    action: 'ecr:DescribeRepositoryCreationTemplates',
    on: 'all',
    why: 'to see that a push creates a missing repository',
    needs: { 'create-on-push': 'required' },
  },
  {
    action: 'ecr:TagResource',
    on: 'repository',
    why: 'to give the new repository its tags',
    needs: { tags: 'required' },
  },
  {
    action: 'ecr:ListTagsForResource',
    on: 'repository',
    why: "to compare an existing repository's tags with the settings",
    needs: { tags: NO_COMPARING },
  },
  {
    action: 'ecr:PutLifecyclePolicy',
    on: 'repository',
    why: 'to give the new repository its lifecycle policy',
    needs: { 'lifecycle-policy': 'required' },
  },
  {
    action: 'ecr:GetLifecyclePolicy',
    on: 'repository',
    why: "to compare an existing repository's lifecycle policy with the settings",
    needs: { 'lifecycle-policy': NO_COMPARING },
  },
  {
    action: 'ecr:SetRepositoryPolicy',
    on: 'repository',
    why: 'to give the new repository its own policy',
    needs: { 'repository-policy': 'required' },
  },
  {
    action: 'ecr:GetRepositoryPolicy',
    on: 'repository',
    why: "to compare an existing repository's own policy with the settings",
    needs: { 'repository-policy': NO_COMPARING },
  },
  // https://docs.aws.amazon.com/AmazonECR/latest/userguide/encryption-at-rest.html
  ...['kms:CreateGrant', 'kms:RetireGrant', 'kms:DescribeKey'].map(
    (action): Permission => ({
      action,
      on: 'key',
      why: 'for ECR to encrypt the new repository with the key',
      needs: { encryption: 'required' },
    }),
  ),
  // https://docs.aws.amazon.com/AmazonECR/latest/public/public-repository-policy-examples.html
  ...['ecr-public:GetAuthorizationToken', 'sts:GetServiceBearerToken'].map(
    (action): Permission => ({
      action,
      on: 'all',
      why: 'to log in to Amazon ECR Public',
      needs: { public: 'required' },
    }),
  ),
  {
    action: 'ecr-public:DescribeRepositories',
    on: 'public',
    why: 'to see whether the repository is there',
    needs: { public: 'required' },
  },
  ...['BatchCheckLayerAvailability', 'InitiateLayerUpload', 'UploadLayerPart', 'CompleteLayerUpload'].map(
    (name): Permission => ({
      action: `ecr-public:${name}`,
      on: 'public',
      why: 'to upload layers',
      needs: { public: 'required' },
    }),
  ),
  {
    action: 'ecr-public:DescribeRegistries',
    on: 'all',
    why: 'to see whether the alias is one of the account',
    needs: { 'public-create': { without: 'a wrong alias shows only when it is pushed to' } },
  },
  {
    action: 'ecr-public:PutImage',
    on: 'public',
    why: 'to write images, indexes and tags',
    needs: { public: 'required' },
  },
  {
    action: 'ecr-public:DescribeImages',
    on: 'public',
    why: 'to compare what ECR itself says of the tags with what was published',
    needs: { public: NO_DESCRIBING },
  },
  {
    action: 'ecr-public:BatchDeleteImage',
    on: 'public',
    why: 'to take a new tag back when another region fails',
    needs: { public: NO_TAKING_BACK },
  },
  {
    action: 'ecr-public:CreateRepository',
    on: 'public',
    why: 'to create a missing repository',
    needs: { 'public-create': 'required' },
  },
  {
    action: 'sts:AssumeRole',
    on: 'role',
    why: 'to assume the role with AWS credentials, or with another role',
    needs: { roles: 'required' },
  },
  {
    action: 'sts:AssumeRoleWithWebIdentity',
    on: 'role',
    why: "to assume the role with GitHub's OIDC token; the role's trust policy allows it",
    needs: { oidc: 'required' },
  },
];

/** A policy as IAM takes it. */
export interface PolicyDocument {
  readonly Version: '2012-10-17';
  readonly Statement: readonly {
    readonly Effect: 'Allow';
    readonly Action: readonly string[];
    readonly Resource: string;
  }[];
}

/**
 * The policy for some purposes, one statement a resource.
 * @param arns the ARN of each resource; `*` stands for any text in it
 * @param how with the required actions alone, or with all
 */
export function policyFor(
  purposes: readonly Purpose[],
  arns: Readonly<Record<Exclude<Resource, 'all'>, string>>,
  how: 'least' | 'full' = 'least',
): PolicyDocument {
  const wanted = PERMISSIONS.filter(({ needs }) =>
    purposes.some(
      (purpose) => needs[purpose] !== undefined && (how === 'full' || needs[purpose] === 'required'),
    ),
  );
  const statements = Map.groupBy(wanted, ({ on }) => on);
  return {
    Version: '2012-10-17',
    Statement: [...statements].map(([on, permissions]) => ({
      Effect: 'Allow',
      Action: permissions.map(({ action }) => action),
      Resource: on === 'all' ? '*' : arns[on],
    })),
  };
}
