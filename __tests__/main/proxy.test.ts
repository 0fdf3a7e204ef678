import { request as httpRequest } from 'node:http';
import { pipeline } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { serveRaw } from '../support/server.ts';
import { REGIONS, startCloud } from './cloud.ts';
import { releaseInputs } from './layouts.ts';
import { runStep } from './step.ts';

/** Starts a proxy that hands everything on to this machine; gives its host and port, and the paths that it was asked for. */
async function startProxy() {
  const asked: string[] = [];
  const url = await serveRaw((request, response) => {
    const { pathname, search, port } = new URL(request.url ?? '');
    asked.push(pathname);
    const { method, headers } = request;
    const onward = httpRequest({ host: '127.0.0.1', port, path: pathname + search, method, headers });
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      pipeline(answer, response, () => undefined);
    });
    pipeline(request, onward, () => undefined);
  });
  return { host: new URL(url).host, asked };
}

describe('a proxy', () => {
  test('that is written without a scheme has the calls of the API and those of the registries', async () => {
    const cloud = await startCloud();
    const { host, asked } = await startProxy();
    const { errors } = await runStep(await releaseInputs(), { http_proxy: host, no_proxy: '' });
    expect(errors).toEqual([]);
    expect(asked).toContain('/');
    expect(asked.some((path) => path.startsWith('/v2/'))).toBe(true);
    expect(await cloud.shown('v1')).toHaveLength(REGIONS.length);
  });

  test('that cannot be used is one error that names the variable, and nobody is asked anything', async () => {
    const cloud = await startCloud();
    const { errors } = await runStep(await releaseInputs(), { https_proxy: 'http://me:hunter/2@proxy:1' });
    expect(errors).toEqual([expect.stringMatching(/^https_proxy: "http:\/\/…@proxy:1" is no proxy/)]);
    expect(cloud.emulator.requests).toEqual([]);
  });
});
