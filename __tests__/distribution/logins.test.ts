import { describe, expect, test } from '@jest/globals';
import { challengedAuthorizer } from '../../src/distribution/auth.ts';
import type { Transport } from '../../src/distribution/transport.ts';
import { imageOf } from '../support/images.ts';
import { openTransport, refuse, repositoryAt, serve } from '../support/server.ts';

const { root } = imageOf('linux/amd64');

describe('with a login', () => {
  const LOGIN = Buffer.from('user:password').toString('base64');
  const login = async () => LOGIN;
  const PULL = { repository: 'app/web', actions: 'pull' } as const;
  const PUSH = { repository: 'app/web', actions: 'pull,push' } as const;

  /** A registry that wants this header; without it, it answers with the challenge. */
  const registryWanting = (header: string, challenge: string) =>
    serve(({ headers }, response) => {
      if (headers.authorization !== header) {
        return refuse(response, 401, 'UNAUTHORIZED', { 'www-authenticate': challenge });
      }
      return response.writeHead(200).end(root.bytes);
    });

  /** A service that gives each scope a token of its own. */
  const tokenService = () =>
    serve(({ path }, response) =>
      response.end(JSON.stringify({ token: new URLSearchParams(path.split('?')[1]).get('scope') })),
    );

  const repositoryWith = (url: string, giveLogin = login) => {
    const authorizer = challengedAuthorizer(url, openTransport(), giveLogin);
    return repositoryAt(url, { authorizer });
  };

  test.each(['Basic realm="registry"', 'basic realm="https://registry.example/",service="x"', 'Basic'])(
    'a registry that asks for user and password gets them, once it has asked: %s',
    async (challenge) => {
      const { url, requests } = await registryWanting(`Basic ${LOGIN}`, challenge);
      const repository = repositoryWith(url);
      expect((await repository.readManifest('v1'))?.digest).toBe(root.digest);
      await repository.readManifest('v1');
      expect(requests.map(({ headers }) => headers.authorization)).toEqual([
        undefined,
        `Basic ${LOGIN}`,
        `Basic ${LOGIN}`,
      ]);
    },
  );

  test('that is wrong a registry is not asked again and again', async () => {
    const { url, requests } = await registryWanting('Basic other', 'Basic realm="registry"');
    const repository = repositoryWith(url);
    await expect(repository.readManifest('v1')).rejects.toMatchObject({ status: 401 });
    await expect(repository.readManifest('v1')).rejects.toMatchObject({ status: 401 });
    expect(requests).toHaveLength(3);
  });

  test('a token service gets user and password, and the registry the token alone', async () => {
    const service = await tokenService();
    const registry = await registryWanting(
      'Bearer repository:app/web:pull',
      `Bearer realm="${service.url}/token",service="test.registry"`,
    );
    expect((await repositoryWith(registry.url).readManifest('v1'))?.digest).toBe(root.digest);
    expect(service.requests.map(({ headers }) => headers.authorization)).toEqual([`Basic ${LOGIN}`]);
    expect(registry.requests.map(({ headers }) => headers.authorization)).toEqual([
      undefined,
      'Bearer repository:app/web:pull',
    ]);
  });

  test('a token service gets them again when the token has run out', async () => {
    let issued = 0;
    const service = await serve((_, response) => {
      issued += 1;
      response.end(JSON.stringify({ token: `t${issued}` }));
    });
    let good = 't1';
    const registry = await serve(({ headers }, response) =>
      headers.authorization === `Bearer ${good}`
        ? response.end(root.bytes)
        : refuse(response, 401, 'UNAUTHORIZED', { 'www-authenticate': `Bearer realm="${service.url}"` }),
    );
    const repository = repositoryWith(registry.url);
    await repository.readManifest('v1');
    good = 't2';
    await repository.readManifest('v1');
    expect(service.requests.map(({ headers }) => headers.authorization)).toEqual(
      Array(2).fill(`Basic ${LOGIN}`),
    );
  });

  test('a token service that refuses them is named, without them', async () => {
    const service = await serve((_, response) => refuse(response, 401, 'UNAUTHORIZED'));
    const registry = await registryWanting('Bearer x', `Bearer realm="${service.url}/token?a=b"`);
    const refusal = repositoryWith(registry.url).readManifest('v1');
    await expect(refusal).rejects.toThrow(
      `GET ${service.url}/token?… answered 401: UNAUTHORIZED: said UNAUTHORIZED`,
    );
    expect(service.requests).toHaveLength(1);
  });

  test('that cannot be read nothing is sent', async () => {
    const { url, requests } = await registryWanting('Basic x', 'Basic realm="registry"');
    const broken = async () => Promise.reject(new Error("docker's settings cannot be read"));
    await expect(repositoryWith(url, broken).readManifest('v1')).rejects.toThrow(/settings cannot be read/);
    expect(requests).toHaveLength(1);
  });

  test('there is one token for each repository, and for reading and for writing', async () => {
    const service = await tokenService();
    const transport = openTransport();
    const authorizer = challengedAuthorizer('http://registry.example', transport, login);
    const other = { ...PULL, repository: 'other' };
    for (const scope of [PULL, PUSH, other]) {
      expect(await authorizer.header(scope)).toBeUndefined();
      await authorizer.challenged(`Bearer realm="${service.url}"`, scope, undefined);
    }
    expect(await Promise.all([PULL, PUSH, other].map((scope) => authorizer.header(scope)))).toEqual([
      'Bearer repository:app/web:pull',
      'Bearer repository:app/web:pull,push',
      'Bearer repository:other:pull',
    ]);
  });

  test('requests that are challenged together ask once, and again when that has failed', async () => {
    const service = await serve((_, response, count) =>
      count === 0 ? refuse(response, 403, 'DENIED') : response.end('{"token":"t"}'),
    );
    let logins = 0;
    const authorizer = challengedAuthorizer('http://registry.example', openTransport(), async () => {
      logins += 1;
      return LOGIN;
    });
    const together = () =>
      Promise.allSettled(
        Array.from({ length: 5 }, () =>
          authorizer.challenged(`Bearer realm="${service.url}"`, PULL, undefined),
        ),
      );
    expect((await together()).map(({ status }) => status)).toEqual(Array(5).fill('rejected'));
    expect(await together()).toEqual(Array(5).fill({ status: 'fulfilled', value: true }));
    // There may be another login than the one that was refused.
    expect([logins, service.requests.length]).toEqual([3, 2]);
  });

  test('that a token service refuses is followed by another one, where there is one', async () => {
    const service = await serve((_, response, count) =>
      count === 0 ? refuse(response, 401, 'UNAUTHORIZED') : response.end('{"token":"t"}'),
    );
    const newer = Buffer.from('AWS:newer').toString('base64');
    const authorizer = challengedAuthorizer('http://registry.example', openTransport(), async (refused) =>
      refused === LOGIN ? newer : LOGIN,
    );
    expect(await authorizer.challenged(`Bearer realm="${service.url}"`, PULL, undefined)).toBe(true);
    expect(service.requests.map(({ headers }) => headers.authorization)).toEqual([
      `Basic ${LOGIN}`,
      `Basic ${newer}`,
    ]);
  });

  test('a request that was sent with an earlier token asks for no other one', async () => {
    const service = await tokenService();
    const authorizer = challengedAuthorizer('http://registry.example', openTransport(), login);
    const challenge = `Bearer realm="${service.url}"`;
    expect(await authorizer.challenged(challenge, PULL, undefined)).toBe(true);
    expect(await authorizer.challenged(challenge, PULL, undefined)).toBe(true);
    expect(await authorizer.challenged(challenge, PULL, 'Bearer earlier')).toBe(true);
    expect(service.requests).toHaveLength(1);
  });

  test.each([
    ['over TLS, from a registry over TLS', 'https://registry.example', 'https://auth.example/token', true],
    ['over plain HTTP, from a registry over TLS', 'https://registry.example', 'http://auth.example/t', false],
    ['over plain HTTP, from one without TLS', 'http://localhost:5000', 'http://localhost:5001/token', true],
    ['over TLS, from one without TLS', 'http://localhost:5000', 'https://auth.example/token', true],
  ])('a token service %s: %s sends to %s: %s', async (_, origin, realm, gets) => {
    const service = await tokenService();
    const transport = openTransport();
    const asked: URL[] = [];
    const redirected: Transport = {
      ...transport,
      send: (request) => {
        asked.push(request.url);
        return transport.send({ ...request, url: new URL(request.url.search, service.url) });
      },
    };
    const authorizer = challengedAuthorizer(origin, redirected, login);
    expect(await authorizer.challenged(`Bearer realm="${realm}"`, PULL, undefined)).toBe(true);
    expect(asked.map(({ origin: at, pathname }) => `${at}${pathname}`)).toEqual([realm]);
    expect(service.requests[0]?.headers.authorization).toBe(gets ? `Basic ${LOGIN}` : undefined);
    expect(await authorizer.header(PULL)).toBe('Bearer repository:app/web:pull');
  });
});
