import { connect } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { BlobStore } from '../../src/distribution/server/blobStore.ts';
import { createRegistryHandler } from '../../src/distribution/server/handler.ts';
import { listen } from '../../src/distribution/server/listen.ts';
import { MemoryBackend } from '../distribution/server/memoryBackend.ts';
import { atEnd } from '../support/ends.ts';
import { makeFolder } from '../support/folder.ts';
import { imageOf } from '../support/images.ts';
import { texts } from './parsers/parser.ts';
import { clientOf, serveBytes } from './support.ts';

const { root } = imageOf('linux/amd64');
const BODY = Buffer.from(root.bytes).toString('latin1');
const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n';

test('a client comes to an end with any bytes as the answer, and with no manifest but the right one', async () => {
  let bytes = '';
  const { url } = await serveBytes((socket) => socket.end(bytes, 'latin1'));
  const repository = clientOf(url);
  const answers = texts(
    `${HEAD}content-length: ${BODY.length}\r\n\r\n${BODY}`,
    `${HEAD}transfer-encoding: chunked\r\n\r\n${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n`,
    `${HEAD}\r\n${BODY}`,
    'HTTP/1.1 307 Elsewhere\r\nlocation: /v2/\r\ncontent-length: 0\r\n\r\n',
    'HTTP/1.1 401 No\r\nwww-authenticate: Bearer realm="x"\r\ncontent-length: 2\r\n\r\n{}',
    'HTTP/1.1 103 Soon\r\nlink: </x>\r\n\r\nHTTP/1.1 200 OK\r\n\r\n',
  );
  await fc.assert(
    fc.asyncProperty(answers, async (answer) => {
      bytes = answer;
      const outcome: unknown = await repository.readManifest(root.digest).catch((error: unknown) => error);
      if (outcome instanceof Error) return expect(outcome.message).not.toBe('');
      expect(outcome).toMatchObject({ digest: root.digest });
    }),
    { numRuns: 150 },
  );
});

test('the registry of a build answers whatever it is sent, and gives nothing of itself away', async () => {
  const store = new BlobStore(await makeFolder());
  // Uploads that nobody ends keep their files open.
  atEnd(() => store.destroy());
  const backend = new MemoryBackend(store);
  await backend.repositoryBackend.writeManifest('v1', root);
  const server = await listen(createRegistryHandler(backend), { host: '127.0.0.1', port: 0 });
  atEnd(() => server.close());
  const send = async (text: string) => {
    const socket = connect(server.port, '127.0.0.1');
    socket.end(text, 'latin1');
    return (await buffer(socket).catch(() => Buffer.alloc(0))).toString('latin1');
  };
  const requests = texts(
    ...['GET', 'HEAD', 'DELETE', 'PATCH', 'X'].flatMap((method) => [
      `${method} /v2/app/web/manifests/v1 HTTP/1.1\r\nhost: a\r\nrange: bytes=0-5\r\n\r\n`,
      `${method} /v2/app/web/blobs/${root.digest}?a=b HTTP/1.1\r\nhost: a\r\n\r\n`,
      `${method} /v2/app/web/tags/list?n=5&last=v0 HTTP/1.1\r\nhost: a\r\n\r\n`,
      `${method} /v2/broken/blobs/uploads/ HTTP/1.1\r\nhost: a\r\n\r\n`,
    ]),
    `PUT /v2/app/web/manifests/v2 HTTP/1.1\r\nhost: a\r\ncontent-type: ${root.mediaType}\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`,
    'POST /v2/app/web/blobs/uploads/?mount=x&from=y HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n',
    'POST /v2/app/web/blobs/uploads/?digest=sha256:x HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n',
  );
  await fc.assert(
    fc.asyncProperty(requests, async (request) => {
      const answer = await send(request);
      expect(answer).toMatch(/^(?:$|HTTP\/1\.1 [1-5]\d\d )/);
      expect(answer).not.toMatch(/secret details|node:internal|\n {4}at /);
    }),
    { numRuns: 150 },
  );
  expect(await send('GET /v2/ HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 /);
});
