import { createServer, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { isRetriable } from '../../src/distribution/retry.ts';
import { createTransport } from '../../src/distribution/transport.ts';
import { atEnd } from '../support/ends.ts';
import { serveRaw } from '../support/server.ts';

const STALL = 600;
const LENGTH = 30_000_000;

/** A server that accepts connections and reads nothing. */
async function blackHole(): Promise<string> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    socket.pause().on('error', () => undefined);
    sockets.push(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return `http://127.0.0.1:${address.port}`;
}

async function upload(url: string, body: Readable, length = LENGTH, stall = STALL): Promise<number> {
  const transport = createTransport({ connections: 1, userAgent: 'test', limits: { stall } });
  atEnd(() => transport.close());
  const headers = { 'content-length': String(length) };
  const answer = await transport.send({ method: 'PUT', url: new URL(url), headers, body });
  await answer.drain();
  return answer.status;
}

async function* pieces(length = LENGTH): AsyncGenerator<Buffer> {
  for (let sent = 0; sent < length; sent += 1_000_000) yield Buffer.alloc(1_000_000);
}

describe('an upload', () => {
  test('whose connection takes nothing more is broken off, and worth another try', async () => {
    const body = Readable.from(pieces());
    const error: unknown = await upload(await blackHole(), body).catch((reason: unknown) => reason);
    expect(String(error)).toContain('the connection took nothing for');
    expect(isRetriable(error)).toBe(true);
    expect(body.destroyed).toBe(true);
  });

  test('whose content is slow to come is not', async () => {
    const url = await serveRaw(async (request, response) => {
      for await (const _ of request);
      response.writeHead(201).end();
    });
    async function* slow(): AsyncGenerator<Buffer> {
      yield Buffer.from('first');
      await new Promise((resolve) => setTimeout(resolve, 3 * STALL));
      yield Buffer.from('last');
    }
    expect(await upload(url, Readable.from(slow()), 9)).toBe(201);
  });

  test('that goes on in fits and starts is not', async () => {
    const url = await serveRaw(async (request, response) => {
      let read = 0;
      for await (const chunk of request) {
        read += Buffer.from(chunk).length;
        if (read > 5_000_000) {
          await new Promise((resolve) => setTimeout(resolve, 100));
          read = 0;
        }
      }
      response.writeHead(201).end();
    });
    // The pauses are longer together than the limit, and each is far shorter, however busy this machine is.
    expect(await upload(url, Readable.from(pieces(10 * LENGTH)), 10 * LENGTH, 5_000)).toBe(201);
  });
});
