import { describe, expect, test } from '@jest/globals';
import { ContentError, RegistryError, UploadError } from '../../src/distribution/errors.ts';
import { RoleError } from '../../src/ecr/credentials.ts';
import { adviceOnSource, explainFailure, explainIn } from '../../src/ecr/explain.ts';
import { failureOf } from '../../src/ecr/failure.ts';
import { QUOTAS } from '../../src/ecr/operations.ts';
import type { Place } from '../../src/ecr/places.ts';
import { REFUSALS, refusalOf } from '../../src/ecr/refusals.ts';
import { ManifestError } from '../../src/image/manifest.ts';
import { parseReference } from '../../src/image/reference.ts';
import { Problems } from '../../src/problems.ts';
import { MissingContentError } from '../../src/release/content.ts';
import { SeveralError } from '../../src/release/errors.ts';

const ACCOUNT = '123456789012';
const PLACE = {
  kind: 'private',
  region: 'eu-west-1',
  account: ACCOUNT,
  repository: 'team/app',
  role: undefined,
  fips: false,
  dualStack: false,
} as const satisfies Place;
const HOST = `${ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com`;
const ARN = `arn:aws:ecr:eu-west-1:${ACCOUNT}:repository/team/app`;
const ROLE = `arn:aws:iam::${ACCOUNT}:role/publish`;
const OTHER: Place = { kind: 'other', registry: 'registry.example', repository: 'team/app' };
const PUBLIC: Place = { kind: 'public', repository: 'alias/team/app', role: undefined };

const explain = (error: unknown, place: Place = PLACE, host?: string) =>
  explainFailure(error, { name: 'eu-west-1', repository: 'team/app', place, host });

/** An exception as the SDK throws it. */
const exception = (name: string, message = 'AWS says no') =>
  Object.assign(new Error(message), { name, $fault: 'client' });
/** A role that could not be assumed. */
const role = (name: string, message: string) => new RoleError({ arn: ROLE }, exception(name, message));
/** A failure of the system's, below the one that tells of it. */
const system = (code: string) =>
  new Error(`GET https://${HOST}/v2/: it failed`, {
    cause: Object.assign(new Error('it failed'), { code }),
  });

/** A refusal of a registry; without a code, its answer has no body, as HEAD has none. */
function refused(
  status: number,
  code?: string,
  message = 'the registry says no',
  { method = 'PUT', path = '/v2/team/app/manifests/v1', host = HOST } = {},
): RegistryError {
  const body = code ? JSON.stringify({ errors: [{ code, message }] }) : '';
  return new RegistryError({ method, url: new URL(`https://${host}${path}`) }, { status, body });
}

const denied = (reason: string, resource = ARN) =>
  `User: arn:aws:sts::${ACCOUNT}:assumed-role/ci/run is not authorized to perform: ecr:PutImage on resource: ${resource} ${reason}`;
const S3 = { host: 'prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com', method: 'GET' };
const ELSEWHERE = { host: 'registry.example' };

/** One failure for each way to be refused, by its title, and what the message has to say then. */
const SAMPLES: Readonly<Record<string, readonly [error: Error, words: RegExp, place?: Place]>> = {
  'endpoints of two kinds': [
    new Error('Invalid Configuration: FIPS and custom endpoint are not supported'),
    /leave out "use-fips-endpoint" and "use-dualstack-endpoint"/,
  ],
  'no credentials': [
    exception('CredentialsProviderError', 'Could not load credentials from any providers'),
    /^no AWS credentials were found: .*"permissions: id-token: write" and set "role-to-assume".*configure-aws-credentials/,
  ],
  'credentials that cannot be had': [
    exception('CredentialsProviderError', 'The SSO session has expired'),
    /SSO session has expired \(give the job "permissions: id-token: write"/,
  ],
  'an OIDC token that has expired': [
    role('ExpiredTokenException', 'Token expired: current date/time 2 must be before 1'),
    /clock of the runner/,
  ],
  'credentials that have expired': [
    exception('ExpiredTokenException'),
    /configure-aws-credentials again.*"role-to-assume"/,
  ],
  'credentials that STS does not know': [
    role('InvalidClientTokenId', 'The security token included in the request is invalid.'),
    new RegExp(`partition of ${ROLE}`),
  ],
  'credentials that are not valid in the region': [
    exception('UnrecognizedClientException'),
    /enabled eu-west-1, and that the credentials are of the partition aws and come from a regional endpoint/,
  ],
  'a region that is not enabled': [
    exception('OptInRequired'),
    /enable eu-west-1 .*leave it out of "regions"/,
  ],
  'a signature that is wrong': [exception('InvalidSignatureException'), /AWS_SECRET_ACCESS_KEY.*clock/],
  'a signature that got lost': [exception('MissingAuthenticationTokenException'), /proxy.*Authorization/],
  'a role that does not trust the OIDC token': [
    role('AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity'),
    new RegExp(`trust policy of ${ROLE} allow sts:AssumeRoleWithWebIdentity.*":sub".*"audience"`),
  ],
  'a role that must not be assumed': [
    role(
      'AccessDenied',
      `User: arn:aws:iam::${ACCOUNT}:user/ci is not authorized to perform: sts:AssumeRole on resource: ${ROLE}`,
    ),
    new RegExp(`allow sts:AssumeRole on ${ROLE} .*trust policy of ${ROLE}.*"role-external-id"`),
  ],
  'no OIDC provider in the account': [
    role(
      'InvalidIdentityTokenException',
      'No OpenIDConnect provider found in your account for https://token.actions.githubusercontent.com',
    ),
    /identity provider for https:\/\/token\.actions\.githubusercontent\.com in the account of arn/,
  ],
  'an OIDC token for another audience': [
    role('InvalidIdentityTokenException', 'Incorrect token audience'),
    /set "audience"/,
  ],
  'an OIDC token that is not taken': [role('IDPRejectedClaimException', 'no'), /identity provider/],
  'an OIDC provider that STS cannot reach': [
    role('IDPCommunicationErrorException', 'no'),
    /run the job again/,
  ],
  'a role that is assumed for too long': [
    role(
      'ValidationError',
      'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
    ),
    /lower "role-duration-seconds"/,
  ],
  'a role that is named wrongly': [role('ValidationError', `${ROLE} is invalid`), /check "role-to-assume"/],
  'STS not active in the region': [role('RegionDisabledException', 'STS is not activated'), /activate STS/],
  'a token for another region': [
    refused(400, 'DENIED', 'Your Authorization Token is invalid.'),
    /"registry-endpoint".*lead eu-west-1 to its own registry/,
  ],
  'a token that has expired': [
    refused(403, 'DENIED', 'Your authorization token has expired. Reauthenticate and try again.'),
    /clock of the runner/,
  ],
  'a token that is not taken': [refused(401), /"registry-endpoint", and AWS_ENDPOINT_URL_ECR/],
  'too many requests to another registry': [
    refused(429, 'TOOMANYREQUESTS', 'pull rate limit', ELSEWHERE),
    /log in with docker\/login-action to registry\.example/,
    OTHER,
  ],
  'too many requests': [
    refused(429, 'TOOMANYREQUESTS', 'Rate exceeded'),
    /account in eu-west-1 .*"Rate of PutImage requests", 10 a second by default.*Service Quotas/,
  ],
  'too many tags on one image': [
    refused(
      403,
      'DENIED',
      "Adding tag 'v1' to an image in the repository with name 'team/app' in registry with id '1' exceeds the maximum allowed number of tags per image which is '1000'",
    ),
    /"Tags per image" is 1,000/,
  ],
  'too many images in the repository': [
    refused(
      403,
      'DENIED',
      "The repository with name 'team/app' in registry with id '1' already has the maximum allowed number of images which is '100000'",
    ),
    /lifecycle policy.*"Images per repository".*100,000/,
  ],
  'too many repositories': [
    exception('LimitExceededException', 'The maximum number of repositories has been reached'),
    /"Registered repositories" of the account in eu-west-1 .*100,000/,
  ],
  'another limit': [exception('LimitExceededException'), /Service Quotas, for Amazon ECR in eu-west-1/],
  'too many tags on the repository': [exception('TooManyTagsException'), /no more than 50 "tags"/],
  'a layer that is too large': [
    refused(413, undefined, '', { path: '/v2/team/app/blobs/uploads/id' }),
    /"Maximum layer size" is 52,000 MiB.*proxy/,
  ],
  'an empty layer': [
    refused(400, 'BLOB_UPLOAD_INVALID', 'The specified layer upload does not contain any layer parts'),
    /no blob of 0 bytes/,
  ],
  'no such repository elsewhere': [
    refused(404, 'NAME_UNKNOWN', 'no', ELSEWHERE),
    /check the name, and log in with docker\/login-action to registry\.example/,
    OTHER,
  ],
  'no such repository': [
    refused(404, 'NAME_UNKNOWN'),
    /create the repository in eu-west-1, or set "create-repository: true"/,
  ],
  'a name that ECR does not take': [refused(400, 'NAME_INVALID'), /write "repository" in lower case/],
  'a tag that ECR does not take': [
    refused(405, 'UNSUPPORTED', "Invalid parameter at 'imageTag' failed to satisfy constraint"),
    /write tags of letters, digits/,
  ],
  'a tag that is immutable': [
    refused(400, 'TAG_INVALID', "The image tag 'v1' already exists"),
    /the tag is immutable and shows another image: .*"if-tag-exists: keep"/,
  ],
  'images of the index that are missing': [refused(404, 'MANIFEST_BLOB_UNKNOWN'), /lifecycle policy/],
  'layers that are missing': [new UploadError(refused(404, 'BLOB_UPLOAD_UNKNOWN')), /run the job again/],
  'an image that is missing': [exception('ImageNotFoundException'), /run the build jobs again/],
  'bytes that are not those of the digest': [refused(400, 'DIGEST_INVALID'), /changes the bytes/],
  'a layer that arrived damaged': [
    refused(
      400,
      'BLOB_UPLOAD_INVALID',
      'None of the provided layer digests match the calculated layer digest',
    ),
    /changes or cuts the bytes/,
  ],
  'repository settings that ECR does not take': [
    exception('InvalidParameterException', "Invalid parameter at 'lifecyclePolicyText' failed"),
    /"repository-settings"/,
  ],
  'a manifest that ECR does not take': [
    refused(
      405,
      'UNSUPPORTED',
      "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'",
    ),
    /rebuild the image with a current builder.*"platform\.features"/,
  ],
  'storage that is asked with two credentials': [
    new RegistryError(
      { method: 'GET', url: new URL(`https://${S3.host}/layer`) },
      { status: 400, body: '<Error><Message>Only one auth mechanism allowed</Message></Error>' },
    ),
    /NO_PROXY/,
  ],
  'storage that the network does not lead to': [
    refused(403, undefined, '', { ...S3, path: '/layer' }),
    /S3 endpoint .*arn:aws:s3:::prod-eu-west-1-starport-layer-bucket\/\*/,
  ],
  'an explicit deny': [
    refused(403, 'DENIED', denied('with an explicit deny in a service control policy')),
    new RegExp(`take the deny of ecr:PutImage on ${ARN} out of the service control policy`),
  ],
  "no permission in the repository's own policy": [
    refused(403, 'DENIED', denied('because no resource-based policy allows the ecr:PutImage action')),
    new RegExp(`allow ecr:PutImage on ${ARN} to this role in the repository's own policy`),
  ],
  'no permission in a policy around the role': [
    refused(403, 'DENIED', denied('because no permissions boundary allows the ecr:PutImage action')),
    new RegExp(`allow ecr:PutImage on ${ARN} in the permissions boundary`),
  ],
  'no permission': [
    exception('AccessDeniedException', denied('because no identity-based policy allows the action')),
    new RegExp(`allow ecr:PutImage on ${ARN} in the policy of the role`),
  ],
  'an organization that forbids it': [exception('BlockedByOrganizationPolicyException'), /organization/],
  'a KMS key that cannot be used': [
    exception('KmsException', 'The key is disabled'),
    /enabled, in eu-west-1.*kms:CreateGrant, kms:RetireGrant and kms:DescribeKey/,
  ],
  'another registry that denies it': [
    refused(403, 'DENIED', 'no', ELSEWHERE),
    /log in with docker\/login-action to registry\.example/,
    OTHER,
  ],
  'denied without a word': [refused(403), new RegExp(`allow ecr:PutImage on ${ARN}`)],
  'no such host': [system('ENOTFOUND'), /whether ECR is in eu-west-1/],
  'no answer from the name server': [system('EAI_AGAIN'), /name server of the runner/],
  'a proxy that wants a password': [
    new Error('Proxy response (407) !== 200 when HTTP Tunneling'),
    /HTTPS_PROXY/,
  ],
  'nobody who listens': [system('ECONNREFUSED'), /"registry-endpoint", AWS_ENDPOINT_URL_ECR and HTTPS_PROXY/],
  'no answer in time': [system('UND_ERR_CONNECT_TIMEOUT'), /ecr\.api, ecr\.dkr and S3/],
  'a connection that was cut': [system('ECONNRESET'), /proxy or a firewall/],
  'a certificate that is not trusted': [system('SELF_SIGNED_CERT_IN_CHAIN'), /NODE_EXTRA_CA_CERTS/],
  "a failure of the registry's own": [refused(503), /health\.aws\.amazon\.com/],
  "an answer that is not the API's": [
    Object.assign(new Error('the answer, 200, is no JSON'), { name: 'SyntaxError' }),
    /HTTPS_PROXY, AWS_ENDPOINT_URL_ECR/,
  ],
  'a call that arrived damaged': [exception('SerializationException'), /something on the way changes/],
  'a redirect that cannot be followed': [refused(307), /name the address that answers itself/],
};

describe('a failure in a region', () => {
  test.each(REFUSALS.map((refusal) => [refusal.title, refusal] as const))(
    'that is %s says where, what was said, and what to do',
    (title, refusal) => {
      const [error, words, place = PLACE] = SAMPLES[title] ?? [];
      expect(refusalOf(failureOf(error, { name: 'eu-west-1', repository: 'team/app', place }))).toBe(refusal);
      const text = explain(error, place);
      expect(text).toMatch(words ?? /^$/);
      if (refusal.everywhere) return;
      expect(text).toContain(error?.message);
      expect(text).toMatch(/^eu-west-1: team\/app: /);
    },
  );

  test('has a sample for each way to be refused, and no title twice', () => {
    expect(REFUSALS.map(({ title }) => title).toSorted()).toEqual(Object.keys(SAMPLES).toSorted());
  });

  test.each([
    ['a layer that is too large', refused(405, 'UNSUPPORTED', 'The layer exceeds the limit of 5 bytes')],
    ['an empty layer', exception('EmptyUploadException')],
    ['a token for another region', refused(400)],
    [
      'a name that ECR does not take',
      exception('InvalidParameterException', "Invalid parameter at 'repositoryName' failed"),
    ],
    ['a KMS key that cannot be used', refused(400, 'UNKNOWN', 'the KMS key is pending deletion')],
    ["a failure of the registry's own", exception('ServerException')],
    ["a failure of the registry's own", refused(408)],
    ['too many requests', refused(429)],
    ['too many tags on one image', refused(405, 'UNSUPPORTED', 'the image has the maximum of 1000 tags')],
  ])('that is %s may be told in another way', (title, error) => {
    const failure = failureOf(error, { name: 'eu-west-1', repository: 'team/app', place: PLACE });
    expect(refusalOf(failure)?.title).toBe(title);
  });

  test('names an exception of AWS, and gives no advice that is not known', () => {
    expect(explain(exception('OddException'))).toBe('eu-west-1: team/app: OddException: AWS says no');
    expect(explain(new Error('odd'))).toBe('eu-west-1: team/app: odd');
    expect(explain('odd')).toBe('eu-west-1: team/app: odd');
  });

  test.each(['ENOSPC', 'EDQUOT'])(
    'for want of disk space (%s), however deep it lies, is that of this machine',
    (code) => {
      expect(explain(system(code))).toMatch(/^the disk that RUNNER_TEMP is on is full: .*free some space/);
    },
  );

  test('of several kinds at once has what to do about each', () => {
    const put = refused(403, 'DENIED', 'not authorized to perform: ecr:PutImage on it');
    const busy = new Error('v2 could not be put back', { cause: refused(503, 'UNAVAILABLE', 'later') });
    expect(explain(new SeveralError([put, busy]))).toMatch(
      /^eu-west-1: team\/app: .*ecr:PutImage on it \(allow ecr:PutImage .*\); v2 could not be put back \(.*\)$/,
    );
  });

  test('that is worded already gets no more advice and no place, whatever it was met in', () => {
    const problems = new Problems(['it is so; do this'], { cause: refused(404, 'BLOB_UNKNOWN') });
    expect(explain(problems)).toBe('it is so; do this');
    const around = new Error(`refused: ${problems.message}`, { cause: problems });
    expect(explain(around)).toBe('it is so; do this');
  });

  test('to connect has words even where the system gives several', () => {
    const several = new AggregateError([new Error('connect ECONNREFUSED ::1:1'), 'and more']);
    expect(explain(several)).toBe('eu-west-1: team/app: connect ECONNREFUSED ::1:1; and more');
  });

  test('is told by the place that has the name, with its own repository', () => {
    const places = [PLACE, { ...PLACE, account: '210987654321', repository: 'other' }];
    expect(explainIn(places)(new Error('odd'), '210987654321/eu-west-1')).toBe(
      '210987654321/eu-west-1: other: odd',
    );
  });
});

describe('a request that is denied without a word', () => {
  const blob = `sha256:${'a'.repeat(64)}`;

  test.each([
    ['POST', '/v2/team/app/blobs/uploads/', 'ecr:InitiateLayerUpload'],
    ['PUT', '/v2/team/app/blobs/uploads/id', 'ecr:UploadLayerPart and ecr:CompleteLayerUpload'],
    ['HEAD', `/v2/team/app/blobs/${blob}`, 'ecr:BatchCheckLayerAvailability'],
    ['GET', `/v2/team/app/blobs/${blob}`, 'ecr:GetDownloadUrlForLayer'],
    ['HEAD', `/v2/team/app/manifests/${blob}`, 'ecr:BatchGetImage'],
    ['PUT', '/v2/team/app/manifests/v1', 'ecr:PutImage'],
  ])('%s %s is told what it needs: %s', (method, path, actions) => {
    const text = explain(refused(403, undefined, '', { method, path }));
    expect(text).toContain(`(allow ${actions} on ${ARN} in the policy of the role that this job has)`);
  });

  test('has the ARN of the repository, account and region that it went to, in their partition', () => {
    const host = '210987654321.dkr.ecr.cn-north-1.amazonaws.com.cn';
    const text = explain(refused(403, undefined, '', { host, path: '/v2/base/node/manifests/1' }));
    expect(text).toContain('on arn:aws-cn:ecr:cn-north-1:210987654321:repository/base/node in');
  });

  test('has an ARN for any account, where the account is not known', () => {
    const text = explain(refused(403, undefined, '', { host: '127.0.0.1:5000' }), {
      ...PLACE,
      account: undefined,
    });
    expect(text).toContain('on arn:aws:ecr:eu-west-1:*:repository/team/app in');
  });

  test('has the actions of Amazon ECR Public, and the ARN without the alias', () => {
    const at = { host: 'public.ecr.aws', path: '/v2/alias/team/app/manifests/v1' };
    expect(explain(refused(403, 'DENIED', 'no', at), PUBLIC)).toContain(
      'allow ecr-public:PutImage on arn:aws:ecr-public::*:repository/team/app in',
    );
    const token = { host: 'public.ecr.aws', path: '/token/' };
    expect(explain(refused(403, 'DENIED', 'no', token), PUBLIC)).toContain(
      'allow ecr-public:GetAuthorizationToken and sts:GetServiceBearerToken on * in',
    );
  });

  test('of which nothing is known is led to the page with the policies', () => {
    expect(explain(exception('AccessDeniedException'))).toMatch(/docs\/iam\.md/);
  });
});

test.each([
  ['ecr:GetAuthorizationToken', '*'],
  ['ecr:DescribeRepositories', ARN],
])('AWS may name the action %s without its resource, which is %s', (action, resource) => {
  const error = exception('AccessDeniedException', `User: x is not authorized to perform: ${action}`);
  expect(explain(error)).toContain(`(allow ${action} on ${resource} in the policy of the role`);
});

test('a repository that has to do with keys by its name alone is not taken for a broken key', () => {
  const path = '/v2/kms:KMS-key/manifests/v1';
  expect(explain(refused(403, 'DENIED', 'no', { path }))).toContain('allow ecr:PutImage');
});

describe('a quota that was used up', () => {
  test.each([
    ['POST', '/v2/team/app/blobs/uploads/', ['InitiateLayerUpload']],
    ['PUT', '/v2/team/app/blobs/uploads/id', ['UploadLayerPart', 'CompleteLayerUpload']],
    ['HEAD', '/v2/team/app/manifests/v1', ['BatchGetImage']],
  ] as const)('by %s %s is told by the name that Service Quotas has for it', (method, path, operations) => {
    const text = explain(refused(429, undefined, '', { method, path }));
    for (const operation of operations) {
      const most = QUOTAS[operation].toLocaleString('en');
      expect(text).toContain(`"Rate of ${operation} requests", ${most} a second by default`);
    }
  });

  test('by a call of the API is one of several', () => {
    expect(explain(exception('ThrottlingException', 'Rate exceeded'))).toMatch(
      /a quota of the account in eu-west-1 was used up \(one of "Rate of \.\.\. requests"\)/,
    );
  });

  test('in Amazon ECR Public is told without the numbers of private registries', () => {
    const at = { host: 'public.ecr.aws', path: '/v2/alias/team/app/manifests/v1' };
    expect(explain(refused(429, 'TOOMANYREQUESTS', 'no', at), PUBLIC)).toContain(
      '("Rate of PutImage requests")',
    );
  });
});

test.each([
  [{ fips: true }, /FIPS endpoints \("use-fips-endpoint"\) in eu-west-1/],
  [{ dualStack: true }, /dual-stack endpoints \("use-dualstack-endpoint"\) in eu-west-1/],
  [{ fips: true, dualStack: true }, /FIPS endpoints .* and dual-stack endpoints/],
])('a host that does not exist where %j was asked for may be one that the region lacks', (asked, words) => {
  expect(explain(system('ENOTFOUND'), { ...PLACE, ...asked })).toMatch(words);
});

test('a registry that is only read from is no registry of the account, whatever the destination is', () => {
  const at = { host: 'docker.example', path: '/v2/library/web/manifests/1', method: 'GET' };
  expect(explain(refused(429, 'TOOMANYREQUESTS', 'no', at), PLACE, HOST)).toMatch(
    /log in with docker\/login-action to docker\.example/,
  );
});

describe('what to do about a source', () => {
  test.each([
    [
      'that is missing in ECR',
      `${HOST}/team/app:v1`,
      refused(404, 'NAME_UNKNOWN'),
      /^check the name of the source/,
    ],
    [
      'that ECR denies',
      `${HOST}/team/app:v1`,
      refused(403, undefined, '', { method: 'GET' }),
      /^allow ecr:BatchGetImage on arn:aws:ecr:eu-west-1:123456789012:repository\/team\/app/,
    ],
    [
      'that another registry denies',
      'registry.example/app:v1',
      refused(401, 'UNAUTHORIZED', 'no', ELSEWHERE),
      /^log in with docker\/login-action to registry\.example/,
    ],
    [
      'that Amazon ECR Public gives nobody so often',
      'public.ecr.aws/nginx/nginx:1',
      refused(429, 'TOOMANYREQUESTS', 'no', { host: 'public.ecr.aws' }),
      /^log in with docker\/login-action to public\.ecr\.aws/,
    ],
    ...[`${HOST}/team/app:v1`, 'registry.example/app:v1'].flatMap(
      (source): [string, string, Error, RegExp][] => [
        [
          `that is nothing to be copied, in ${source}`,
          source,
          new ManifestError('the manifest is not JSON in UTF-8'),
          /^name another tag or digest in "source"/,
        ],
        [
          `that lacks a manifest, in ${source}`,
          source,
          new MissingContentError('it does not have it'),
          /^the source is not whole/,
        ],
        [
          `that lacks a blob, in ${source}`,
          source,
          refused(404, 'BLOB_UNKNOWN', 'no blob', { method: 'GET', host: new URL(`https://${source}`).host }),
          /^the source is not whole/,
        ],
        [
          `that lacks something, of which it says no more, in ${source}`,
          source,
          refused(404, undefined, '', { method: 'GET', host: new URL(`https://${source}`).host }),
          /^the source is not whole/,
        ],
        [
          `that gives other bytes, in ${source}`,
          source,
          new ContentError('it gave content of another digest'),
          /^run the job again; if it stays so, the source is damaged/,
        ],
      ],
    ),
    [
      'that is missing elsewhere',
      'registry.example/app:v1',
      refused(404, 'NAME_UNKNOWN', 'no', ELSEWHERE),
      /^check the name, and log in/,
    ],
  ])('%s', (_, source, error, words) => {
    expect(adviceOnSource(error, parseReference(source))).toMatch(words);
  });

  test('that failed in a way that is not known is nothing', () => {
    expect(adviceOnSource(new Error('odd'), parseReference('registry.example/app:v1'))).toBeUndefined();
  });
});
