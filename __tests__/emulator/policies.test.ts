import {
  BatchCheckLayerAvailabilityCommand,
  CreateRepositoryCommand,
  DescribeRepositoriesCommand,
  GetAuthorizationTokenCommand,
  PutImageCommand,
  SetRepositoryPolicyCommand,
} from '@aws-sdk/client-ecr';
import { describe, expect, test } from '@jest/globals';
import { request } from 'undici';
import { type Emulator, type EmulatorOptions, startEmulator } from '../../emulator/emulator.ts';
import { type Policy, verdictOf } from '../../emulator/iam/policy.ts';
import { digestOf } from '../../src/image/digest.ts';
import { atEnd } from '../support/ends.ts';
import { ecrClient, errorOf, imageOf, logIn, OPEN_POLICY, type Registry, registryWith } from './support.ts';

const ACCOUNT = '123456789012';
const OTHER = '210987654321';
const APP = `arn:aws:ecr:us-east-1:${ACCOUNT}:repository/team/app`;
const USER = `arn:aws:iam::${ACCOUNT}:user/ci`;
const PUSH = [
  'BatchCheckLayerAvailability',
  'InitiateLayerUpload',
  'UploadLayerPart',
  'CompleteLayerUpload',
  'PutImage',
  'BatchGetImage',
];
const amd64 = imageOf('amd64');

const allow = (actions: readonly string[], ...resources: string[]) =>
  ({ effect: 'Allow', actions, resources }) as const;
const deny = (actions: readonly string[], ...resources: string[]) =>
  ({ effect: 'Deny', actions, resources }) as const;
const TOKEN = allow(['ecr:GetAuthorizationToken'], '*');

/** Starts an emulator whose one caller has this policy, besides others that have none. */
async function start(policy: Policy, options: Partial<EmulatorOptions> = {}): Promise<Emulator> {
  const emulator = await startEmulator({
    regions: ['us-east-1', 'cn-north-1'],
    accounts: [ACCOUNT, OTHER],
    principals: {
      AKIDEMULATOR: { account: ACCOUNT, name: 'ci', policy },
      AKIDROOT: { account: ACCOUNT },
      AKIDOTHER: { account: OTHER },
    },
    repositories: ['team/app', 'team/base'],
    ...options,
  });
  atEnd(() => emulator.close());
  return emulator;
}

const denied = (user: string, action: string, resource: string, reason: string) =>
  `User: ${user} is not authorized to perform: ${action} on resource: ${resource} ${reason}`;
const silent = (action: string, resource: string) =>
  denied(USER, action, resource, `because no identity-based policy allows the ${action} action`);

describe('a permission', () => {
  const put = { action: 'ecr:PutImage', resource: APP };

  test.each<[ReturnType<typeof verdictOf>, string, Policy | undefined]>([
    ['allowed', 'there is none', undefined],
    ['allowed', 'it allows just that', [allow(['ecr:PutImage'], APP)]],
    ['allowed', 'it allows everything', [allow(['*'], '*')]],
    ['allowed', 'its patterns stand for it', [allow(['ecr:Put*'], 'arn:aws:ecr:*:*:repository/team/*')]],
    ['allowed', 'a character of its pattern stands for one', [allow(['ecr:Put?mage'], APP)]],
    ['allowed', 'it writes the action in another case', [allow(['ECR:putimage'], APP)]],
    ['allowed', 'it denies another', [allow(['ecr:*'], '*'), deny(['ecr:Batch*'], '*')]],
    ['silent', 'it says nothing', []],
    ['silent', 'it allows another action', [allow(['ecr:BatchGetImage'], APP)]],
    ['silent', 'it allows a part of the action', [allow(['ecr:Put'], APP)]],
    ['silent', 'it allows another repository', [allow(['ecr:*'], `${APP}2`)]],
    ['silent', 'it writes the resource in another case', [allow(['ecr:*'], APP.replace('team', 'TEAM'))]],
    ['silent', 'a dot would have to stand for something else', [allow(['ecr.PutImage'], APP)]],
    ['denied', 'it denies what it allows', [deny(['ecr:PutImage'], APP), allow(['ecr:*'], '*')]],
    ['denied', 'it denies a part of what it allows', [allow(['ecr:*'], '*'), deny(['*'], APP)]],
  ])('finds its policy %s where %s', (verdict, _, policy) => {
    expect(verdictOf(policy, put)).toBe(verdict);
  });

  test('on no resource is not given by one on all repositories', () => {
    const policy = [allow(['ecr:GetAuthorizationToken'], 'arn:aws:ecr:*:*:repository/*')];
    expect(verdictOf(policy, { action: 'ecr:GetAuthorizationToken', resource: '*' })).toBe('silent');
  });
});

describe('the JSON API', () => {
  test('refuses what the policy does not allow, and does nothing of it', async () => {
    const emulator = await start([TOKEN, allow(['ecr:Describe*'], '*')]);
    const client = ecrClient(emulator, 'us-east-1');
    const created = client.send(new CreateRepositoryCommand({ repositoryName: 'new' }));
    await expect(created).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: silent('ecr:CreateRepository', `arn:aws:ecr:us-east-1:${ACCOUNT}:repository/new`),
      $metadata: { httpStatusCode: 400 },
    });
    const { repositories } = await client.send(new DescribeRepositoriesCommand({}));
    expect(repositories?.map(({ repositoryName }) => repositoryName)).toEqual(['team/app', 'team/base']);
    expect(emulator.requests[0]?.needed).toEqual([
      { action: 'ecr:CreateRepository', resource: `arn:aws:ecr:us-east-1:${ACCOUNT}:repository/new` },
    ]);
  });

  test('says when it is denied in so many words', async () => {
    const emulator = await start([allow(['*'], '*'), deny(['ecr:GetAuthorizationToken'], '*')]);
    const sent = ecrClient(emulator, 'us-east-1').send(new GetAuthorizationTokenCommand({}));
    const reason = 'with an explicit deny in an identity-based policy';
    await expect(sent).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: denied(USER, 'ecr:GetAuthorizationToken', '*', reason),
    });
  });

  test('asks for the permission on every repository that a call names', async () => {
    const emulator = await start([allow(['ecr:DescribeRepositories'], APP)]);
    const client = ecrClient(emulator, 'us-east-1');
    const describing = (...repositoryNames: string[]) =>
      client.send(new DescribeRepositoriesCommand({ repositoryNames }));
    expect((await describing('team/app')).repositories).toHaveLength(1);
    await expect(describing('team/app', 'team/base')).rejects.toThrow(/on resource: \S+\/team\/base because/);
    await expect(client.send(new DescribeRepositoriesCommand({}))).rejects.toThrow(
      /on resource: arn:aws:ecr:us-east-1:123456789012:repository\/\* because/,
    );
  });

  test('asks for the permission to give tags too, where a repository is created with some', async () => {
    const emulator = await start([allow(['ecr:CreateRepository'], '*')]);
    const client = ecrClient(emulator, 'us-east-1');
    const tags = [{ Key: 'team', Value: 'a' }];
    await expect(
      client.send(new CreateRepositoryCommand({ repositoryName: 'new', tags })),
    ).rejects.toMatchObject({
      message: silent('ecr:TagResource', `arn:aws:ecr:us-east-1:${ACCOUNT}:repository/new`),
    });
    await client.send(new CreateRepositoryCommand({ repositoryName: 'new' }));
  });

  test('does not know a permission of another partition’s repository', async () => {
    const emulator = await start([allow(['ecr:PutImage'], APP.replace('us-east-1', '*'))]);
    const put = new PutImageCommand({ repositoryName: 'team/app', imageManifest: amd64.text });
    await expect(ecrClient(emulator, 'cn-north-1').send(put)).rejects.toMatchObject({
      message: denied(
        `arn:aws-cn:iam::${ACCOUNT}:user/ci`,
        'ecr:PutImage',
        `arn:aws-cn:ecr:cn-north-1:${ACCOUNT}:repository/team/app`,
        'because no identity-based policy allows the ecr:PutImage action',
      ),
    });
  });
});

describe('/v2/', () => {
  test('takes a push that has the permissions of the documentation, and no other', async () => {
    const emulator = await start([
      TOKEN,
      allow(
        PUSH.map((name) => `ecr:${name}`),
        APP,
      ),
    ]);
    const registry = await logIn(emulator, 'us-east-1');
    await registry.pushImage('team/app', amd64, 'v1');
    expect((await registry.call('GET', '/v2/team/app/manifests/v1')).status).toBe(200);
    expect((await registry.call('GET', '/v2/')).status).toBe(200);
    expect(await errorOf(await registry.call('GET', '/v2/team/app/tags/list'))).toEqual([
      403,
      'DENIED',
      silent('ecr:ListImages', APP),
    ]);
  });

  test.each(['InitiateLayerUpload', 'UploadLayerPart', 'CompleteLayerUpload', 'PutImage'])(
    'refuses a push that may not %s',
    async (missing) => {
      const actions = PUSH.filter((name) => name !== missing).map((name) => `ecr:${name}`);
      const registry = await logIn(await start([TOKEN, allow(actions, APP)]), 'us-east-1');
      expect(await errorOf(await pushed(missing, registry))).toEqual([
        403,
        'DENIED',
        silent(`ecr:${missing}`, APP),
      ]);
    },
  );

  /** The request of a push that needs an operation. */
  function pushed(operation: string, { call, pushBlob, pushManifest }: Registry): Promise<Response> {
    if (operation === 'PutImage') return pushManifest('team/app', 'v1', amd64);
    if (operation === 'InitiateLayerUpload') return call('POST', '/v2/team/app/blobs/uploads/');
    return pushBlob('team/app', amd64.layer);
  }

  test('refuses before it tells whether the repository is there', async () => {
    const emulator = await start([TOKEN]);
    const registry = await logIn(emulator, 'us-east-1');
    expect(await errorOf(await registry.call('GET', '/v2/none/manifests/v1'))).toEqual([
      403,
      'DENIED',
      silent('ecr:BatchGetImage', `arn:aws:ecr:us-east-1:${ACCOUNT}:repository/none`),
    ]);
  });

  test('holds a token to the policy of whom it was given to', async () => {
    const emulator = await start([TOKEN]);
    const [mine, root] = await Promise.all([
      logIn(emulator, 'us-east-1'),
      logIn(emulator, 'us-east-1', 'AKIDROOT'),
    ]);
    expect((await root.call('GET', '/v2/team/app/tags/list')).status).toBe(200);
    expect((await mine.call('GET', '/v2/team/app/tags/list')).status).toBe(403);
  });
});

describe('a mount', () => {
  const from = `/v2/team/app/blobs/uploads/?mount=${digestOf(amd64.layer)}&from=team/base`;
  const base = APP.replace('app', 'base');
  const push = allow(
    PUSH.map((name) => `ecr:${name}`),
    APP,
  );
  const read = allow(['ecr:GetDownloadUrlForLayer'], base);

  async function mounting(policy: Policy, behaviour: EmulatorOptions['behaviour'] = {}) {
    const emulator = await start([TOKEN, ...policy], { behaviour: { blobMounting: true, ...behaviour } });
    const root = await logIn(emulator, 'us-east-1', 'AKIDROOT');
    await root.pushImage('team/base', amd64);
    const registry = await logIn(emulator, 'us-east-1');
    return registry.call('POST', from);
  }

  test('needs the permission to read its source', async () => {
    expect((await mounting([push, read])).status).toBe(201);
    expect(await errorOf(await mounting([push]))).toEqual([
      403,
      'DENIED',
      silent('ecr:GetDownloadUrlForLayer', base),
    ]);
  });

  test('becomes an upload without that permission, where the emulator is told so', async () => {
    expect((await mounting([push], { unreadableMount: 'upload' })).status).toBe(202);
  });

  test('becomes an upload without that permission, where nothing is mounted anyway', async () => {
    expect((await mounting([push], { blobMounting: false })).status).toBe(202);
  });

  test('needs the permission to upload all the same', async () => {
    expect(await errorOf(await mounting([read]))).toEqual([
      403,
      'DENIED',
      silent('ecr:InitiateLayerUpload', APP),
    ]);
  });
});

describe('a push that creates its repository', () => {
  const policy = [
    TOKEN,
    allow(
      PUSH.map((name) => `ecr:${name}`),
      '*',
    ),
  ];
  const create = async (behaviour: EmulatorOptions['behaviour']) => {
    const emulator = await start(policy, { behaviour: { createOnPush: true, ...behaviour } });
    const response = await (await logIn(emulator, 'us-east-1')).call('POST', '/v2/new/blobs/uploads/');
    return { response, needed: emulator.requests.at(-1)?.needed.map(({ action }) => action) };
  };

  test('needs the permission for that, unless the emulator is told otherwise', async () => {
    const refused = await create({});
    expect(await errorOf(refused.response)).toEqual([
      403,
      'DENIED',
      silent('ecr:CreateRepository', `arn:aws:ecr:us-east-1:${ACCOUNT}:repository/new`),
    ]);
    expect(refused.needed).toEqual(['ecr:InitiateLayerUpload', 'ecr:CreateRepository']);
    const taken = await create({ createOnPushNeedsPermission: false });
    expect([taken.response.status, taken.needed]).toEqual([202, ['ecr:InitiateLayerUpload']]);
  });
});

describe('another account', () => {
  const foreigner = `arn:aws:iam::${OTHER}:root`;
  const closed = (action: string) =>
    denied(foreigner, action, APP, `because no resource-based policy allows the ${action} action`);
  const host = `${ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com`;
  const check = new BatchCheckLayerAvailabilityCommand({
    registryId: ACCOUNT,
    repositoryName: 'team/app',
    layerDigests: [digestOf(amd64.layer)],
  });

  test('may do nothing with a repository in the JSON API, until that has a policy', async () => {
    const emulator = await start([allow(['*'], '*')]);
    const client = ecrClient(emulator, 'us-east-1', 'AKIDOTHER');
    await expect(client.send(check)).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: closed('ecr:BatchCheckLayerAvailability'),
    });
    await ecrClient(emulator, 'us-east-1').send(
      new SetRepositoryPolicyCommand({ repositoryName: 'team/app', policyText: OPEN_POLICY }),
    );
    expect((await client.send(check)).layers).toHaveLength(1);
  });

  test('may do nothing with a repository over /v2/, until that has a policy', async () => {
    const emulator = await start([allow(['*'], '*')]);
    const client = ecrClient(emulator, 'us-east-1', 'AKIDOTHER');
    const { authorizationData } = await client.send(
      new GetAuthorizationTokenCommand({ registryIds: [ACCOUNT] }),
    );
    const theirs = registryWith(emulator.url('us-east-1'), authorizationData?.[0]?.authorizationToken ?? '');
    expect(await errorOf(await theirs.call('GET', '/v2/team/app/manifests/v1'))).toEqual([
      403,
      'DENIED',
      closed('ecr:BatchGetImage'),
    ]);
    await ecrClient(emulator, 'us-east-1').send(
      new SetRepositoryPolicyCommand({ repositoryName: 'team/app', policyText: OPEN_POLICY }),
    );
    expect((await theirs.call('GET', '/v2/team/app/manifests/v1')).status).toBe(404);
  });

  test('creates no repository, by no push either', async () => {
    const emulator = await start([], { behaviour: { createOnPush: true } });
    const client = ecrClient(emulator, 'us-east-1', 'AKIDOTHER');
    const input = { registryId: ACCOUNT, repositoryName: 'new' };
    await expect(client.send(new CreateRepositoryCommand(input))).rejects.toThrow(
      'because no resource-based policy allows the ecr:CreateRepository action',
    );
    const { token } = await logIn(emulator, 'us-east-1', 'AKIDOTHER');
    const pushed = await request(`${emulator.url('us-east-1')}/v2/new/blobs/uploads/`, {
      method: 'POST',
      headers: { host, authorization: `Basic ${token}` },
    });
    expect([pushed.statusCode, await pushed.body.text()]).toEqual([
      403,
      expect.stringContaining('no resource-based policy allows the ecr:CreateRepository action'),
    ]);
  });

  test('needs what its own policy does not allow as well', async () => {
    const emulator = await start([], {
      principals: {
        AKIDEMULATOR: { account: ACCOUNT },
        AKIDOTHER: { account: OTHER, policy: [deny(['ecr:Batch*'], '*'), allow(['ecr:*'], '*')] },
      },
    });
    emulator.createRepository('open', { repositoryPolicy: '{}' });
    const client = ecrClient(emulator, 'us-east-1', 'AKIDOTHER');
    const opened = new BatchCheckLayerAvailabilityCommand({ ...check.input, repositoryName: 'open' });
    await expect(client.send(opened)).rejects.toThrow('with an explicit deny in an identity-based policy');
  });
});
