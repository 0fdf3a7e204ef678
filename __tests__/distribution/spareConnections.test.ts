import { describe, expect, test } from '@jest/globals';
import { SpareConnections } from '../../src/distribution/spareConnections.ts';
import { atEnd } from '../support/ends.ts';
import { turn, until } from '../support/memory.ts';
import { openTransport, serve } from '../support/server.ts';

/** A server, and a transport with which it is asked. */
async function start() {
  const server = await serve((_, response) => response.end('here'));
  const transport = openTransport();
  const url = new URL(server.url);
  return {
    ...server,
    transport,
    prepare: () => transport.prepare(url),
    ask: async () => (await (await transport.send({ method: 'GET', url })).bytes(10)).toString(),
  };
}

/** Lets what is on its way between the two ends of a connection arrive. */
async function settle(): Promise<void> {
  for (let turns = 0; turns < 20; turns += 1) await turn();
}

describe('a connection that was prepared', () => {
  test('is there before any request, and the first ones use it', async () => {
    const { connections, requests, prepare, ask } = await start();
    prepare();
    prepare();
    await until(() => connections.length === 2);
    expect(requests).toEqual([]);
    expect(await Promise.all([ask(), ask()])).toEqual(['here', 'here']);
    expect(connections).toHaveLength(2);
  });

  test('is used by a request that comes while it is still being opened', async () => {
    const { connections, prepare, ask } = await start();
    prepare();
    expect(await ask()).toBe('here');
    expect(connections).toHaveLength(1);
  });

  test('is replaced when the server has closed it meanwhile', async () => {
    const { connections, prepare, ask } = await start();
    prepare();
    await until(() => connections.length === 1);
    connections[0]?.destroy();
    await settle();
    expect(await ask()).toBe('here');
    expect(connections).toHaveLength(2);
  });

  test('is closed at the end when nobody wanted it', async () => {
    const { connections, transport, prepare } = await start();
    prepare();
    await until(() => connections.length === 1);
    await transport.close();
    await until(() => connections[0]?.destroyed === true);
  });

  test('is one of a few: no more are opened than may wait', async () => {
    const { connections, url } = await start();
    const spares = new SpareConnections({ most: 3, age: 10_000 }, {});
    atEnd(() => spares.close());
    for (let times = 0; times < 10; times += 1) spares.prepare(new URL(url));
    await until(() => connections.length === 3);
    await settle();
    expect(connections).toHaveLength(3);
  });

  test('is not used when it has waited too long', async () => {
    const { connections, url } = await start();
    const spares = new SpareConnections({ most: 3, age: 0 }, {});
    atEnd(() => spares.close());
    spares.prepare(new URL(url));
    await until(() => connections.length === 1);
    await settle();
    spares.prepare(new URL(url));
    await until(() => connections.length === 2 && connections[0]?.destroyed === true);
  });

  test('is not opened any more after the end', async () => {
    const { connections, transport, prepare } = await start();
    await transport.close();
    prepare();
    await settle();
    expect(connections).toEqual([]);
  });
});

test('where nobody listens, preparing fails nothing, and the request says so', async () => {
  const transport = openTransport();
  const url = new URL('http://127.0.0.1:1/');
  transport.prepare(url);
  await settle();
  await expect(transport.send({ method: 'GET', url })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});
