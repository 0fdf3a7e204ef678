import { ListImagesCommand } from '@aws-sdk/client-ecr';
import { describe, expect, test } from '@jest/globals';
import { startEmulator } from '../../emulator/emulator.ts';
import { operationsOf, permissionOf } from '../../emulator/operations.ts';
import { atEnd } from '../support/ends.ts';
import { ecrClient, imageOf, logIn } from './support.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const REGISTRY = { account: '123456789012', region: 'us-east-1' };
const ARN = 'arn:aws:ecr:us-east-1:123456789012:repository';

/** What a request to /v2/ comes down to, as `operation repository`. */
function overV2(method: string, path: string, headers: Record<string, string> = {}): string[] {
  const operations = operationsOf({ method, url: `/v2/${path}`, headers });
  return operations.map(({ service, name, repository }) => `${service}:${name} ${repository}`);
}

/** What a call of a JSON API needs, as `action resource`. */
function called(target: string, input: unknown, registry = REGISTRY): string[] {
  const operations = operationsOf({ method: 'POST', url: '/', headers: { 'x-amz-target': target } }, input);
  return operations.map((each) => permissionOf(each, registry)).map((it) => `${it.action} ${it.resource}`);
}

const ecr = (operation: string, input: unknown) =>
  called(`AmazonEC2ContainerRegistry_V20150921.${operation}`, input);

describe('a request to /v2/', () => {
  test.each([
    ['POST', 'team/app/blobs/uploads/', ['InitiateLayerUpload']],
    ['PATCH', 'team/app/blobs/uploads/id', ['UploadLayerPart']],
    ['PUT', 'team/app/blobs/uploads/id?digest=d', ['CompleteLayerUpload']],
    ['HEAD', `team/app/blobs/${DIGEST}`, ['BatchCheckLayerAvailability']],
    ['GET', `team/app/blobs/${DIGEST}`, ['GetDownloadUrlForLayer']],
    ['PUT', 'team/app/manifests/v1', ['PutImage']],
    ['HEAD', 'team/app/manifests/v1', ['BatchGetImage']],
    ['GET', `team/app/manifests/${DIGEST}`, ['BatchGetImage']],
    ['DELETE', 'team/app/manifests/v1', ['BatchDeleteImage']],
    ['GET', 'team/app/tags/list?n=3', ['ListImages']],
    ['GET', `team/app/referrers/${DIGEST}`, ['BatchGetImage']],
  ])('%s %s is %j', (method, path, operations) => {
    expect(overV2(method, path)).toEqual(operations.map((name) => `ecr:${name} team/app`));
  });

  test.each([
    ['a length', { 'content-length': '5' }, ['UploadLayerPart', 'CompleteLayerUpload']],
    ['chunks', { 'transfer-encoding': 'chunked' }, ['UploadLayerPart', 'CompleteLayerUpload']],
    ['a length of nothing', { 'content-length': '0' }, ['CompleteLayerUpload']],
  ])('that ends an upload brings a part only with a body: %s', (_, headers, names) => {
    const operations = names.map((name) => `ecr:${name} app`);
    expect(overV2('PUT', 'app/blobs/uploads/id?digest=d', headers)).toEqual(operations);
    expect(overV2('POST', 'app/blobs/uploads/?digest=d', headers)).toEqual([
      'ecr:InitiateLayerUpload app',
      ...operations,
    ]);
  });

  test('that would mount a blob reads its source too', () => {
    expect(overV2('POST', `app/blobs/uploads/?mount=${DIGEST}&from=base%2Fnode`)).toEqual([
      'ecr:InitiateLayerUpload app',
      'ecr:GetDownloadUrlForLayer base/node',
    ]);
  });

  test.each(['mount=x', 'from=base', 'mount=x&from=Not+A+Name'])('with %s alone mounts nothing', (query) => {
    expect(overV2('POST', `app/blobs/uploads/?${query}`)).toEqual(['ecr:InitiateLayerUpload app']);
  });

  test.each([
    ['GET', ''],
    ['GET', 'app/blobs/uploads/id'],
    ['POST', 'app/manifests/v1'],
    ['GET', 'Not/A/Name/tags/list'],
    ['GET', 'nothing'],
  ])('%s /v2/%s asks for nothing of ECR’s', (method, path) => {
    expect(overV2(method, path)).toEqual([]);
  });
});

describe('a call of the JSON API needs its operation', () => {
  test.each([
    ['PutImage', { repositoryName: 'team/app' }, [`${ARN}/team/app`]],
    ['DescribeRepositories', { repositoryNames: ['a1', 'b1'] }, [`${ARN}/a1`, `${ARN}/b1`]],
    ['DescribeRepositories', {}, [`${ARN}/*`]],
    ['TagResource', { resourceArn: `${ARN}/team/app`, tags: [{}] }, [`${ARN}/team/app`]],
    ['GetAuthorizationToken', {}, ['*']],
    ['GetAuthorizationToken', { registryIds: ['210987654321'] }, ['*']],
    ['DescribeRegistry', {}, ['*']],
  ])('%s of %j on %j', (operation, input, resources) => {
    expect(ecr(operation, input)).toEqual(resources.map((resource) => `ecr:${operation} ${resource}`));
  });

  test('in the registry that it names', () => {
    expect(ecr('ListImages', { registryId: '210987654321', repositoryName: 'app' })).toEqual([
      'ecr:ListImages arn:aws:ecr:us-east-1:210987654321:repository/app',
    ]);
  });

  test('and that of tags, where a repository is created with some', () => {
    const repositoryName = 'app';
    expect(ecr('CreateRepository', { repositoryName, tags: [] })).toEqual([
      `ecr:CreateRepository ${ARN}/app`,
    ]);
    expect(ecr('CreateRepository', { repositoryName, tags: [{ Key: 'a', Value: 'b' }] })).toEqual([
      `ecr:CreateRepository ${ARN}/app`,
      `ecr:TagResource ${ARN}/app`,
    ]);
  });

  test.each([[null], [[]], ['text'], [{ repositoryName: 5, tags: 'x' }]])(
    'on nothing in particular, when its JSON is %j',
    (input) => {
      expect(ecr('PutImage', input)).toEqual(['ecr:PutImage *']);
    },
  );

  test('of ECR Public, whose token is one of STS', () => {
    expect(called('SpencerFrontendService.GetAuthorizationToken', {})).toEqual([
      'ecr-public:GetAuthorizationToken *',
      'sts:GetServiceBearerToken *',
    ]);
    expect(called('SpencerFrontendService.PutImage', { repositoryName: 'app' })).toEqual([
      'ecr-public:PutImage arn:aws:ecr-public::123456789012:repository/app',
    ]);
  });
});

test.each([
  ['us-east-1', 'aws'],
  ['cn-north-1', 'aws-cn'],
  ['us-gov-west-1', 'aws-us-gov'],
  ['eusc-de-east-1', 'aws-eusc'],
  ['us-isob-east-1', 'aws-iso-b'],
])('an ARN in %s is one of the partition %s', (region, partition) => {
  const operation = { service: 'ecr', name: 'PutImage', repository: 'app' } as const;
  expect(permissionOf(operation, { account: '123456789012', region }).resource).toBe(
    `arn:${partition}:ecr:${region}:123456789012:repository/app`,
  );
});

test('the log tells what every request needed', async () => {
  const emulator = await startEmulator({ regions: ['cn-north-1'], repositories: ['app'] });
  atEnd(() => emulator.close());
  const registry = await logIn(emulator, 'cn-north-1');
  await registry.pushImage('app', imageOf('amd64'), 'v1');
  await registry.call('GET', '/v2/');
  await ecrClient(emulator, 'cn-north-1').send(new ListImagesCommand({ repositoryName: 'app' }));
  const resource = 'arn:aws-cn:ecr:cn-north-1:123456789012:repository/app';
  const upload = [
    [{ action: 'ecr:InitiateLayerUpload', resource }],
    [
      { action: 'ecr:UploadLayerPart', resource },
      { action: 'ecr:CompleteLayerUpload', resource },
    ],
  ];
  expect(emulator.requests.map(({ needed }) => needed)).toEqual([
    [{ action: 'ecr:GetAuthorizationToken', resource: '*' }],
    ...upload,
    ...upload,
    [{ action: 'ecr:PutImage', resource }],
    [],
    [{ action: 'ecr:ListImages', resource }],
  ]);
});
