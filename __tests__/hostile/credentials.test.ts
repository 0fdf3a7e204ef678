import { describe, expect, test } from '@jest/globals';
import { challengedAuthorizer, tokenAuthorizer } from '../../src/distribution/auth.ts';
import { RegistryError } from '../../src/distribution/errors.ts';
import { createSession } from '../../src/distribution/session.ts';
import type { HttpRequest, HttpResponse, Transport } from '../../src/distribution/transport.ts';
import { blobOf, imageOf, OCI_LAYER } from '../support/images.ts';
import { refuse, serve, type TestServer } from '../support/server.ts';
import { clientOf, impatientTransport, rejectionOf } from './support.ts';

const { root } = imageOf('linux/amd64');
const content = Buffer.from('a layer');
const layer = blobOf(content, OCI_LAYER);
const SECRET = 'Basic c2VjcmV0';
const keeper = tokenAuthorizer(async () => SECRET);

/** A server that must not be told the secret; gives what it was told. */
async function eavesdropper(status = 200): Promise<TestServer> {
  return serve((_, response) => response.writeHead(status).end(content));
}

/** The requests that carried credentials. */
function told({ requests }: TestServer): string[] {
  return requests.flatMap(({ headers }) => headers.authorization ?? []);
}

describe('where an upload goes', () => {
  /** Uploads the layer to a registry that says it is taken there. */
  async function upload(location: string) {
    const registry = await serve(({ method }, response) =>
      response.writeHead(method === 'POST' ? 202 : 201, method === 'POST' ? { location } : {}).end(),
    );
    const { Readable } = await import('node:stream');
    const sent = clientOf(registry.url, keeper).writeBlob(layer, async () => Readable.from([content]));
    return { registry, sent };
  }

  test('another port of the same host is not told the credentials', async () => {
    const other = await eavesdropper(201);
    const { registry, sent } = await upload(`${other.url}/upload?state=1`);
    expect(await sent).toBe('sent');
    expect(told(other)).toEqual([]);
    expect(told(registry)).toEqual([SECRET]);
    expect(other.requests[0]?.path).toMatch(/^\/upload\?state=1&digest=sha256/);
  });

  test('nor does a name and a password in it become a header', async () => {
    const other = await eavesdropper(201);
    const { sent } = await upload(other.url.replace('http://', 'http://user:pass@'));
    await sent;
    expect(told(other)).toEqual([]);
  });

  test('another host that wants credentials gets none, and is told of without what is secret', async () => {
    const other = await serve((_, response) => refuse(response, 401, 'UNAUTHORIZED'));
    const { sent } = await upload(`${other.url.replace('//', '//u:p@')}/up?X-Amz-Signature=s3cr3t`);
    const error = await rejectionOf(sent);
    expect(error).toMatchObject({ status: 401 });
    expect(String(error)).not.toMatch(/s3cr3t|u:p/);
    expect(other.requests).toHaveLength(1);
    expect(told(other)).toEqual([]);
  });

  test.each(['file:///etc/passwd', 'javascript:alert(1)', 'data:,x', 'ftp://example.com/x', 'http://[', ''])(
    'is not %s',
    async (location) => {
      const { registry, sent } = await upload(location);
      const error = await rejectionOf(sent);
      expect(error).toBeInstanceOf(RegistryError);
      expect(String(error)).toMatch(/no upload location/);
      expect(registry.requests).toHaveLength(1);
    },
  );
});

describe('a registry that is spoken to over TLS', () => {
  const ORIGIN = 'https://registry.example';
  const scope = { repository: 'app/web', actions: 'pull' } as const;

  /** A transport that gives these answers one after the other, and keeps the requests. */
  function scripted(...answers: { status: number; headers?: Record<string, string>; body?: string }[]) {
    const requests: HttpRequest[] = [];
    const transport: Transport = {
      async send(request) {
        requests.push(request);
        const { status, headers = {}, body = '' } = answers[requests.length - 1] ?? { status: 500 };
        const response: Partial<HttpResponse> = {
          status,
          header: (name) => headers[name],
          bytes: async () => Buffer.from(body),
          drain: async () => undefined,
        };
        return Object.assign(Object.create(null), response);
      },
      prepare: () => undefined,
      close: async () => undefined,
    };
    return { transport, requests };
  }

  test.each([
    'http://169.254.169.254/latest/meta-data/',
    'http://registry.example/plain',
    'file:///etc/passwd',
    'javascript:alert(1)',
    '//user:pass@[',
  ])('does not lead a download to %s', async (location) => {
    const { transport, requests } = scripted({ status: 307, headers: { location } });
    const session = createSession(ORIGIN, transport, keeper);
    const url = new URL('/v2/app/web/blobs/x', ORIGIN);
    await expect(session.send({ method: 'GET', url, scope, expect: [200] })).rejects.toMatchObject({
      status: 307,
    });
    expect(requests).toHaveLength(1);
  });

  test.each(['https://169.254.169.254/', 'https://registry.example:8443/', 'https://registry.example.evil/'])(
    'does not have its credentials sent to %s',
    async (location) => {
      const { transport, requests } = scripted({ status: 307, headers: { location } }, { status: 200 });
      const session = createSession(ORIGIN, transport, keeper);
      await session.send({ method: 'GET', url: new URL('/x', ORIGIN), scope, expect: [200] });
      expect(requests.map(({ headers }) => headers?.authorization)).toEqual([SECRET, undefined]);
    },
  );

  test('does not have a write led elsewhere', async () => {
    const { transport, requests } = scripted({ status: 307, headers: { location: 'https://evil.example/' } });
    const session = createSession(ORIGIN, transport, keeper);
    const request = { method: 'PUT', url: new URL('/x', ORIGIN), scope, expect: [201] } as const;
    await expect(session.send(request)).rejects.toMatchObject({ status: 307 });
    expect(requests).toHaveLength(1);
  });

  test.each([
    'file:///etc/passwd',
    'javascript:1',
    'data:application/json,{}',
    'ftp://a.example/',
    'x',
    '/t',
  ])('does not have %s asked for a token', async (realm) => {
    const { transport, requests } = scripted({ status: 200, body: '{"token":"good"}' });
    const authorizer = challengedAuthorizer(ORIGIN, transport, async () => 'c2VjcmV0');
    const challenged = authorizer.challenged(`Bearer realm="${realm}"`, scope, undefined);
    expect(await challenged).toBe(false);
    expect(requests).toEqual([]);
  });

  test('has a token service that is asked without TLS asked as nobody', async () => {
    const { transport, requests } = scripted({ status: 200, body: '{"token":"good"}' });
    const authorizer = challengedAuthorizer(ORIGIN, transport, async () => 'c2VjcmV0');
    await authorizer.challenged('Bearer realm="http://169.254.169.254/latest/"', scope, undefined);
    expect(requests.map(({ headers }) => headers?.authorization)).toEqual([undefined]);
  });

  test('has a name and a password in the address of its token service left out', async () => {
    const { transport, requests } = scripted({ status: 500, body: 'no' });
    const authorizer = challengedAuthorizer(ORIGIN, transport, async () => 'c2VjcmV0');
    const realm = 'https://user:pass@auth.example/token?a=1';
    const error = await rejectionOf(authorizer.challenged(`Bearer realm="${realm}"`, scope, undefined));
    expect(requests[0]?.url.href).toBe('https://auth.example/token?a=1&scope=repository%3Aapp%2Fweb%3Apull');
    expect(String(error)).not.toMatch(/user|pass/);
  });

  test.each(['a\r\nX-Injected: 1', 'ü', ' ', 'a b', '\u0000'])(
    'cannot have the token %j put into a header',
    async (token) => {
      const { transport } = scripted({ status: 200, body: JSON.stringify({ token }) });
      const authorizer = challengedAuthorizer(ORIGIN, transport);
      const challenged = authorizer.challenged('Bearer realm="https://a.example"', scope, undefined);
      await expect(challenged).rejects.toThrow(/an answer without a token/);
      expect(await authorizer.header(scope)).toBeUndefined();
    },
  );

  test('has its own words in the question for a token as one parameter each', async () => {
    const { transport, requests } = scripted({ status: 200, body: '{"token":"good"}' });
    const authorizer = challengedAuthorizer(ORIGIN, transport);
    const challenge = 'Bearer realm="https://a.example/t",service="x&scope=evil#",scope="a\tb&c=d"';
    await authorizer.challenged(challenge, scope, undefined);
    expect([...(requests[0]?.url.searchParams ?? [])]).toEqual([
      ['service', 'x&scope=evil#'],
      ['scope', 'a\tb&c=d'],
    ]);
  });
});

describe('a download', () => {
  test('is led through at most five places, none of which is told the credentials', async () => {
    const elsewhere: TestServer = await serve(({ path }, response) =>
      response.writeHead(302, { location: `${path}x` }).end(),
    );
    const registry = await serve((_, response) =>
      response.writeHead(307, { location: `${elsewhere.url}/a` }).end(),
    );
    await expect(clientOf(registry.url, keeper).readBlob(layer)).rejects.toThrow(
      /redirects more than 5 times/,
    );
    expect(elsewhere.requests).toHaveLength(5);
    expect(told(elsewhere)).toEqual([]);
  });

  test('that another place wants credentials for gets none, and its token service is not asked', async () => {
    const giver = await eavesdropper();
    const elsewhere = await serve((_, response) =>
      refuse(response, 401, 'UNAUTHORIZED', { 'www-authenticate': `Bearer realm="${giver.url}"` }),
    );
    const registry = await serve((_, response) =>
      response.writeHead(307, { location: `${elsewhere.url}/a` }).end(),
    );
    const transport = impatientTransport();
    const authorizer = challengedAuthorizer(registry.url, transport, async () => 'c2VjcmV0');
    await expect(clientOf(registry.url, authorizer).readBlob(layer)).rejects.toMatchObject({ status: 401 });
    expect(giver.requests).toEqual([]);
    expect(elsewhere.requests).toHaveLength(1);
  });
});

test('a registry that wants another token each time is not asked without end', async () => {
  let given = 0;
  const giver = await serve((_, response) => response.end(JSON.stringify({ token: `t${given++}` })));
  const registry = await serve((_, response) =>
    refuse(response, 401, 'UNAUTHORIZED', { 'www-authenticate': `Bearer realm="${giver.url}"` }),
  );
  await expect(clientOf(registry.url).writeManifest('v1', root)).rejects.toMatchObject({ status: 401 });
  expect(registry.requests).toHaveLength(2);
  expect(giver.requests).toHaveLength(1);
});
