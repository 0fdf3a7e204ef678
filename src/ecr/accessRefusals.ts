import type { Failure } from './failure.ts';
import { partitionId } from './partitions.ts';
import type { Refusal } from './refusal.ts';

const LOGIN =
  'give the job "permissions: id-token: write" and set "role-to-assume", or run aws-actions/configure-aws-credentials before this step, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY';

/** What is wrong with credentials, roles and tokens. */
export const ACCESS_REFUSALS: readonly Refusal[] = [
  {
    title: 'no credentials',
    signs: [
      {
        codes: ['CredentialsProviderError'],
        said: /^(?:Could not load credentials|\S+ could not be assumed: Could not load)/,
      },
    ],
    advice: () => `no AWS credentials were found: ${LOGIN}`,
    everywhere: true,
  },
  {
    title: 'credentials that cannot be had',
    signs: [{ codes: ['CredentialsProviderError'] }],
    advice: () => LOGIN,
  },
  {
    title: 'an OIDC token that has expired',
    signs: [{ codes: ['ExpiredToken'], said: /Token expired: current date/ }],
    advice: () => 'run the job again, and check the clock of the runner if it stays so',
  },
  {
    title: 'credentials that have expired',
    signs: [{ codes: ['ExpiredToken', 'RequestExpired'] }],
    advice: () =>
      'run aws-actions/configure-aws-credentials again right before this step, or let this step assume the role itself ("role-to-assume"), which renews its credentials',
  },
  {
    title: 'credentials that STS does not know',
    signs: [{ codes: ['UnrecognizedClient', 'InvalidClientTokenId'], by: ['role'] }],
    advice: ({ role }) => `check the access key, and that it is of the partition of ${role}`,
  },
  {
    title: 'credentials that are not valid in the region',
    signs: [{ codes: ['UnrecognizedClient', 'InvalidClientTokenId'] }],
    advice: ({ region }) =>
      `check the access key, that the account has enabled ${region}, and that the credentials are of the partition ${partitionId(region)} and come from a regional endpoint of STS`,
  },
  {
    title: 'a region that is not enabled',
    signs: [{ codes: ['OptInRequired', 'SubscriptionRequired'] }],
    advice: ({ region }) => `enable ${region} in the settings of the account, or leave it out of "regions"`,
  },
  {
    title: 'a signature that is wrong',
    signs: [
      {
        codes: ['InvalidSignature', 'SignatureDoesNotMatch', 'IncompleteSignature', 'RequestTimeTooSkewed'],
      },
    ],
    advice: () => 'check AWS_SECRET_ACCESS_KEY, and the clock of the runner',
  },
  {
    title: 'a signature that got lost',
    signs: [{ codes: ['MissingAuthenticationToken'] }],
    advice: () => 'see to it that no proxy takes the Authorization header out of requests',
  },
  {
    title: 'a role that does not trust the OIDC token',
    signs: [{ codes: ['AccessDenied'], said: /sts:AssumeRoleWithWebIdentity/ }],
    advice: ({ role }) =>
      `let the trust policy of ${role} allow sts:AssumeRoleWithWebIdentity for the ":sub" of this repository, branch or environment, and for the audience in "audience"`,
  },
  {
    title: 'a role that must not be assumed',
    signs: [{ codes: ['AccessDenied'], said: /sts:AssumeRole\b/ }],
    advice: ({ lacks: [lack], role }) => {
      const arn = lack?.resource ?? role;
      return `allow sts:AssumeRole on ${arn} in the caller's policy, and the caller in the trust policy of ${arn}, with the external id that it asks for ("role-external-id", or "external-id=" in "destinations")`;
    },
  },
  {
    title: 'no OIDC provider in the account',
    signs: [{ codes: ['InvalidIdentityToken'], said: /No OpenIDConnect provider/i }],
    advice: ({ said, role }) =>
      `create an IAM identity provider for ${/https:\/\/[\w./-]*\w/.exec(said)?.[0] ?? 'https://token.actions.githubusercontent.com'} in the account of ${role}`,
  },
  {
    title: 'an OIDC token for another audience',
    signs: [{ codes: ['InvalidIdentityToken'], said: /audience/i }],
    advice: () =>
      'set "audience" to one that the identity provider in the account lists, or add this one to it (sts.amazonaws.com is the usual one)',
  },
  {
    title: 'an OIDC token that is not taken',
    signs: [{ codes: ['InvalidIdentityToken', 'IDPRejectedClaim'] }],
    advice: ({ role }) =>
      `check the IAM identity provider in the account of ${role}, and run the job again for another token`,
  },
  {
    title: 'an OIDC provider that STS cannot reach',
    signs: [{ codes: ['IDPCommunicationError'] }],
    advice: () => 'run the job again: STS could not ask GitHub for its keys',
  },
  {
    title: 'a role that is assumed for too long',
    signs: [{ codes: ['ValidationError', 'Validation'], said: /DurationSeconds/i }],
    advice: () =>
      'lower "role-duration-seconds", or raise the maximum session duration of the role; a role that is assumed from another one lasts an hour at most',
  },
  {
    title: 'a role that is named wrongly',
    signs: [{ codes: ['ValidationError', 'Validation', 'MalformedPolicyDocument'], by: ['role'] }],
    advice: () => 'check "role-to-assume", "role-external-id" and "role-session-name"',
  },
  {
    title: 'STS not active in the region',
    signs: [{ codes: ['RegionDisabled'] }],
    advice: () =>
      'activate STS in the region of the first destination (IAM, "Account settings"), or name another region first',
  },
  {
    title: 'a token for another region',
    signs: [
      { said: /authorization token is invalid/i, by: ['private'] },
      // The answer to a HEAD has no words.
      { status: [400], said: /^$/, by: ['private'] },
    ],
    advice: ({ region }) =>
      `let "registry-endpoint", or AWS_ENDPOINT_URL_ECR, lead ${region} to its own registry: a token is good in one region only`,
  },
  {
    title: 'a token that has expired',
    signs: [{ said: /authorization token has expired/i }],
    advice: () => 'check the clock of the runner: tokens are renewed before their time is over',
  },
  {
    title: 'a token that is not taken',
    signs: [{ status: [401], by: ['private', 'public'] }],
    advice: ({ host }) =>
      `check that ${host} belongs to the API that gave the token: "registry-endpoint", and AWS_ENDPOINT_URL_ECR`,
  },
];

/** Whatever is denied, and to whom. */
export const DENIALS: readonly Refusal[] = [
  {
    title: 'storage that the network does not lead to',
    signs: [{ status: [403], by: ['storage'] }],
    advice: ({ host, region }) =>
      `let the S3 endpoint of the runner's VPC read arn:${partitionId(region)}:s3:::prod-${region}-starport-layer-bucket/*, from which ${host} is read`,
  },
  {
    title: 'an explicit deny',
    signs: [{ said: /with an explicit deny/ }],
    advice: ({ said, lacks }) =>
      `take the deny of ${permissions(lacks)} out of the ${/explicit deny in an? ([\w -]+?(?:policy|boundary))/.exec(said)?.[1] ?? 'policies of the role'}`,
  },
  {
    title: "no permission in the repository's own policy",
    signs: [{ said: /because no resource-based policy allows/ }],
    advice: ({ lacks }) =>
      `allow ${permissions(lacks)} to this role in the repository's own policy, or assume a role of its account ("role=" in "destinations")`,
  },
  {
    title: 'no permission in a policy around the role',
    signs: [{ said: /because no (?!identity-based|resource-based)[\w -]+ allows/ }],
    advice: ({ said, lacks }) =>
      `allow ${permissions(lacks)} in the ${/because no ([\w -]+?) allows/.exec(said)?.[1]}`,
  },
  {
    title: 'no permission',
    signs: [{ said: /not authorized to perform: [\w-]+:\w/ }],
    advice: allowLacks,
  },
  {
    title: 'an organization that forbids it',
    signs: [{ codes: ['BlockedByOrganizationPolicy'] }],
    advice: () => "have it allowed by those who manage the organization's policies",
  },
  {
    title: 'a KMS key that cannot be used',
    signs: [{ codes: ['Kms'] }, { said: /\bKMS (?:key|exception|error|grant)|\bkms:/i, by: ['private'] }],
    advice: keyAdvice,
  },
  {
    title: 'another registry that denies it',
    signs: [{ status: [401, 403], by: ['other'] }],
    advice: ({ host, where }) => `log in with docker/login-action to ${host ?? where.name} before this step`,
  },
  {
    title: 'denied without a word',
    signs: [{ codes: ['AccessDenied', 'DENIED', 'UNAUTHORIZED'] }, { status: [403] }],
    advice: allowLacks,
  },
];

function allowLacks({ lacks, refuser }: Failure): string {
  if (lacks.length > 0) return `allow ${permissions(lacks)} in the policy of the role that this job has`;
  return refuser === 'public'
    ? 'allow ecr-public:GetAuthorizationToken and sts:GetServiceBearerToken on * in the policy of the role that this job has'
    : 'allow in the policy of the role that this job has what docs/iam.md of ecr-multiarch lists';
}

function permissions(lacks: Failure['lacks']): string {
  const actions = lacks.map(({ action }) => action).join(' and ');
  return actions ? `${actions} on ${lacks[0]?.resource}` : 'this';
}

/** https://docs.aws.amazon.com/AmazonECR/latest/userguide/encryption-at-rest.html */
function keyAdvice({ region }: Failure): string {
  return `check that the key is enabled, in ${region}, and leaves ECR its grants; to create a repository with it, allow kms:CreateGrant, kms:RetireGrant and kms:DescribeKey on the key's ARN`;
}
