import { setImmediate as turn } from 'node:timers/promises';
import { DescribeRepositoriesCommand } from '@aws-sdk/client-ecr';
import { afterEach, describe, expect, test } from '@jest/globals';
import { type Emulator, startEmulator } from '../../emulator/emulator.ts';
import type { Fault } from '../../emulator/traffic.ts';
import { digestOf } from '../../src/image/digest.ts';
import { ecrClient, errorOf, imageOf, logIn } from './support.ts';

let emulator: Emulator;

async function start(fault?: Fault): Promise<void> {
  emulator = await startEmulator({ regions: ['us-east-1'], repositories: ['app'], ...(fault && { fault }) });
}

afterEach(() => emulator.close());

describe('the log', () => {
  test('tells of every request in order: what it was, its answer, and the bytes either way', async () => {
    await start();
    const { call, pushBlob } = await logIn(emulator, 'us-east-1');
    const content = Buffer.from('twenty-two bytes long.');
    await pushBlob('app', content);
    const redirect = await call('GET', `/v2/app/blobs/${digestOf(content)}`);
    await (await fetch(redirect.headers.get('location') ?? '')).text();
    while (emulator.requests.at(-1)?.status === 0) await turn();
    const log = emulator.requests.map(({ region, method, operation, path, status, received, sent }) => [
      region,
      operation ?? method,
      path.replace(/[?].*|uploads\/.+/, ''),
      status,
      received,
      sent,
    ]);
    expect(log).toEqual([
      ['us-east-1', 'GetAuthorizationToken', '/', 200, 2, expect.any(Number)],
      ['us-east-1', 'POST', '/v2/app/blobs/uploads/', 202, 0, 0],
      ['us-east-1', 'PUT', '/v2/app/blobs/', 201, 22, 0],
      ['us-east-1', 'GET', `/v2/app/blobs/${digestOf(content)}`, 307, 0, 0],
      ['us-east-1', 'GET', expect.stringContaining('/_s3/'), 200, 0, 22],
    ]);
  });

  test('counts a body that comes in chunks', async () => {
    await start();
    const { call } = await logIn(emulator, 'us-east-1');
    const started = await call('POST', '/v2/app/blobs/uploads/');
    const body = new Blob(['x'.repeat(300_000)]).stream();
    await call('PATCH', started.headers.get('location') ?? '', { body, duplex: 'half' });
    expect(emulator.requests.at(-1)).toMatchObject({ method: 'PATCH', status: 201, received: 300_000 });
  });
});

describe('a fault', () => {
  test('answers in place of /v2/', async () => {
    const headers = { 'Retry-After': '1' };
    const fault = { status: 429, code: 'TOOMANYREQUESTS', message: 'Rate exceeded', headers };
    await start(({ path }) => (path.includes('/manifests/') ? fault : undefined));
    const { call } = await logIn(emulator, 'us-east-1');
    const response = await call('GET', '/v2/app/manifests/v1');
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await errorOf(response)).toEqual([429, 'TOOMANYREQUESTS', 'Rate exceeded']);
    expect((await call('GET', '/v2/')).status).toBe(200);
  });

  test('answers in place of the JSON API, as one of its exceptions', async () => {
    const fault = { status: 400, code: 'ThrottlingException', message: 'Rate exceeded' };
    await start(({ operation }) => (operation === 'DescribeRepositories' ? fault : undefined));
    const sent = ecrClient(emulator, 'us-east-1').send(new DescribeRepositoriesCommand({}));
    await expect(sent).rejects.toMatchObject({ name: 'ThrottlingException', message: 'Rate exceeded' });
  });

  test('cuts a connection, and the request is in the log without a status', async () => {
    await start(({ method }) => (method === 'HEAD' ? 'reset' : undefined));
    const { call } = await logIn(emulator, 'us-east-1');
    await expect(call('HEAD', '/v2/app/manifests/v1')).rejects.toThrow('fetch failed');
    expect(emulator.requests.at(-1)).toMatchObject({ method: 'HEAD', status: 0 });
    expect((await call('GET', '/v2/')).status).toBe(200);
  });

  test('loses the answer to a request that is carried out', async () => {
    await start(({ method, path }) => (method === 'PUT' && path.endsWith('/v1') ? 'lost' : undefined));
    const image = imageOf('amd64');
    const { call, pushImage } = await logIn(emulator, 'us-east-1');
    await expect(pushImage('app', image, 'v1')).rejects.toThrow('fetch failed');
    expect(emulator.requests.at(-1)).toMatchObject({ method: 'PUT', status: 0 });
    const shown = await call('HEAD', '/v2/app/manifests/v1');
    expect(shown.headers.get('docker-content-digest')).toBe(image.digest);
  });

  test('may come and go with time', async () => {
    let left = 2;
    await start(async ({ path }) => {
      const failing = path.startsWith('/v2/') && left > 0;
      if (failing) left -= 1;
      return failing ? { status: 503, code: 'UNAVAILABLE', message: 'later' } : undefined;
    });
    const { call } = await logIn(emulator, 'us-east-1');
    const statuses = [];
    for (let tries = 0; tries < 3; tries += 1) statuses.push((await call('GET', '/v2/')).status);
    expect(statuses).toEqual([503, 503, 200]);
  });
});
