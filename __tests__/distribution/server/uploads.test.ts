import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { digestOf } from '../../../src/image/digest.ts';
import { backend, call, codeOf, hello, push, raw, start, store } from './setup.ts';

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
