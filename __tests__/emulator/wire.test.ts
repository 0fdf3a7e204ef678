import { afterEach, describe, expect, test } from '@jest/globals';
import { type Emulator, startEmulator } from '../../emulator/emulator.ts';
import type { Fault } from '../../emulator/traffic.ts';
import { digestOf } from '../../src/image/digest.ts';
import { imageOf as graphOf } from '../support/images.ts';
import { imageOf, logIn, type Registry } from './support.ts';

const REGION = 'us-east-1';
const image = imageOf('amd64');
let emulator: Emulator;

afterEach(() => emulator.close());

/** A registry with an image under `v1`, whose manifests are struck from then on. */
async function struckBy(fault: Awaited<ReturnType<Fault>>): Promise<Registry> {
  let isOn = false;
  emulator = await startEmulator({
    regions: [REGION],
    repositories: ['app'],
    fault: ({ path }) => (isOn && path.includes('/manifests/') ? fault : undefined),
  });
  const registry = await logIn(emulator, REGION);
  await registry.pushImage('app', image, 'v1');
  isOn = true;
  return registry;
}

const textOf = async (answer: Promise<Response>) => (await answer).text();

describe('an answer', () => {
  test.each(['cut answer', 'short answer', 'cut head'] as const)(
    'of a "%s" does not come whole',
    async (fault) => {
      const { call } = await struckBy(fault);
      await expect(textOf(call('GET', '/v2/app/manifests/v1'))).rejects.toThrow(/fetch failed|terminated/);
    },
  );

  test('may be slow, and comes whole', async () => {
    const { call } = await struckBy('slow answer');
    expect(await textOf(call('GET', '/v2/app/manifests/v1'))).toBe(image.text);
  });

  test('may have a wrong byte', async () => {
    const { call } = await struckBy('wrong answer');
    const text = await textOf(call('GET', '/v2/app/manifests/v1'));
    expect(text).toHaveLength(image.text.length);
    expect(text).not.toBe(image.text);
  });

  test('may have a length that is not its own', async () => {
    const { call } = await struckBy('less declared');
    const answer = await call('GET', '/v2/app/manifests/v1');
    expect(answer.headers.get('content-length')).toBe(String(image.text.length - 3));
  });

  test.each(['silence', 'dripping answer'] as const)('may not come in time: %s', async (fault) => {
    const { call } = await struckBy(fault);
    const signal = AbortSignal.timeout(100);
    await expect(textOf(call('GET', '/v2/app/manifests/v1', { signal }))).rejects.toThrow('timeout');
    expect(await emulator.connections()).toBeGreaterThan(0);
  });
});

describe('a request', () => {
  test('may arrive with a wrong byte', async () => {
    const { pushManifest } = await struckBy('wrong request');
    expect((await pushManifest('app', 'v2', image)).status).toBe(405);
    expect(emulator.look(REGION, 'app').tags.has('v2')).toBe(false);
  });

  test('may be cut in its middle, and nothing is done', async () => {
    const { pushManifest } = await struckBy('cut request');
    await expect(pushManifest('app', 'v2', image)).rejects.toThrow('fetch failed');
    expect(emulator.look(REGION, 'app').tags.has('v2')).toBe(false);
  });
});

test('a region is shut, and reopened where it was', async () => {
  const { call } = await struckBy(undefined);
  await emulator.shut(REGION);
  await expect(call('GET', '/v2/')).rejects.toThrow('fetch failed');
  await emulator.reopen(REGION);
  expect((await call('GET', '/v2/')).status).toBe(200);
});

test('content is put in, and looked at, without a request', async () => {
  await struckBy(undefined);
  const { root, manifests, blobs } = graphOf('linux/arm64');
  const before = emulator.requests.length;
  await emulator.stock(REGION, 'app', { manifests: [...manifests.values()], blobs }, 'v2');
  const held = emulator.look(REGION, 'app');
  expect(held.tags.get('v2')).toBe(root.digest);
  for (const [digest, content] of blobs) expect(await held.blob(digest)).toEqual(Buffer.from(content));
  expect(await held.blob(digestOf(Buffer.from('other')))).toBeUndefined();
  expect(emulator.requests).toHaveLength(before);
});
