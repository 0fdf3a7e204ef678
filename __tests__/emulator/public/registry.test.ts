import { CreateRepositoryCommand } from '@aws-sdk/client-ecr-public';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { challengedAuthorizer } from '../../../src/distribution/auth.ts';
import { Repository } from '../../../src/distribution/repository.ts';
import { createSession } from '../../../src/distribution/session.ts';
import { digestOf } from '../../../src/image/digest.ts';
import { EAGER, openTransport } from '../../support/server.ts';
import { errorOf, imageOf, indexOf } from '../support.ts';
import {
  ACCOUNT,
  askForBearer,
  authorizationToken,
  enter,
  OTHER,
  origin,
  pass,
  publicClient,
  restart,
} from './setup.ts';

const amd64 = imageOf('amd64');
const arm64 = imageOf('arm64');
const TWELVE_HOURS = 12 * 60 * 60 * 1_000;

const makeRepository = () => publicClient().send(new CreateRepositoryCommand({ repositoryName: 'team/one' }));
const challenge = () => `Bearer realm="${origin}/token/",service="public.ecr.aws",scope="aws"`;

beforeEach(makeRepository);

describe('a token of ECR Public', () => {
  test.each([
    ['nothing', undefined],
    ['a token that is no bearer’s', `Basic ${Buffer.from('AWS:made.up').toString('base64')}`],
    ['a token of nobody’s', 'Bearer made.up'],
  ])('is asked for where there is %s', async (_, authorization) => {
    for (const path of ['/v2/', '/v2/acme/team/one/manifests/v1']) {
      const headers = authorization === undefined ? {} : { authorization };
      const response = await fetch(new URL(path, origin), { headers });
      expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, challenge()]);
    }
  });

  test('is given to anybody, and lets them in', async () => {
    const answer = await askForBearer();
    expect(await answer.json()).toEqual({ token: expect.any(String) });
    expect((await (await enter()).call('GET', '/v2/')).status).toBe(200);
  });

  test('is not given to who comes with a login that is nobody’s', async () => {
    const login = Buffer.from('AWS:made.up').toString('base64');
    expect((await askForBearer(login)).status).toBe(401);
  });

  test('is not given to who comes with a login that has expired', async () => {
    const login = await authorizationToken();
    pass(TWELVE_HOURS);
    expect((await errorOf(await askForBearer(login))).slice(0, 2)).toEqual([403, 'DENIED']);
  });

  test.each([undefined, 'AKIDEMULATOR'])('is asked for anew when it has expired (%s)', async (key) => {
    const { call } = await enter(key);
    pass(TWELVE_HOURS - 1);
    expect((await call('GET', '/v2/')).status).toBe(200);
    pass(1);
    const response = await call('GET', '/v2/');
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, challenge()]);
  });

  test('is given by GET alone', async () => {
    const response = await fetch(new URL('/token/', origin), { method: 'POST' });
    expect(response.status).toBe(405);
  });
});

describe('a push to ECR Public', () => {
  test('by its account can be read by anybody', async () => {
    const owner = await enter('AKIDEMULATOR');
    await owner.pushImage('acme/team/one', amd64, amd64.digest);
    await owner.pushImage('acme/team/one', arm64, arm64.digest);
    const index = indexOf(amd64, arm64);
    expect((await owner.pushManifest('acme/team/one', 'v1', index)).status).toBe(201);
    const anybody = await enter();
    const read = await anybody.call('GET', '/v2/acme/team/one/manifests/v1');
    expect([read.status, await read.text()]).toEqual([200, index.text]);
    expect(await (await anybody.call('GET', '/v2/acme/team/one/tags/list')).json()).toEqual({
      name: 'acme/team/one',
      tags: ['v1'],
    });
    const blob = await anybody.call('GET', `/v2/acme/team/one/blobs/${digestOf(amd64.layer)}`);
    expect(blob.status).toBe(307);
    expect(await (await fetch(blob.headers.get('location') ?? '')).text()).toBe(amd64.layer.toString());
  });

  test('may put another image under a tag', async () => {
    const owner = await enter('AKIDEMULATOR');
    for (const image of [amd64, arm64]) {
      expect((await owner.pushImage('acme/team/one', image, 'v1')).status).toBe(201);
    }
    const head = await owner.call('HEAD', '/v2/acme/team/one/manifests/v1');
    expect(head.headers.get('docker-content-digest')).toBe(arm64.digest);
  });

  test('goes by the same rules as one to a private registry', async () => {
    const owner = await enter('AKIDEMULATOR');
    expect(await errorOf(await owner.pushManifest('acme/team/one', 'v1', amd64))).toEqual([
      404,
      'BLOB_UPLOAD_UNKNOWN',
      expect.stringContaining(digestOf(amd64.config)),
    ]);
  });

  test('by nobody in particular is denied', async () => {
    const anybody = await enter();
    expect((await errorOf(await anybody.pushBlob('acme/team/one', amd64.layer))).slice(0, 2)).toEqual([
      403,
      'DENIED',
    ]);
    expect((await anybody.pushManifest('acme/team/one', 'v1', amd64)).status).toBe(403);
    expect((await anybody.call('DELETE', '/v2/acme/team/one/manifests/v1')).status).toBe(403);
  });

  test('by another account is denied', async () => {
    const other = await enter('AKIDOTHER');
    expect(await errorOf(await other.pushBlob('acme/team/one', amd64.layer))).toEqual([
      403,
      'DENIED',
      `User: arn:aws:iam::${OTHER}:root is not authorized to perform: ecr-public:InitiateLayerUpload on resource: arn:aws:ecr-public::${ACCOUNT}:repository/team/one`,
    ]);
  });

  test('that its account’s policy does not allow is denied', async () => {
    const resource = `arn:aws:ecr-public::${ACCOUNT}:repository/team/*`;
    const login = ['ecr-public:GetAuthorizationToken', 'sts:GetServiceBearerToken'];
    const push = ['InitiateLayerUpload', 'UploadLayerPart', 'CompleteLayerUpload'];
    const policy = [
      { effect: 'Allow', actions: [...login, 'ecr-public:CreateRepository'], resources: ['*'] },
      { effect: 'Allow', actions: push.map((name) => `ecr-public:${name}`), resources: [resource] },
    ] as const;
    await restart({ principals: { AKIDEMULATOR: { account: ACCOUNT, policy } } });
    await makeRepository();
    const owner = await enter('AKIDEMULATOR');
    expect((await owner.pushBlob('acme/team/one', amd64.layer)).status).toBe(201);
    expect((await owner.pushBlob('acme/other', amd64.layer)).status).toBe(403);
    expect((await owner.pushManifest('acme/team/one', 'v1', amd64)).status).toBe(403);
  });

  test.each([
    ['acme/team/two', 'team/two', 'acme'],
    ['nobody/team/one', 'team/one', 'nobody'],
  ])('to %s, which is not there, is refused', async (name, repository, alias) => {
    const owner = await enter('AKIDEMULATOR');
    expect(await errorOf(await owner.pushBlob(name, amd64.layer))).toEqual([
      404,
      'NAME_UNKNOWN',
      `The repository with name '${repository}' does not exist in the registry with id '${alias}'`,
    ]);
  });

  test('creates no repository, whatever private registries do', async () => {
    await restart({ behaviour: { createOnPush: true } });
    const owner = await enter('AKIDEMULATOR');
    expect((await owner.pushBlob('acme/new', amd64.layer)).status).toBe(404);
  });

  test('mounts nothing, whatever private registries do', async () => {
    await restart({ behaviour: { blobMounting: true } });
    await makeRepository();
    const owner = await enter('AKIDEMULATOR');
    await owner.pushImage('acme/team/one', amd64, 'v1');
    await publicClient().send(new CreateRepositoryCommand({ repositoryName: 'two' }));
    const mount = `?mount=${digestOf(amd64.layer)}&from=acme/team/one`;
    expect((await owner.call('POST', `/v2/acme/two/blobs/uploads/${mount}`)).status).toBe(202);
  });
});

describe('a client that does as it is challenged', () => {
  test('pushes and pulls', async () => {
    const transport = openTransport();
    const clientFor = (login: () => Promise<string | undefined>) =>
      new Repository({
        origin,
        name: 'acme/team/one',
        session: createSession(origin, transport, challengedAuthorizer(origin, transport, login)),
        retry: EAGER,
      });
    const owner = await enter('AKIDEMULATOR');
    for (const blob of [amd64.config, amd64.layer]) await owner.pushBlob('acme/team/one', blob);
    const bytes = new TextEncoder().encode(amd64.text);
    const { mediaType, digest } = amd64;
    await clientFor(() => authorizationToken()).writeManifest('v1', { mediaType, digest, bytes });
    const read = await clientFor(async () => undefined).readManifest('v1');
    expect(read?.digest).toBe(amd64.digest);
  });
});
