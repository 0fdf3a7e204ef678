import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Behaviour } from '../../emulator/behaviour.ts';
import { type Emulator, startEmulator } from '../../emulator/emulator.ts';
import { digestOf } from '../../src/image/digest.ts';
import { DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST } from '../../src/image/mediaTypes.ts';
import { imageOf, indexOf, logIn, manifestOf, type Registry } from './support.ts';

const amd64 = imageOf('amd64');
const arm64 = imageOf('arm64');

let emulator: Emulator;
let registry: Registry;

async function start(behaviour: Partial<Behaviour> = {}): Promise<void> {
  emulator = await startEmulator({
    regions: ['us-east-1', 'eu-west-1'],
    repositories: ['app', 'base'],
    behaviour,
  });
  registry = await logIn(emulator, 'us-east-1');
}

beforeEach(() => start());
afterEach(() => emulator.close());

describe('regions', () => {
  test('know nothing of each other', async () => {
    await registry.pushImage('app', amd64, 'v1');
    const europe = await logIn(emulator, 'eu-west-1');
    expect((await europe.call('HEAD', '/v2/app/manifests/v1')).status).toBe(404);
    expect((await europe.call('HEAD', `/v2/app/blobs/${digestOf(amd64.layer)}`)).status).toBe(404);
    const response = await europe.pushManifest('app', 'v1', amd64);
    expect(response.status).toBe(404);
  });
});

describe('uploads', () => {
  test('answer PATCH with 201 and a Range that sticks at the first part', async () => {
    const started = await registry.call('POST', '/v2/app/blobs/uploads/');
    const location = started.headers.get('location') ?? '';
    expect(location).toMatch(new RegExp(`^${emulator.url('us-east-1')}/v2/app/blobs/uploads/`));
    const content = Buffer.alloc(12 * 1024 * 1024, 'abc');
    const patch = await registry.call('PATCH', location, { body: content });
    expect([patch.status, patch.headers.get('range')]).toEqual([201, '0-10485759']);
    const trusting = await registry.call('PATCH', location, {
      body: content.subarray(10_485_760),
      headers: { 'Content-Range': `10485760-${content.length - 1}` },
    });
    expect(trusting.status).toBe(416);
    expect((await registry.call('PUT', `${location}?digest=${digestOf(content)}`)).status).toBe(201);
  });

  test('are not saved by a mount, unless the registry allows it', async () => {
    await registry.pushImage('base', amd64);
    const mount = `/v2/app/blobs/uploads/?mount=${digestOf(amd64.layer)}&from=base`;
    expect((await registry.call('POST', mount)).status).toBe(202);
    await emulator.close();
    await start({ blobMounting: true });
    await registry.pushBlob('base', amd64.layer);
    expect((await registry.call('POST', mount)).status).toBe(202);
    await registry.pushImage('base', amd64);
    expect((await registry.call('POST', mount)).status).toBe(201);
    expect((await registry.call('HEAD', `/v2/app/blobs/${digestOf(amd64.layer)}`)).status).toBe(200);
  });
});

describe('a blob', () => {
  async function redirect(): Promise<string> {
    await registry.pushBlob('app', amd64.layer);
    const response = await registry.call('GET', `/v2/app/blobs/${digestOf(amd64.layer)}`);
    expect(response.status).toBe(307);
    return response.headers.get('location') ?? '';
  }

  test('is redirected to another origin, where it can be had in whole and in part', async () => {
    const location = await redirect();
    expect(emulator.regions.map(({ url }) => url)).not.toContain(new URL(location).origin);
    expect(await (await fetch(location)).text()).toBe(amd64.layer.toString());
    const part = await fetch(location, { headers: { Range: 'bytes=4-8' } });
    expect([part.status, await part.text()]).toEqual([206, 'layer']);
  });

  test('is refused there to who sends an Authorization header along', async () => {
    const response = await registry.call('GET', await redirect());
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('Only one auth mechanism allowed');
  });

  test.each([
    ['without a signature', (location: string) => location.replace(/&X-Amz-Signature=.*/, '')],
    ['with another signature', (location: string) => location.replace(/.$/, 'x')],
    ['of another path', (location: string) => location.replace(/\/[a-f0-9]{64}\?/, `/${'0'.repeat(64)}?`)],
  ])('is refused there %s', async (_, change) => {
    expect((await fetch(change(await redirect()))).status).toBe(403);
  });

  test('is refused there to HEAD, whose signature it would not be', async () => {
    expect((await fetch(await redirect(), { method: 'HEAD' })).status).toBe(403);
  });

  test('comes at once where nothing is redirected', async () => {
    await emulator.close();
    await start({ redirectBlobs: false });
    await registry.pushBlob('app', amd64.layer);
    const response = await registry.call('GET', `/v2/app/blobs/${digestOf(amd64.layer)}`);
    expect([response.status, await response.text()]).toEqual([200, amd64.layer.toString()]);
  });
});

describe('a manifest', () => {
  test('tells its digest on HEAD, and not on GET', async () => {
    await registry.pushImage('app', amd64, 'v1');
    const head = await registry.call('HEAD', '/v2/app/manifests/v1');
    expect([head.headers.get('docker-content-digest'), head.headers.get('content-type')]).toEqual([
      amd64.digest,
      OCI_MANIFEST,
    ]);
    const got = await registry.call('GET', '/v2/app/manifests/v1');
    expect([got.headers.get('docker-content-digest'), await got.text()]).toEqual([null, amd64.text]);
  });

  test.each([
    ['any type', '*/*', OCI_MANIFEST],
    ['its own type', `${OCI_MANIFEST}, ${DOCKER_MANIFEST}`, OCI_MANIFEST],
    ['the other family alone', DOCKER_MANIFEST, DOCKER_MANIFEST],
    ['something else altogether', 'application/json', OCI_MANIFEST],
  ])('that is read by tag for %s comes as what is accepted', async (_, accept, type) => {
    await registry.pushImage('app', amd64, 'v1');
    const byTag = await registry.call('GET', '/v2/app/manifests/v1', { headers: { Accept: accept } });
    expect(byTag.headers.get('content-type')).toBe(type);
    expect(digestOf(Buffer.from(await byTag.text())) === amd64.digest).toBe(type === OCI_MANIFEST);
    const byDigest = await registry.call('GET', `/v2/app/manifests/${amd64.digest}`, {
      headers: { Accept: accept },
    });
    expect(await byDigest.text()).toBe(amd64.text);
  });

  test('of an index is taken once its children are there', async () => {
    const index = indexOf(amd64, arm64);
    await registry.pushImage('app', amd64);
    await registry.pushImage('app', arm64);
    expect((await registry.pushManifest('app', 'v1', index)).status).toBe(201);
    const got = await registry.call('GET', '/v2/app/manifests/v1');
    expect([got.headers.get('content-type'), await got.text()]).toEqual([OCI_INDEX, index.text]);
  });

  test('can be deleted by tag, and is gone with its last one', async () => {
    await registry.pushImage('app', amd64, 'v1');
    expect((await registry.call('DELETE', '/v2/app/manifests/v1')).status).toBe(202);
    expect((await registry.call('HEAD', `/v2/app/manifests/${amd64.digest}`)).status).toBe(404);
  });
});

describe('listings', () => {
  test('of tags come in pages, with a cursor that says nothing', async () => {
    for (const tag of ['v1', 'v2', 'v3']) await registry.pushImage('app', amd64, tag);
    const first = await registry.call('GET', '/v2/app/tags/list?n=2');
    expect(await first.json()).toEqual({ name: 'app', tags: ['v1', 'v2'] });
    const link = /<(.+)>; rel="next"/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
    expect(new URL(link, emulator.endpoint).searchParams.get('last')).not.toContain('v2');
    const second = await registry.call('GET', link);
    expect([await second.json(), second.headers.get('link')]).toEqual([{ name: 'app', tags: ['v3'] }, null]);
  });

  test('of referrers tell their artifact types and annotations', async () => {
    await registry.pushImage('app', amd64, 'v1');
    const subject = { mediaType: OCI_MANIFEST, digest: amd64.digest, size: amd64.text.length };
    const annotations = { a: 'b' };
    const artifactType = 'application/spdx+json';
    const { config, layers } = JSON.parse(amd64.text);
    const fields = {
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      artifactType,
      config,
      layers,
      subject,
      annotations,
    };
    const referrer = manifestOf(fields, OCI_MANIFEST);
    const put = await registry.pushManifest('app', referrer.digest, referrer);
    expect(put.headers.get('oci-subject')).toBe(amd64.digest);
    const response = await registry.call('GET', `/v2/app/referrers/${amd64.digest}`);
    expect(JSON.parse(await response.text()).manifests).toEqual([
      {
        mediaType: OCI_MANIFEST,
        digest: referrer.digest,
        size: referrer.text.length,
        artifactType,
        annotations,
      },
    ]);
  });
});
