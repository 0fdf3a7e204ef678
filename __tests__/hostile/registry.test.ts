import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { challengedAuthorizer } from '../../src/distribution/auth.ts';
import { ContentError, RegistryError, TimeoutError } from '../../src/distribution/errors.ts';
import { isRetriable } from '../../src/distribution/retry.ts';
import { ManifestError } from '../../src/image/manifest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../../src/image/mediaTypes.ts';
import { blobOf, imageOf, OCI_LAYER } from '../support/images.ts';
import { until } from '../support/memory.ts';
import { serve } from '../support/server.ts';
import { clientOf, drip, impatientTransport, PATIENCE, pour, rejectionOf, serveBytes } from './support.ts';

const { root } = imageOf('linux/amd64');
const layer = blobOf(Buffer.alloc(1_000_000), OCI_LAYER);
const PIECE = Buffer.alloc(65_536, 'x');

const head = (status: number, ...headers: string[]) =>
  `${[`HTTP/1.1 ${status} X`, ...headers].join('\r\n')}\r\n\r\n`;
const UNENDING = 'content-length: 9000000000000';

type Work = (url: string, patience?: number) => Promise<unknown>;

/** What a client waits for that is to find something else than that it is slow, in milliseconds. */
const PATIENT = 20_000;

/** What a client asks for whose answer has a body. */
const asked: [what: string, status: number, work: Work][] = [
  ['a manifest', 200, (url, patience) => clientOf(url, undefined, patience).readManifest('v1')],
  [
    'the word that there is no manifest',
    404,
    (url, patience) => clientOf(url, undefined, patience).readManifest('v1'),
  ],
  ['a refusal', 403, (url, patience) => clientOf(url, undefined, patience).readManifest('v1')],
  [
    'the refusal of an upload',
    400,
    (url, patience) => clientOf(url, undefined, patience).writeManifest('v1', root),
  ],
  [
    'a token',
    200,
    (url, patience) =>
      challengedAuthorizer(url, impatientTransport(patience)).challenged(
        `Bearer realm="${url}/token"`,
        { repository: 'app', actions: 'pull' },
        undefined,
      ),
  ],
];

/** Runs it, and tells how many bytes it has taken and how many milliseconds. */
async function measure(work: Work, answer: (socket: Socket) => unknown) {
  const { url, sockets } = await serveBytes(answer);
  const begun = performance.now();
  const error = await rejectionOf(work(url));
  const took = performance.now() - begun;
  await until(() => sockets.every(({ destroyed }) => destroyed));
  return { error, took, taken: sockets.reduce((sum, { bytesWritten }) => sum + bytesWritten, 0) };
}

describe('an answer without end', () => {
  test.each(asked)('to a question for %s is given up, and its connection too', async (_, status, work) => {
    const asking: Work = (url) => work(url, PATIENT);
    const { error, taken } = await measure(asking, (socket) => {
      socket.write(head(status, UNENDING));
      pour(socket, PIECE);
    });
    expect(error).toBeInstanceOf(RegistryError);
    expect(error).toMatchObject({ status });
    // What stands in the buffers of the system between is not read by anybody.
    expect(taken).toBeLessThan(16 * 1024 * 1024);
  });

  test.each(asked)('to a question for %s is given up when it only drips', async (_, status, work) => {
    const { error, took } = await measure(work, (socket) => {
      socket.write(head(status, UNENDING));
      drip(socket, ' ');
    });
    expect(String(error)).toMatch(status === 200 || status === 404 ? /did not end within/ : /answered 40/);
    expect(took).toBeLessThan(5_000);
  });

  test('to a write that was taken is not waited for', async () => {
    const { url, sockets } = await serveBytes((socket) => {
      socket.write(head(201, UNENDING));
      pour(socket, PIECE);
    });
    await clientOf(url).writeManifest('v1', root);
    await until(() => sockets.every(({ destroyed }) => destroyed));
  });

  test('that drips after a write that was taken is not waited for', async () => {
    const { url, sockets } = await serveBytes((socket) => {
      socket.write(head(201, 'transfer-encoding: chunked'));
      drip(socket, '1\r\nx\r\n');
    });
    const begun = performance.now();
    await clientOf(url).writeManifest('v1', root);
    expect(performance.now() - begun).toBeLessThan(5_000);
    await until(() => sockets.every(({ destroyed }) => destroyed));
  });

  test('that only says that it is still to come is given up', async () => {
    const { error } = await measure(
      (url) => clientOf(url).readManifest('v1'),
      (socket) => drip(socket, head(103, 'link: </x>'), 1),
    );
    expect(String(error)).toMatch(/no answer after \d+ that announce one/);
  });

  test('of headers is given up', async () => {
    const { error, taken } = await measure(
      (url) => clientOf(url).readManifest('v1'),
      (socket) => {
        socket.write('HTTP/1.1 200 OK\r\n');
        pour(socket, `x-flood: ${'x'.repeat(1000)}\r\n`);
      },
    );
    expect(String(error)).toMatch(/Headers Overflow/);
    expect(isRetriable(error)).toBe(false);
    expect(taken).toBeLessThan(16 * 1024 * 1024);
  });
});

describe('a download', () => {
  const read = async (url: string) => (await clientOf(url).readBlob(layer)).resume().toArray();

  test('that only drips is given up, and is worth another try', async () => {
    const { error, took } = await measure(read, (socket) => {
      socket.write(head(200, `content-length: ${layer.size}`));
      drip(socket, 'x');
    });
    expect(error).toBeInstanceOf(TimeoutError);
    expect(String(error)).toMatch(/GET http:\S+\/v2\/app\/web\/blobs\/sha256:\w+ brought less than/);
    expect(isRetriable(error)).toBe(true);
    expect(took).toBeLessThan(5_000);
  });

  test('that is slow, but comes, is read to its end', async () => {
    const content = Buffer.alloc(layer.size);
    const { url } = await serve(async (_, response) => {
      for (let at = 0; at < content.length; at += 100_000) {
        response.write(content.subarray(at, at + 100_000));
        await new Promise((resolve) => setTimeout(resolve, PATIENCE / 5));
      }
      response.end();
    });
    const stream = await clientOf(url).readBlob(layer);
    expect(Buffer.concat(await stream.toArray()).equals(content)).toBe(true);
  });

  test('that its own reader keeps waiting is not given up', async () => {
    const content = Buffer.alloc(layer.size);
    const { url } = await serve((_, response) => response.end(content));
    const stream = await clientOf(url).readBlob(layer);
    await new Promise((resolve) => setTimeout(resolve, PATIENCE * 3));
    expect(Buffer.concat(await stream.toArray()).equals(content)).toBe(true);
  });

  test('that is longer than its descriptor says is given up there', async () => {
    const { error, taken } = await measure(read, (socket) => {
      socket.write(head(200, UNENDING));
      pour(socket, PIECE);
    });
    expect(error).toBeInstanceOf(ContentError);
    expect(taken).toBeLessThan(16 * 1024 * 1024);
  });
});

describe('a registry that lies', () => {
  test('and gives the same manifest for every digest is found out', async () => {
    const { url } = await serve((_, response) => response.end(root.bytes));
    const other = imageOf('linux/arm64').root.digest;
    const error = await rejectionOf(clientOf(url).readManifest(other));
    expect(error).toBeInstanceOf(ContentError);
    expect(String(error)).toContain(root.digest);
  });

  test('of the digest in its headers is not believed', async () => {
    const other = imageOf('linux/arm64').root.digest;
    const { url } = await serve((_, response) =>
      response.writeHead(200, { 'docker-content-digest': other }).end(root.bytes),
    );
    expect((await clientOf(url).readManifest('v1'))?.digest).toBe(root.digest);
  });

  test.each([
    ['less than there is', (length: number) => length - 1],
    ['more than there is', (length: number) => length + 1],
  ])('and announces %s is found out', async (_, lie) => {
    const { url } = await serveBytes((socket) => {
      socket.write(head(200, `content-length: ${lie(root.bytes.byteLength)}`));
      socket.end(root.bytes);
    });
    const error = await rejectionOf(clientOf(url).readManifest(root.digest));
    expect(String(error)).not.toContain('nothing was thrown');
  });

  test.each(['-1', '1e3', '99999999999999999999999', '7, 8', 'x'])(
    'and announces %s bytes is refused',
    async (length) => {
      const { error } = await measure(
        (url) => clientOf(url).statBlob(layer.digest),
        (socket) => socket.write(head(200, `content-length: ${length}`)),
      );
      expect(String(error)).toMatch(/HEAD http:\S+: /);
    },
  );

  test('and gives packed bytes, whatever it calls them, is found out: nothing is unpacked', async () => {
    for (const headers of [{}, { 'content-encoding': 'gzip' }]) {
      const { url, requests } = await serve((_, response) =>
        response.writeHead(200, headers).end(gzipSync(Buffer.alloc(50_000_000))),
      );
      expect(await rejectionOf(clientOf(url).readManifest('v1'))).toBeInstanceOf(ContentError);
      expect(requests[0]?.headers).not.toHaveProperty('accept-encoding');
    }
  });

  test('and calls an index an image is found out', async () => {
    const { url } = await serve((_, response) =>
      response
        .writeHead(200, { 'content-type': OCI_MANIFEST })
        .end(JSON.stringify({ mediaType: OCI_INDEX, manifests: [] })),
    );
    expect(await rejectionOf(clientOf(url).readManifest('v1'))).toBeInstanceOf(ManifestError);
  });
});

describe('what a registry says', () => {
  const hostile = '\r\n\u0085::stop-commands::x\u2028\u202e##[error]y\u0000';

  test.each([
    ['in its own words', hostile],
    ['as an error of the API', JSON.stringify({ errors: [{ code: hostile, message: hostile }] })],
  ])('%s stays on one line, its codes too', async (_, body) => {
    const { url } = await serve((_request, response) => response.writeHead(400).end(body));
    const error = await rejectionOf(clientOf(url).readManifest('v1'));
    if (!(error instanceof RegistryError)) throw new Error('not a refusal', { cause: error });
    for (const text of [error.message, error.said, ...error.codes])
      expect(text).not.toMatch(/[\p{Cc}\u2028\u202e]/u);
  });

  test.each([
    ['99999999999', 60_000],
    ['1e308', 60_000],
    ['Fri, 31 Dec 9999 23:59:59 GMT', 60_000],
    ['Infinity', undefined],
    ['-1e308', 0],
    ['30', 30_000],
  ])('of when to come again counts for a minute at the most: %s', async (header, expected) => {
    const { url } = await serve((_, response) => response.writeHead(429, { 'retry-after': header }).end());
    const error = await rejectionOf(clientOf(url).readManifest('v1'));
    expect(error).toMatchObject({ status: 429, retryAfter: expected });
  });
});
