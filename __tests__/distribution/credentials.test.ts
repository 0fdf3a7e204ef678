import { describe, expect, test } from '@jest/globals';
import { challengedAuthorizer, tokenAuthorizer } from '../../src/distribution/auth.ts';
import { imageOf } from '../support/images.ts';
import { openTransport, refuse, repositoryAt, serve } from '../support/server.ts';

const { root } = imageOf('linux/amd64');

describe('an anonymous reader', () => {
  /** A registry that wants a bearer token, with the server that gives it out. */
  async function bearerRegistry(tokens: readonly unknown[], challenge?: (url: string) => string) {
    const giver = await serve((_, response, count) =>
      response.end(JSON.stringify(tokens[Math.min(count, tokens.length - 1)])),
    );
    const realm = challenge?.(giver.url) ?? `Bearer realm="${giver.url}/token",service="test.registry"`;
    const registry = await serve(({ headers }, response) =>
      headers.authorization === 'Bearer good'
        ? response.end(root.bytes)
        : refuse(response, 401, 'UNAUTHORIZED', { 'www-authenticate': realm }),
    );
    return { giver, registry };
  }

  test('asks the token server that the registry names, once', async () => {
    const { giver, registry } = await bearerRegistry([{ token: 'good' }]);
    const repository = repositoryAt(registry.url);
    expect((await repository.readManifest('v1'))?.digest).toBe(root.digest);
    await repository.readManifest('v1');
    expect(giver.requests).toHaveLength(1);
    const asked = new URL(giver.requests[0]?.path ?? '', giver.url);
    expect(asked.pathname).toBe('/token');
    expect(Object.fromEntries(asked.searchParams)).toEqual({
      service: 'test.registry',
      scope: 'repository:app/web:pull',
    });
    expect(giver.requests[0]?.headers).not.toHaveProperty('authorization');
  });

  test('asks with the scope that the registry wants, and takes either name of the token', async () => {
    const { giver, registry } = await bearerRegistry(
      [{ access_token: 'good' }],
      (url) => `bearer realm="${url}/t?a=1",scope="aws"`,
    );
    expect((await repositoryAt(registry.url).readManifest('v1'))?.digest).toBe(root.digest);
    expect(giver.requests[0]?.path).toBe('/t?a=1&scope=aws');
  });

  test('asks for another token when the first has run out', async () => {
    const { giver, registry } = await bearerRegistry([{ token: 'expired' }, { token: 'good' }]);
    const repository = repositoryAt(registry.url);
    await expect(repository.readManifest('v1')).rejects.toMatchObject({ status: 401 });
    expect((await repository.readManifest('v1'))?.digest).toBe(root.digest);
    expect(giver.requests).toHaveLength(2);
  });

  test.each([{}, { token: 7 }, 'nothing', null])('fails when the token server gives %j', async (answer) => {
    const { registry } = await bearerRegistry([answer]);
    await expect(repositoryAt(registry.url).readManifest('v1')).rejects.toThrow(/an answer without a token/);
  });

  test.each(['Basic realm="https://x/"', 'Bearer realm="not a url"', 'Bearer', ''])(
    'is told of the 401 when the challenge is "%s"',
    async (challenge) => {
      const { registry } = await bearerRegistry([{ token: 'good' }], () => challenge);
      await expect(repositoryAt(registry.url).readManifest('v1')).rejects.toMatchObject({ status: 401 });
      expect(registry.requests).toHaveLength(1);
    },
  );

  test('has one token a repository', async () => {
    const giver = await serve((_, response) => response.end('{"token":"good"}'));
    const transport = openTransport();
    const authorizer = challengedAuthorizer('https://registry.example', transport);
    const scope = { repository: 'one', actions: 'pull' } as const;
    await authorizer.challenged(`Bearer realm="${giver.url}"`, scope, undefined);
    expect(await authorizer.header(scope)).toBe('Bearer good');
    expect(await authorizer.header({ ...scope, repository: 'other' })).toBeUndefined();
  });
});

describe('a token that somebody else keeps', () => {
  /** Gives the tokens one after the other, each as soon as the one before was refused. */
  function renewing(...tokens: string[]) {
    let position = 0;
    return tokenAuthorizer(async (refused) => {
      if (refused === tokens[position] && position < tokens.length - 1) position += 1;
      return tokens[position] ?? '';
    });
  }

  test('is renewed when the registry answers 401 in the middle of the work', async () => {
    const { url, requests } = await serve(({ headers }, response, count) =>
      headers.authorization === (count === 0 ? 'Basic old' : 'Basic new')
        ? response.end(root.bytes)
        : refuse(response, 401, 'UNAUTHORIZED'),
    );
    const repository = repositoryAt(url, { authorizer: renewing('Basic old', 'Basic new') });
    await repository.readManifest('v1');
    expect((await repository.readManifest('v1'))?.digest).toBe(root.digest);
    expect(requests.map(({ headers }) => headers.authorization)).toEqual([
      'Basic old',
      'Basic old',
      'Basic new',
    ]);
  });

  test('is renewed in an upload, whose body is sent anew', async () => {
    const { url, requests } = await serve(({ headers }, response) =>
      headers.authorization === 'Basic new'
        ? response.writeHead(201).end()
        : refuse(response, 401, 'UNAUTHORIZED'),
    );
    await repositoryAt(url, { authorizer: renewing('Basic old', 'Basic new') }).writeManifest('v1', root);
    expect(requests.map(({ body }) => body)).toEqual([Buffer.from(root.bytes), Buffer.from(root.bytes)]);
  });

  test('is renewed when ECR says that it has expired', async () => {
    const { url } = await serve(({ headers }, response) => {
      if (headers.authorization === 'Basic new') return response.end(root.bytes);
      const message = 'Your authorization token has expired. Reauthenticate and try again.';
      return response.writeHead(403).end(JSON.stringify({ errors: [{ code: 'DENIED', message }] }));
    });
    const repository = repositoryAt(url, { authorizer: renewing('Basic old', 'Basic new') });
    expect((await repository.readManifest('v1'))?.digest).toBe(root.digest);
  });

  test('is renewed once for a 403 to a HEAD, which has no words', async () => {
    const { url, requests } = await serve(({ headers }, response) =>
      response.writeHead(headers.authorization === 'Basic new' ? 200 : 403, { 'content-length': '5' }).end(),
    );
    const repository = repositoryAt(url, { authorizer: renewing('Basic old', 'Basic new', 'Basic newer') });
    expect(await repository.statBlob(root.digest)).toBe(5);
    expect(requests).toHaveLength(2);
  });

  test('is not renewed again and again where HEAD is not allowed', async () => {
    const { url, requests } = await serve((_, response) => response.writeHead(403).end());
    const repository = repositoryAt(url, { authorizer: renewing('Basic old', 'Basic new', 'Basic newer') });
    await expect(repository.statBlob(root.digest)).rejects.toMatchObject({ status: 403 });
    await expect(repository.statBlob(root.digest)).rejects.toMatchObject({ status: 403 });
    expect(requests.map(({ headers }) => headers.authorization)).toEqual([
      'Basic old',
      'Basic new',
      'Basic new',
    ]);
  });

  test('is not renewed for any other refusal', async () => {
    const { url, requests } = await serve((_, response) => refuse(response, 403, 'DENIED'));
    const repository = repositoryAt(url, { authorizer: renewing('Basic old', 'Basic new') });
    await expect(repository.readManifest('v1')).rejects.toMatchObject({ status: 403, codes: ['DENIED'] });
    expect(requests).toHaveLength(1);
  });

  test('that has no successor is refused once, without a loop', async () => {
    const { url, requests } = await serve((_, response) => refuse(response, 401, 'UNAUTHORIZED'));
    const repository = repositoryAt(url, { authorizer: renewing('Basic only') });
    await expect(repository.readManifest('v1')).rejects.toMatchObject({ status: 401 });
    expect(requests).toHaveLength(1);
  });
});
