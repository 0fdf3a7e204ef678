import { expect, test } from '@jest/globals';
import { lazyTransport } from '../../src/distribution/lazyTransport.ts';
import type { Transport } from '../../src/distribution/transport.ts';
import { turn, until } from '../support/memory.ts';
import { openTransport, serve } from '../support/server.ts';

/** A lazy transport, and how often it was loaded. */
function start(load: () => Promise<Transport> = async () => openTransport()) {
  let loads = 0;
  const transport = lazyTransport(() => {
    loads += 1;
    return load();
  });
  return { transport, loads: () => loads };
}

test('a lazy transport is loaded once, by the first request', async () => {
  const { url, requests } = await serve((_, response) => response.end('here'));
  const { transport, loads } = start();
  expect(loads()).toBe(0);
  const ask = async () => (await transport.send({ method: 'GET', url: new URL(url) })).drain();
  await Promise.all([ask(), ask()]);
  await ask();
  expect(requests).toHaveLength(3);
  expect(loads()).toBe(1);
});

test('a lazy transport is loaded by what is prepared, and prepares it', async () => {
  const { url, connections } = await serve((_, response) => response.end('here'));
  const { transport, loads } = start();
  transport.prepare(new URL(url));
  await until(() => connections.length === 1);
  expect(loads()).toBe(1);
});

test('a lazy transport that was of no use is closed without being loaded', async () => {
  const { transport, loads } = start();
  await transport.close();
  expect(loads()).toBe(0);
});

test('a lazy transport is not loaded in the turn in which it is asked to prepare, nor after its end', async () => {
  const { transport, loads } = start();
  transport.prepare(new URL('http://127.0.0.1:1/'));
  expect(loads()).toBe(0);
  await transport.close();
  await turn();
  expect(loads()).toBe(0);
});

test('a lazy transport closes what it has loaded', async () => {
  const { url, connections } = await serve((_, response) => response.end('here'));
  const { transport } = start();
  await (await transport.send({ method: 'GET', url: new URL(url) })).drain();
  await transport.close();
  await until(() => connections[0]?.destroyed === true);
});

test('a lazy transport that cannot be loaded fails those who send, not those who prepare', async () => {
  const { transport } = start(() => Promise.reject(new Error('no such module')));
  const url = new URL('http://127.0.0.1/');
  transport.prepare(url);
  // A rejection that goes unhandled for a turn fails the test.
  await turn();
  await expect(transport.send({ method: 'GET', url })).rejects.toThrow('no such module');
});
