import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { BlobStore } from '../../../src/distribution/server/blobStore.ts';
import { createRegistryHandler } from '../../../src/distribution/server/handler.ts';
import { type Listening, listen } from '../../../src/distribution/server/listen.ts';
import { digestOf } from '../../../src/image/digest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../../../src/image/mediaTypes.ts';
import { MemoryBackend } from './memoryBackend.ts';

let server: Listening;
let store: BlobStore;
let backend: MemoryBackend;
let base: string;

beforeEach(async () => {
  store = new BlobStore(await mkdtemp(join(tmpdir(), 'registry-')));
  backend = new MemoryBackend(store);
  server = await listen(createRegistryHandler(backend), { host: '127.0.0.1', port: 0 });
  base = `http://127.0.0.1:${server.port}`;
});

afterEach(async () => {
  await server.close();
  await store.destroy();
});

const hello = Buffer.from('hello, registry');

function call(method: string, path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(new URL(path, base), { method, redirect: 'manual', ...init });
}

async function start(): Promise<string> {
  const response = await call('POST', '/v2/app/web/blobs/uploads/');
  expect(response.status).toBe(202);
  return response.headers.get('location') ?? '';
}

async function push(content: Buffer): Promise<Response> {
  return call('PUT', `${await start()}?digest=${digestOf(content)}`, { body: new Uint8Array(content) });
}

async function codeOf(response: Response): Promise<unknown> {
  const body: unknown = await response.json();
  return JSON.parse(JSON.stringify(body)).errors[0].code;
}

/** Sends bytes as they are, and gives what came back when the connection ends or the time is over. */
async function raw(text: string, wait = 500): Promise<string> {
  const socket = connect(server.port, '127.0.0.1');
  let received = '';
  socket.on('data', (chunk) => {
    received += chunk.toString();
  });
  socket.on('error', () => {});
  socket.write(text);
  await Promise.race([once(socket, 'close'), sleep(wait)]);
  socket.destroy();
  return received;
}

describe('addresses', () => {
  test('GET /v2/ says that the API is there', async () => {
    const response = await call('GET', '/v2/');
    expect(response.status).toBe(200);
    expect(response.headers.get('docker-distribution-api-version')).toBe('registry/2.0');
  });

  test.each([
    ['GET', '/v2/app/web', 404, 'UNSUPPORTED'],
    ['GET', '/v3/', 404, 'UNSUPPORTED'],
    ['GET', '/v2/APP/tags/list', 400, 'NAME_INVALID'],
    ['GET', '/v2/..%2f..%2fetc/tags/list', 400, 'NAME_INVALID'],
    ['GET', '/v2/app/web/blobs/sha256:short', 400, 'DIGEST_INVALID'],
    ['GET', '/v2/app/web/blobs/..%2f..%2fetc%2fpasswd', 404, 'UNSUPPORTED'],
    ['GET', '/v2/%ff/tags/list', 400, 'NAME_INVALID'],
    ['GET', '/v2/app/web/manifests/.dot', 400, 'TAG_INVALID'],
    ['GET', '/v2/app/web/manifests/sha512:abc', 400, 'DIGEST_INVALID'],
    ['GET', '/v2/app/web/manifests/nothing', 404, 'MANIFEST_UNKNOWN'],
    ['GET', `/v2/app/web/blobs/${digestOf(hello)}`, 404, 'BLOB_UNKNOWN'],
    ['GET', '/v2/other/tags/list', 404, 'NAME_UNKNOWN'],
    ['POST', '/v2/app/web/tags/list', 405, 'UNSUPPORTED'],
    ['DELETE', `/v2/app/web/blobs/${digestOf(hello)}`, 405, 'UNSUPPORTED'],
    ['PATCH', '/v2/app/web/blobs/uploads/none', 404, 'BLOB_UPLOAD_UNKNOWN'],
  ])('%s %s is refused with %i %s', async (method, path, status, code) => {
    const response = await call(method, path);
    expect([response.status, await codeOf(response)]).toEqual([status, code]);
  });

  test('a digest may come percent-encoded', async () => {
    await push(hello);
    const response = await call('HEAD', `/v2/app/web/blobs/${encodeURIComponent(digestOf(hello))}`);
    expect(response.status).toBe(200);
  });

  test('an unexpected failure tells the client nothing of its cause', async () => {
    const response = await call('GET', '/v2/broken/tags/list');
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('secret');
  });
});

describe('uploads', () => {
  test('POST and one PUT bring a blob, whose digest and size are told before its bytes', async () => {
    const response = await push(hello);
    expect(response.status).toBe(201);
    expect(response.headers.get('docker-content-digest')).toBe(digestOf(hello));
    expect(backend.repositoryBackend.records[0]?.whole).toEqual([
      { digest: digestOf(hello), size: hello.length },
    ]);
    const head = await call('HEAD', response.headers.get('location') ?? '');
    expect(head.headers.get('content-length')).toBe(String(hello.length));
  });

  test('one POST brings a blob', async () => {
    const init = { body: new Uint8Array(hello) };
    const response = await call('POST', `/v2/app/web/blobs/uploads/?digest=${digestOf(hello)}`, init);
    expect(response.status).toBe(201);
    expect(await store.stat(digestOf(hello))).toBe(hello.length);
  });

  test('PATCH without a length and an empty PUT bring a blob, as dockerd pushes', async () => {
    const location = await start();
    const body = new Blob([new Uint8Array(hello)]).stream();
    const patch = await call('PATCH', location, { body, duplex: 'half' });
    expect([patch.status, patch.headers.get('range')]).toEqual([202, `0-${hello.length - 1}`]);
    const put = await call('PUT', `${location}?digest=${digestOf(hello)}`);
    expect(put.status).toBe(201);
  });

  test('chunks of any length give the same blob', async () => {
    const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 2_000 }), {
      minLength: 1,
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(chunks, async (parts) => {
        const content = Buffer.concat(parts);
        const location = await start();
        let sent = 0;
        for (const part of parts) {
          const headers = { 'Content-Range': `${sent}-${sent + part.length - 1}` };
          const response = await call('PATCH', location, { body: new Uint8Array(part), headers });
          sent += part.length;
          expect(response.headers.get('range')).toBe(`0-${sent - 1}`);
        }
        const put = await call('PUT', `${location}?digest=${digestOf(content)}`);
        expect(put.status).toBe(201);
        expect(await store.stat(digestOf(content))).toBe(content.length);
      }),
      { numRuns: 25 },
    );
  });

  test('a chunk out of order is refused with 416 and told where to go on', async () => {
    const location = await start();
    await call('PATCH', location, { body: 'abc', headers: { 'Content-Range': '0-2' } });
    const response = await call('PATCH', location, { body: 'abc', headers: { 'Content-Range': '0-2' } });
    expect([response.status, response.headers.get('range'), await codeOf(response)]).toEqual([
      416,
      '0-2',
      'BLOB_UPLOAD_INVALID',
    ]);
    const state = await call('GET', location);
    expect([state.status, state.headers.get('range')]).toEqual([204, '0-2']);
  });

  test('a blob of another digest is refused and dropped', async () => {
    const response = await call('PUT', `${await start()}?digest=${digestOf(hello)}`, { body: 'other' });
    expect([response.status, await codeOf(response)]).toEqual([400, 'DIGEST_INVALID']);
    expect(backend.repositoryBackend.uploads.size).toBe(0);
  });

  test('DELETE ends an upload', async () => {
    const location = await start();
    expect((await call('DELETE', location)).status).toBe(204);
    expect((await call('PATCH', location, { body: 'x' })).status).toBe(404);
  });

  test('a blob that can be mounted needs no upload, any other gets one', async () => {
    backend.repositoryBackend.mountable = digestOf(hello);
    const mounted = await call('POST', `/v2/app/web/blobs/uploads/?mount=${digestOf(hello)}&from=other/app`);
    expect(mounted.status).toBe(201);
    const other = digestOf(Buffer.from('other'));
    const refused = await call('POST', `/v2/app/web/blobs/uploads/?mount=${other}&from=other/app`);
    expect(refused.status).toBe(202);
  });

  test('a client that goes away in the middle aborts its upload and nothing else', async () => {
    const location = await start();
    const reply = raw(
      `PUT ${location}?digest=${digestOf(hello)} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc`,
      50,
    );
    await reply;
    while (backend.repositoryBackend.records[0]?.aborted !== true) await sleep(5);
    expect((await push(hello)).status).toBe(201);
  });

  test('a refused large body gets its answer, and its connection ends', async () => {
    const big = Buffer.alloc(400_000, 'x').toString();
    const reply = await raw(
      `PUT /v2/none/blobs/uploads/x?digest=${digestOf(hello)} HTTP/1.1\r\nHost: x\r\nContent-Length: 400000\r\n\r\n${big}`,
      3_000,
    );
    expect(reply).toContain('404 Not Found');
    expect(reply).toContain('Connection: close');
    expect(reply).toContain('NAME_UNKNOWN');
  });

  test('a refused small body leaves its connection to the next request', async () => {
    const reply = await raw(
      `PUT /v2/none/manifests/x HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcGET /v2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
      3_000,
    );
    expect(reply).toMatch(/404 Not Found[\s\S]*200 OK/);
  });
});

describe('downloads', () => {
  test.each([
    ['bytes=0-4', 206, 'hello', 'bytes 0-4/15'],
    ['bytes=7-', 206, 'registry', 'bytes 7-14/15'],
    ['bytes=-3', 206, 'try', 'bytes 12-14/15'],
    ['bytes=7-99', 206, 'registry', 'bytes 7-14/15'],
    ['bytes=0-1,3-4', 200, 'hello, registry', null],
    ['lines=1-2', 200, 'hello, registry', null],
  ])('Range: %s gives %i and %j', async (range, status, text, contentRange) => {
    await push(hello);
    const response = await call('GET', `/v2/app/web/blobs/${digestOf(hello)}`, { headers: { Range: range } });
    expect([response.status, await response.text(), response.headers.get('content-range')]).toEqual([
      status,
      text,
      contentRange,
    ]);
  });

  test('a range outside of the blob is refused with its size', async () => {
    await push(hello);
    const response = await call('GET', `/v2/app/web/blobs/${digestOf(hello)}`, {
      headers: { Range: 'bytes=15-' },
    });
    expect([response.status, response.headers.get('content-range')]).toEqual([416, 'bytes */15']);
  });

  test('a blob that is elsewhere is redirected to', async () => {
    backend.repositoryBackend.elsewhere = 'https://storage.example/x';
    const response = await call('GET', `/v2/app/web/blobs/${digestOf(hello)}`);
    expect([response.status, response.headers.get('location')]).toEqual([307, 'https://storage.example/x']);
  });
});

describe('manifests', () => {
  const manifest = JSON.stringify({ mediaType: OCI_MANIFEST, subject: { digest: digestOf(hello) } });
  const digest = digestOf(Buffer.from(manifest));
  const headers = { 'Content-Type': OCI_MANIFEST };

  test('come back byte for byte, with their type, by tag and by digest', async () => {
    const put = await call('PUT', '/v2/app/web/manifests/v1', { body: manifest, headers });
    expect([put.status, put.headers.get('docker-content-digest'), put.headers.get('oci-subject')]).toEqual([
      201,
      digest,
      digestOf(hello),
    ]);
    for (const reference of ['v1', digest]) {
      const got = await call('GET', `/v2/app/web/manifests/${reference}`);
      expect([got.headers.get('content-type'), await got.text()]).toEqual([OCI_MANIFEST, manifest]);
    }
    const head = await call('HEAD', '/v2/app/web/manifests/v1');
    expect(head.headers.get('content-length')).toBe(String(manifest.length));
  });

  test('are refused under the digest of another', async () => {
    const response = await call('PUT', `/v2/app/web/manifests/${digestOf(hello)}`, {
      body: manifest,
      headers,
    });
    expect([response.status, await codeOf(response)]).toEqual([400, 'DIGEST_INVALID']);
  });

  test('are refused over 4 MiB, told or not', async () => {
    const body = new Uint8Array(4 * 1024 * 1024 + 1);
    expect((await call('PUT', '/v2/app/web/manifests/v1', { body, headers })).status).toBe(413);
    const stream = new Blob([body]).stream();
    const streamed = await call('PUT', '/v2/app/web/manifests/v1', { body: stream, headers, duplex: 'half' });
    expect(streamed.status).toBe(413);
  });

  test('can be deleted once', async () => {
    await call('PUT', '/v2/app/web/manifests/v1', { body: manifest, headers });
    expect((await call('DELETE', '/v2/app/web/manifests/v1')).status).toBe(202);
    expect((await call('DELETE', '/v2/app/web/manifests/v1')).status).toBe(404);
  });
});

describe('listings', () => {
  async function tag(...names: string[]) {
    for (const name of names) {
      const headers = { 'Content-Type': OCI_MANIFEST };
      await call('PUT', `/v2/app/web/manifests/${name}`, { body: '{}', headers });
    }
  }

  test('tags come in pages that their links lead through', async () => {
    await tag('a', 'b', 'c', 'd', 'e');
    const pages: unknown[] = [];
    for (let path: string | undefined = '/v2/app/web/tags/list?n=2'; path !== undefined; ) {
      const response = await call('GET', path);
      pages.push(JSON.parse(await response.text()).tags);
      path = /<(.+)>; rel="next"/.exec(response.headers.get('link') ?? '')?.[1];
    }
    expect(pages).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
  });

  test('tags start after the last one that the client has', async () => {
    await tag('a', 'b', 'c');
    const response = await call('GET', '/v2/app/web/tags/list?last=a');
    expect(await response.json()).toEqual({ name: 'app/web', tags: ['b', 'c'] });
  });

  test.each([
    ['n=x', 400],
    ['n=-1', 400],
    ['n=10001', 405],
  ])('a page of %s is refused with %i', async (query, status) => {
    expect((await call('GET', `/v2/app/web/tags/list?${query}`)).status).toBe(status);
  });

  test('referrers come as an index, of one artifact type if asked for', async () => {
    const descriptor = { mediaType: OCI_MANIFEST, digest: digestOf(hello), size: 15, artifactType: 'a/b' };
    backend.repositoryBackend.refer = [descriptor, { ...descriptor, artifactType: 'c/d' }];
    const path = `/v2/app/web/referrers/${digestOf(hello)}`;
    const all = await call('GET', path);
    expect([all.headers.get('content-type'), JSON.parse(await all.text()).manifests.length]).toEqual([
      OCI_INDEX,
      2,
    ]);
    const some = await call('GET', `${path}?artifactType=${encodeURIComponent('a/b')}`);
    expect([some.headers.get('oci-filters-applied'), JSON.parse(await some.text()).manifests]).toEqual([
      'artifactType',
      [descriptor],
    ]);
  });
});
