import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect } from '@jest/globals';
import { BlobStore } from '../../../src/distribution/server/blobStore.ts';
import { createRegistryHandler } from '../../../src/distribution/server/handler.ts';
import { type Listening, listen } from '../../../src/distribution/server/listen.ts';
import { digestOf } from '../../../src/image/digest.ts';
import { MemoryBackend } from './memoryBackend.ts';

/** A registry by the book for each test, over real HTTP. */
export let backend: MemoryBackend;
export let store: BlobStore;
let server: Listening;

beforeEach(async () => {
  store = new BlobStore(await mkdtemp(join(tmpdir(), 'registry-')));
  backend = new MemoryBackend(store);
  server = await listen(createRegistryHandler(backend), { host: '127.0.0.1', port: 0 });
});

afterEach(async () => {
  await server.close();
  await store.destroy();
});

export const hello = Buffer.from('hello, registry');

export function call(method: string, path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(new URL(path, `http://127.0.0.1:${server.port}`), { method, redirect: 'manual', ...init });
}

/** Starts an upload and gives its address. */
export async function start(): Promise<string> {
  const response = await call('POST', '/v2/app/web/blobs/uploads/');
  expect(response.status).toBe(202);
  return response.headers.get('location') ?? '';
}

export async function push(content: Buffer): Promise<Response> {
  return call('PUT', `${await start()}?digest=${digestOf(content)}`, { body: new Uint8Array(content) });
}

/** The code of the first error in an answer. */
export async function codeOf(response: Response): Promise<unknown> {
  return JSON.parse(await response.text()).errors[0].code;
}

/** Sends bytes as they are, and gives what came back when the connection ends or the time is over. */
export async function raw(text: string, wait = 500): Promise<string> {
  const socket = connect(server.port, '127.0.0.1');
  let received = '';
  socket.on('data', (chunk) => {
    received += chunk.toString();
  });
  socket.on('error', () => {});
  socket.write(text);
  await once(socket, 'close', { signal: AbortSignal.timeout(wait) }).catch(() => {});
  socket.destroy();
  return received;
}
