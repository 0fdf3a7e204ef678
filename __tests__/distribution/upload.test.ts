import { Readable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { tokenAuthorizer } from '../../src/distribution/auth.ts';
import { blobOf, OCI_LAYER, utf8 } from '../support/images.ts';
import { refuse, repositoryAt, serve, serveRaw } from '../support/server.ts';

const content = Buffer.from('a layer');
const descriptor = blobOf(content, OCI_LAYER);
const LOCATION = '/v2/app/web/blobs/uploads/1?state=s%2Fx';

/** Opens the content as a stream, and counts how often. */
function opener(bytes: Uint8Array = content) {
  const counter = { opened: 0 };
  const open = async () => {
    counter.opened += 1;
    return Readable.from([Buffer.from(bytes)], { objectMode: false });
  };
  return { counter, open };
}

describe('uploading a blob', () => {
  test('is one POST and one PUT of the whole, with its length and digest', async () => {
    const { url, requests } = await serve(({ method }, response) =>
      method === 'POST'
        ? response.writeHead(202, { location: LOCATION }).end()
        : response.writeHead(201).end(),
    );
    await repositoryAt(url).writeBlob(descriptor, opener().open);
    expect(requests.map(({ method }) => method)).toEqual(['POST', 'PUT']);
    expect(requests[0]).toMatchObject({
      path: '/v2/app/web/blobs/uploads/',
      headers: { 'content-length': '0' },
    });
    expect(requests[1]?.path).toBe(`${LOCATION}&digest=${encodeURIComponent(descriptor.digest)}`);
    expect(requests[1]?.headers).toMatchObject({ 'content-length': '7' });
    expect(requests[1]?.headers).not.toHaveProperty('transfer-encoding');
    expect(requests[1]?.body.toString()).toBe('a layer');
  });

  test.each([
    ['DIGEST_INVALID', 'provided digest did not match uploaded content'],
    ['BLOB_UPLOAD_INVALID', 'None of the provided layer digests match the calculated layer digest'],
  ])('begins again when other bytes arrived than were sent (%s)', async (code, message) => {
    const { url, requests } = await serve(({ method }, response, count) => {
      if (method === 'POST') return response.writeHead(202, { location: LOCATION }).end();
      if (count > 1) return response.writeHead(201).end();
      return response.writeHead(400).end(JSON.stringify({ errors: [{ code, message }] }));
    });
    const { counter, open } = opener();
    await repositoryAt(url).writeBlob(descriptor, open);
    expect(requests.map(({ method }) => method)).toEqual(['POST', 'PUT', 'POST', 'PUT']);
    expect(counter.opened).toBe(2);
  });

  test('does not begin again when the registry does not like it', async () => {
    const { url, requests } = await serve(({ method }, response) =>
      method === 'POST'
        ? response.writeHead(202, { location: LOCATION }).end()
        : refuse(response, 400, 'BLOB_UPLOAD_INVALID'),
    );
    await expect(repositoryAt(url).writeBlob(descriptor, opener().open)).rejects.toMatchObject({
      codes: ['BLOB_UPLOAD_INVALID'],
    });
    expect(requests).toHaveLength(2);
  });

  test('does not try again what its source has tried in vain', async () => {
    const { url, requests } = await serve(({ method }, response) => {
      if (method === 'POST') return response.writeHead(202, { location: LOCATION }).end();
      return refuse(response, 503, 'BUSY');
    });
    const repository = repositoryAt(url);
    const writing = repository.writeBlob(descriptor, () => repository.readBlob(descriptor));
    await expect(writing).rejects.toMatchObject({ method: 'GET', status: 503 });
    expect(requests.map(({ method }) => method)).toEqual(['POST', 'GET', 'GET', 'GET', 'GET']);
  });

  test('of no bytes says the length 0', async () => {
    const empty = blobOf(new Uint8Array(), OCI_LAYER);
    const { url, requests } = await serve(({ method }, response) =>
      response.writeHead(method === 'POST' ? 202 : 201, { location: LOCATION }).end(),
    );
    await repositoryAt(url).writeBlob(empty, opener().open);
    expect(requests[1]?.headers).toMatchObject({ 'content-length': '0' });
    expect(requests[1]?.headers).not.toHaveProperty('transfer-encoding');
  });

  test('arrives whole whatever the bytes', async () => {
    const { url, requests } = await serve(({ method }, response) =>
      response.writeHead(method === 'POST' ? 202 : 201, { location: LOCATION }).end(),
    );
    const repository = repositoryAt(url);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 1000 }), async (bytes) => {
        await repository.writeBlob(blobOf(bytes, OCI_LAYER), opener(bytes).open);
        expect(requests.at(-1)?.body).toEqual(Buffer.from(bytes));
      }),
      { numRuns: 30 },
    );
  });

  test('begins anew, with the body opened anew, when the registry is busy', async () => {
    const { url, requests } = await serve(({ method }, response, count) => {
      if (method === 'POST') response.writeHead(202, { location: LOCATION }).end();
      else if (count < 2) refuse(response, 429, 'TOOMANYREQUESTS', { 'retry-after': '0' });
      else if (count < 4) refuse(response, 503, 'UNAVAILABLE');
      else response.writeHead(201).end();
    });
    const { counter, open } = opener();
    await repositoryAt(url).writeBlob(descriptor, open);
    expect(counter.opened).toBe(3);
    expect(requests.map(({ method }) => method)).toEqual(['POST', 'PUT', 'POST', 'PUT', 'POST', 'PUT']);
    expect(requests.at(-1)?.body.toString()).toBe('a layer');
  });

  test('begins anew when the connection is cut in the middle', async () => {
    const large = Buffer.alloc(3_000_000, 'x');
    let cuts = 0;
    let arrived = 0;
    const url = await serveRaw(async (request, response) => {
      if (request.method === 'POST') return response.writeHead(202, { location: LOCATION }).end();
      if (cuts < 2) {
        cuts += 1;
        return request.once('data', () => request.socket.resetAndDestroy());
      }
      for await (const chunk of request) arrived += chunk.length;
      return response.writeHead(201).end();
    });
    const { counter, open } = opener(large);
    await repositoryAt(url).writeBlob(blobOf(large, OCI_LAYER), open);
    expect(arrived).toBe(large.length);
    expect(counter.opened).toBe(3);
  });

  test('tries again when what gives the content breaks off, and gives up with its error', async () => {
    const { url } = await serve(({ method }, response) =>
      response.writeHead(method === 'POST' ? 202 : 201, { location: LOCATION }).end(),
    );
    const broken = Object.assign(new Error('the source broke off'), { code: 'ECONNRESET' });
    let opened = 0;
    const open = async () => {
      opened += 1;
      return Readable.from(
        (async function* () {
          yield Buffer.from('a l');
          throw broken;
        })(),
        { objectMode: false },
      );
    };
    await expect(repositoryAt(url).writeBlob(descriptor, open)).rejects.toThrow(/the source broke off/);
    expect(opened).toBe(4);
  });

  test('does not try again what the registry has refused for good', async () => {
    const { url, requests } = await serve(({ method }, response) =>
      method === 'POST'
        ? response.writeHead(202, { location: LOCATION }).end()
        : refuse(response, 400, 'BLOB_UPLOAD_INVALID'),
    );
    await expect(repositoryAt(url).writeBlob(descriptor, opener().open)).rejects.toMatchObject({
      status: 400,
      codes: ['BLOB_UPLOAD_INVALID'],
    });
    expect(requests).toHaveLength(2);
  });

  test('goes where the registry says, and takes no credentials to another origin', async () => {
    const other = await serve((_, response) => response.writeHead(201).end());
    const registry = await serve((_, response) =>
      response.writeHead(202, { location: `${other.url}/put?sig=1` }).end(),
    );
    const authorizer = tokenAuthorizer(async () => 'Basic secret');
    await repositoryAt(registry.url, { authorizer }).writeBlob(descriptor, opener().open);
    expect(registry.requests[0]?.headers.authorization).toBe('Basic secret');
    expect(other.requests[0]?.path).toContain('/put?sig=1&digest=sha256');
    expect(other.requests[0]?.headers).not.toHaveProperty('authorization');
    expect(other.requests[0]?.body.toString()).toBe('a layer');
  });

  test.each([{}, { location: 'http://[' }])(
    'fails when the registry does not say where: %j',
    async (headers) => {
      const { url } = await serve((_, response) => response.writeHead(202, { ...headers }).end());
      await expect(repositoryAt(url).writeBlob(descriptor, opener().open)).rejects.toThrow(
        /no upload location/,
      );
    },
  );

  test('is not led elsewhere by a redirect', async () => {
    const { url } = await serve((_, response) => response.writeHead(307, { location: '/elsewhere' }).end());
    await expect(repositoryAt(url).writeBlob(descriptor, opener().open)).rejects.toMatchObject({
      status: 307,
    });
  });
});

test('a size is counted in bytes when a text has characters of several', async () => {
  const text = utf8('Grüße 🐳');
  const { url, requests } = await serve(({ method }, response) =>
    response.writeHead(method === 'POST' ? 202 : 201, { location: LOCATION }).end(),
  );
  await repositoryAt(url).writeBlob(blobOf(text, OCI_LAYER), opener(text).open);
  expect(requests[1]?.headers['content-length']).toBe('12');
});
