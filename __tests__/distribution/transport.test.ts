import { describe, expect, test } from '@jest/globals';
import { createTransport, type HttpRequest } from '../../src/distribution/transport.ts';
import { atEnd } from '../support/ends.ts';
import { openTransport, serve } from '../support/server.ts';

describe('the transport', () => {
  test('finds this machine under every name below .localhost', async () => {
    const { url, requests } = await serve((_, response) => response.end('here'));
    const { port } = new URL(url);
    const host = `123456789012.dkr.ecr.eu-west-1.localhost:${port}`;
    const answer = await openTransport().send({ method: 'GET', url: new URL(`http://${host}/v2/`) });
    expect((await answer.bytes(10)).toString()).toBe('here');
    expect(requests[0]?.headers.host).toBe(host);
  });

  test('says who asks', async () => {
    const { url, requests } = await serve((_, response) => response.end());
    await (await openTransport().send({ method: 'GET', url: new URL(url) })).drain();
    expect(requests[0]?.headers['user-agent']).toBe('test');
  });

  test('keeps connections and opens no more than it may', async () => {
    const { url, connections } = await serve((_, response) => setTimeout(() => response.end(), 5));
    const transport = openTransport();
    const ask = async () => (await transport.send({ method: 'GET', url: new URL(url) })).drain();
    await Promise.all(Array.from({ length: 20 }, ask));
    expect(connections.length).toBeLessThanOrEqual(4);
  });

  test('has one connection for requests one after the other, whatever their answers look like', async () => {
    const { url, requests, connections } = await serve(({ method }, response) => {
      // With a body, with a length alone, and with nothing at all.
      if (method === 'HEAD') return response.writeHead(200, { 'content-length': 1000 }).end();
      return method === 'GET' ? response.end('x'.repeat(1000)) : response.writeHead(201).end();
    });
    const transport = openTransport();
    const ask = async (method: HttpRequest['method'], body?: Uint8Array) => {
      const answer = await transport.send({ method, url: new URL(url), ...(body && { body }) });
      return method === 'GET' ? answer.bytes(1000) : answer.drain();
    };
    for (let round = 0; round < 5; round += 1) {
      for (const method of ['HEAD', 'GET', 'PUT', 'HEAD', 'POST', 'DELETE'] as const) {
        await ask(method, /^P/.test(method) ? Buffer.alloc(100_000) : undefined);
      }
    }
    expect(requests).toHaveLength(30);
    expect(connections).toHaveLength(1);
  });

  test('gives redirects as they come', async () => {
    const { url } = await serve((_, response) => response.writeHead(302, { location: '/x' }).end());
    const answer = await openTransport().send({ method: 'GET', url: new URL(url) });
    await answer.drain();
    expect([answer.status, answer.header('location')]).toEqual([302, '/x']);
  });

  test('goes through the proxy that the environment names, but not to hosts that it exempts', async () => {
    const proxy = await serve((_, response) => response.end('by proxy'));
    const direct = await serve((_, response) => response.end('direct'));
    const transport = createTransport({
      connections: 1,
      userAgent: 'test',
      proxy: { http: proxy.url, no: '127.0.0.1' },
    });
    atEnd(() => transport.close());
    const read = async (url: string) =>
      (await (await transport.send({ method: 'GET', url: new URL(url) })).bytes(100)).toString();
    expect(await read(direct.url)).toBe('direct');
    expect(await read('http://registry.example/v2/').catch(String)).toBe('by proxy');
  });
});
