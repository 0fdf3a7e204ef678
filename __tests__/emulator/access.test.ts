import {
  CreateRepositoryCommand,
  DescribeRegistryCommand,
  DescribeRepositoriesCommand,
  GetAuthorizationTokenCommand,
  SetRepositoryPolicyCommand,
} from '@aws-sdk/client-ecr';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { request } from 'undici';
import { type Emulator, startEmulator } from '../../emulator/emulator.ts';
import { ecrClient, errorOf, logIn, OPEN_POLICY, registryWith } from './support.ts';

const OTHER = '210987654321';
let emulator: Emulator;
let clock = Date.now();

beforeAll(async () => {
  emulator = await startEmulator({
    regions: ['us-east-1', 'eu-west-1'],
    accounts: ['123456789012', OTHER],
    principals: { AKIDEMULATOR: { account: '123456789012' }, AKIDOTHER: { account: OTHER } },
    repositories: ['app'],
    now: () => clock,
  });
});

afterAll(() => emulator.close());

describe('GetAuthorizationToken', () => {
  test('gives a token for AWS that lives twelve hours, and the region’s own address', async () => {
    const client = ecrClient(emulator, 'eu-west-1');
    const { authorizationData } = await client.send(new GetAuthorizationTokenCommand({}));
    const [data] = authorizationData ?? [];
    expect(Buffer.from(data?.authorizationToken ?? '', 'base64').toString()).toMatch(/^AWS:.{20,}$/);
    expect(data?.expiresAt?.getTime()).toBe(clock + 12 * 60 * 60 * 1000);
    expect(data?.proxyEndpoint).toBe(emulator.url('eu-west-1'));
  });

  test('is answered for the region of the signature, whichever port it came to', async () => {
    const client = ecrClient(emulator, 'eu-west-1');
    await client.send(new CreateRepositoryCommand({ repositoryName: 'only/europe' }));
    const here = await client.send(new DescribeRepositoriesCommand({ repositoryNames: ['only/europe'] }));
    expect(here.repositories?.[0]?.repositoryArn).toBe(
      'arn:aws:ecr:eu-west-1:123456789012:repository/only/europe',
    );
    const there = ecrClient(emulator, 'us-east-1').send(
      new DescribeRepositoriesCommand({ repositoryNames: ['only/europe'] }),
    );
    await expect(there).rejects.toMatchObject({ name: 'RepositoryNotFoundException' });
  });
});

describe('the JSON API lets nobody in', () => {
  test('without a signature', async () => {
    const headers = { 'X-Amz-Target': 'AmazonEC2ContainerRegistry_V20150921.DescribeRegistry' };
    const response = await request(emulator.endpoint, { method: 'POST', headers, body: '{}' });
    expect(response.statusCode).toBe(400);
    expect(await response.body.json()).toMatchObject({ __type: 'MissingAuthenticationTokenException' });
  });

  test.each([
    ['an access key that is nobody’s', 'us-east-1', 'AKIDNOBODY', 'UnrecognizedClientException'],
    ['a region that there is none of', 'mars-north-1', 'AKIDEMULATOR', 'UnrecognizedClientException'],
  ])('with %s', async (_, region, key, name) => {
    const sent = ecrClient(emulator, region, key).send(new DescribeRegistryCommand({}));
    await expect(sent).rejects.toMatchObject({ name, $metadata: { httpStatusCode: 400 } });
  });
});

describe('/v2/', () => {
  test('lets a token of its region in', async () => {
    const { call } = await logIn(emulator, 'us-east-1');
    expect((await call('GET', '/v2/')).status).toBe(200);
  });

  test.each([
    ['no token', undefined],
    ['a token of nobody’s', `Basic ${Buffer.from('AWS:made.up').toString('base64')}`],
    ['a bearer token', 'Bearer abc'],
    ['another user', `Basic ${Buffer.from('admin:secret').toString('base64')}`],
  ])('answers %s with 401 and its challenge', async (_, authorization) => {
    const response = await fetch(new URL('/v2/', emulator.endpoint), {
      headers: authorization === undefined ? {} : { authorization },
    });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toMatch(
      /^Basic realm="https:\/\/127\.0\.0\.1:\d+\/",service="ecr.amazonaws.com"$/,
    );
    expect(await response.text()).toBe('Not Authorized');
  });

  test('does not take a token that was tampered with', async () => {
    const { token } = await logIn(emulator, 'us-east-1');
    const [payload = '', seal = ''] = Buffer.from(token, 'base64').toString().slice(4).split('.');
    const grant = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const forged = Buffer.from(JSON.stringify({ ...grant, account: OTHER })).toString('base64url');
    const { call } = registryWith(emulator.endpoint, Buffer.from(`AWS:${forged}.${seal}`).toString('base64'));
    expect((await call('GET', '/v2/')).status).toBe(401);
  });

  test('answers a token of another region with 400', async () => {
    const { token } = await logIn(emulator, 'eu-west-1');
    const { call } = registryWith(emulator.url('us-east-1'), token);
    expect((await call('GET', '/v2/')).status).toBe(400);
  });

  test('answers an expired token with 403 and says what to do', async () => {
    const { call } = await logIn(emulator, 'us-east-1');
    clock += 12 * 60 * 60 * 1000;
    expect(await errorOf(await call('GET', '/v2/'))).toEqual([
      403,
      'DENIED',
      'Your authorization token has expired. Reauthenticate and try again.',
    ]);
  });

  test('goes by the host’s account and region where it names them', async () => {
    const { token } = await logIn(emulator, 'eu-west-1');
    const get = (host: string) =>
      request(`${emulator.url('us-east-1')}/v2/only/europe/tags/list`, {
        headers: { host, authorization: `Basic ${token}` },
      });
    expect((await get('123456789012.dkr.ecr.eu-west-1.amazonaws.com')).statusCode).toBe(200);
    expect((await get('123456789012.dkr-ecr.us-east-1.on.aws')).statusCode).toBe(400);
    expect((await get('999999999999.dkr.ecr.eu-west-1.amazonaws.com')).statusCode).toBe(404);
  });

  test('shows another account nothing, unless the repository has a policy', async () => {
    const client = ecrClient(emulator, 'us-east-1');
    const { token } = await logIn(emulator, 'us-east-1', 'AKIDOTHER');
    const get = () =>
      request(`${emulator.url('us-east-1')}/v2/app/tags/list`, {
        headers: { host: '123456789012.dkr.ecr.us-east-1.amazonaws.com', authorization: `Basic ${token}` },
      });
    expect((await get()).statusCode).toBe(403);
    await client.send(new SetRepositoryPolicyCommand({ repositoryName: 'app', policyText: OPEN_POLICY }));
    expect((await get()).statusCode).toBe(200);
  });

  test('keeps the accounts apart: on a bare address, the token says whose registry it is', async () => {
    const { call } = await logIn(emulator, 'us-east-1', 'AKIDOTHER');
    expect(await errorOf(await call('GET', '/v2/app/tags/list'))).toEqual([
      404,
      'NAME_UNKNOWN',
      `The repository with name 'app' does not exist in the registry with id '${OTHER}'`,
    ]);
  });
});
