import { describe, expect, test } from '@jest/globals';
import { digestOf } from '../../../src/image/digest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../../../src/image/mediaTypes.ts';
import { backend, call, codeOf, hello, push } from './setup.ts';

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
