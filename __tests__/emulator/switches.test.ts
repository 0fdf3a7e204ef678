import {
  BatchCheckLayerAvailabilityCommand,
  DescribeImagesCommand,
  GetAuthorizationTokenCommand,
  PutImageCommand,
} from '@aws-sdk/client-ecr';
import { describe, expect, test } from '@jest/globals';
import type { Behaviour } from '../../emulator/behaviour.ts';
import { type Emulator, startEmulator } from '../../emulator/emulator.ts';
import { digestOf } from '../../src/image/digest.ts';
import { OCI_INDEX } from '../../src/image/mediaTypes.ts';
import { atEnd } from '../support/ends.ts';
import {
  ecrClient,
  errorOf,
  imageOf,
  indexOf,
  logIn,
  manifestOf,
  type Registry,
  registryWith,
} from './support.ts';

const amd64 = imageOf('amd64');
const layer = digestOf(amd64.layer);
const MIB = 1024 * 1024;

let now = Date.UTC(2026, 0, 2, 3, 4, 5);
let emulator: Emulator;
let registry: Registry;

async function start(behaviour: Partial<Behaviour> = {}): Promise<void> {
  emulator = await startEmulator({
    regions: ['us-east-1', 'eu-west-1'],
    repositories: ['app'],
    behaviour,
    now: () => now,
  });
  atEnd(() => emulator.close());
  registry = await logIn(emulator, 'us-east-1');
}

async function beginUpload(): Promise<string> {
  const started = await registry.call('POST', '/v2/app/blobs/uploads/');
  return started.headers.get('location') ?? '';
}

describe('uploads', () => {
  test('go by the book where the behaviour has it so', async () => {
    await start({ uploads: 'by the book' });
    const location = await beginUpload();
    const content = Buffer.alloc(12 * MIB, 'abc');
    const patch = await registry.call('PATCH', location, { body: content.subarray(0, 11 * MIB) });
    expect([patch.status, patch.headers.get('range')]).toEqual([202, `0-${11 * MIB - 1}`]);
    const next = await registry.call('PATCH', location, {
      body: content.subarray(11 * MIB),
      headers: { 'Content-Range': `${11 * MIB}-${12 * MIB - 1}` },
    });
    expect(next.status).toBe(202);
    expect((await registry.call('PUT', `${location}?digest=${digestOf(content)}`)).status).toBe(201);
  });

  test('tell how far they are where the behaviour has it so', async () => {
    await start({ uploadStatus: true });
    const location = await beginUpload();
    await registry.call('PATCH', location, { body: 'abc' });
    const status = await registry.call('GET', location);
    expect([status.status, status.headers.get('range')]).toEqual([204, '0-2']);
  });

  test.each([
    [true, /^http:\/\/127\.0\.0\.1:\d+\/v2\/app\/blobs\/uploads\//],
    [false, /^\/v2\/app\/blobs\/uploads\//],
  ])('name their host in the Location: %s', async (absoluteLocation, form) => {
    await start({ absoluteLocation });
    expect(await beginUpload()).toMatch(form);
  });
});

describe('what is read', () => {
  test.each([
    [true, amd64.digest],
    [false, null],
  ])('tells a manifest’s digest on GET: %s', async (digestOnGet, digest) => {
    await start({ digestOnGet });
    await registry.pushImage('app', amd64, 'v1');
    const got = await registry.call('GET', '/v2/app/manifests/v1');
    expect(got.headers.get('docker-content-digest')).toBe(digest);
  });

  test('has pages of tags of other lengths, and a cursor that is a tag', async () => {
    await start({ defaultTagPage: 2, maxTagPage: 3, opaqueTagCursor: false });
    for (const tag of ['a', 'b', 'c', 'd']) await registry.pushImage('app', amd64, tag);
    const list = async (query: string) => (await registry.call('GET', `/v2/app/tags/list${query}`)).json();
    expect(await list('')).toMatchObject({ tags: ['a', 'b'] });
    expect(await list('?last=b')).toMatchObject({ tags: ['c', 'd'] });
    expect(await list('?n=3')).toMatchObject({ tags: ['a', 'b', 'c'] });
    expect((await registry.call('GET', '/v2/app/tags/list?n=4')).status).toBe(405);
  });

  test('comes from the storage in spite of an Authorization header where that is ignored', async () => {
    await start({ forwardedAuthorization: 'ignored' });
    await registry.pushBlob('app', amd64.layer);
    const { headers } = await registry.call('GET', `/v2/app/blobs/${layer}`);
    const location = headers.get('location') ?? '';
    const forwarded = await registry.call('GET', location);
    expect([forwarded.status, await forwarded.text()]).toEqual([200, amd64.layer.toString()]);
    expect((await registry.call('GET', location.replace(/.$/, 'x'))).status).toBe(403);
  });
});

describe('a token', () => {
  const challenge = /^Basic realm="https:\/\/127\.0\.0\.1:\d+\/",service="ecr.amazonaws.com"$/;

  test.each([
    [403, null],
    [401, expect.stringMatching(challenge)],
  ] as const)('that has expired is answered with %d', async (expiredToken, header) => {
    await start({ expiredToken, tokenLifetime: 60 });
    now += 60_000;
    const response = await registry.call('GET', '/v2/');
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([expiredToken, header]);
  });

  test.each([
    [400, null],
    [401, expect.stringMatching(challenge)],
  ] as const)('of another region is answered with %d', async (foreignToken, header) => {
    await start({ foreignToken });
    const { call } = registryWith(emulator.url('eu-west-1'), registry.token);
    const response = await call('GET', '/v2/');
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([foreignToken, header]);
  });

  test('that is missing is told of as the specification words it where the behaviour has it so', async () => {
    await start({ notAuthorized: 'json' });
    const response = await fetch(new URL('/v2/', emulator.endpoint));
    expect(response.headers.get('www-authenticate')).toMatch(challenge);
    expect(await errorOf(response)).toEqual([401, 'UNAUTHORIZED', 'Not Authorized']);
  });

  test.each([
    ['us-east-1', 'https://123456789012.dkr.ecr.us-east-1.amazonaws.com'],
    ['eu-west-1', 'https://123456789012.dkr.ecr.eu-west-1.amazonaws.com'],
  ])('comes with AWS’s own address of %s where the behaviour has it so', async (region, endpoint) => {
    await start({ addresses: 'aws' });
    const client = ecrClient(emulator, region);
    const { authorizationData } = await client.send(new GetAuthorizationTokenCommand({}));
    expect(authorizationData?.[0]?.proxyEndpoint).toBe(endpoint);
  });
});

describe('a layer, right after its upload,', () => {
  async function availability(): Promise<unknown> {
    const asked = { repositoryName: 'app', layerDigests: [layer] };
    const { layers } = await ecrClient(emulator, 'us-east-1').send(
      new BatchCheckLayerAvailabilityCommand(asked),
    );
    return layers?.[0]?.layerAvailability;
  }

  const head = async () => (await registry.call('HEAD', `/v2/app/blobs/${layer}`)).status;
  const put = () => registry.pushManifest('app', 'v1', amd64);

  test.each([
    [false, 404, 'UNAVAILABLE'],
    [true, 200, 'AVAILABLE'],
  ])('is missing to a manifest, and shows itself: %s', async (raceShowsLayer, status, available) => {
    await start({ layerDelay: 500, raceShowsLayer });
    for (const blob of [amd64.config, amd64.layer]) await registry.pushBlob('app', blob);
    expect([await head(), await availability()]).toEqual([status, available]);
    expect((await errorOf(await put())).slice(0, 2)).toEqual([404, 'BLOB_UPLOAD_UNKNOWN']);
    now += 499;
    expect((await put()).status).toBe(404);
    now += 1;
    expect([await head(), await availability()]).toEqual([200, 'AVAILABLE']);
    expect((await put()).status).toBe(201);
  });
});

describe('an image, right after its push,', () => {
  test('is missing to an index for a while, counted from its first push', async () => {
    await start({ manifestDelay: 500 });
    await registry.pushImage('app', amd64);
    const put = async () => (await registry.pushManifest('app', 'v1', indexOf(amd64))).status;
    expect((await registry.call('HEAD', `/v2/app/manifests/${amd64.digest}`)).status).toBe(200);
    now += 499;
    expect(await put()).toBe(404);
    await registry.pushManifest('app', amd64.digest, amd64);
    now += 1;
    expect(await put()).toBe(201);
  });
});

describe('referrers', () => {
  const referrer = (() => {
    const { mediaType, ...fields } = JSON.parse(amd64.text);
    const subject = { mediaType, digest: amd64.digest, size: amd64.text.length };
    return manifestOf({ ...fields, mediaType, subject }, mediaType);
  })();
  const put = async () => (await registry.pushManifest('app', referrer.digest, referrer)).status;

  test('are refused before their subject is there, where the behaviour has it so', async () => {
    await start({ missingSubject: 'refused' });
    for (const blob of [amd64.config, amd64.layer]) await registry.pushBlob('app', blob);
    expect(await put()).toBe(404);
    await registry.pushImage('app', amd64);
    expect(await put()).toBe(201);
  });

  test('come in pages, each of which names the next', async () => {
    await start({ referrersPage: 1 });
    await registry.pushImage('app', amd64);
    expect(await put()).toBe(201);
    const index = indexOf(amd64);
    const { subject } = JSON.parse(referrer.text);
    const other = manifestOf({ ...JSON.parse(index.text), subject }, OCI_INDEX);
    expect((await registry.pushManifest('app', other.digest, other)).status).toBe(201);
    const digests: string[] = [];
    for (let path = `/v2/app/referrers/${amd64.digest}`; path; ) {
      const page = await registry.call('GET', path);
      digests.push(...JSON.parse(await page.text()).manifests.map((each: { digest: string }) => each.digest));
      path = /<(.+)>; rel="next"/.exec(page.headers.get('link') ?? '')?.[1] ?? '';
    }
    expect(digests).toEqual([referrer.digest, other.digest]);
  });
});

describe('what DescribeImages says', () => {
  const describeTags = async (...tags: string[]) => {
    const imageIds = tags.map((imageTag) => ({ imageTag }));
    const command = new DescribeImagesCommand({ repositoryName: 'app', imageIds });
    const { imageDetails = [] } = await ecrClient(emulator, 'us-east-1').send(command);
    return imageDetails.map(({ imageDigest, imageTags }) => [imageDigest, imageTags]);
  };

  test.each([
    ['once', 1],
    ['each', 2],
  ] as const)('of an image that is asked for by two tags comes %s', async (describesSame, times) => {
    await start({ describesSame });
    for (const tag of ['v1', 'v2']) await registry.pushImage('app', amd64, tag);
    expect(await describeTags('v1', 'v2')).toEqual(Array(times).fill([amd64.digest, ['v1', 'v2']]));
  });

  test('is old for a while after a tag was written', async () => {
    await start({ describeDelay: 500 });
    await registry.pushImage('app', amd64, 'v1');
    await expect(describeTags('v1')).rejects.toMatchObject({ name: 'ImageNotFoundException' });
    now += 500;
    expect(await describeTags('v1')).toEqual([[amd64.digest, ['v1']]]);
    const index = indexOf(amd64);
    await registry.pushManifest('app', 'v1', index);
    expect(await describeTags('v1')).toEqual([[amd64.digest, ['v1']]]);
    now += 500;
    expect(await describeTags('v1')).toEqual([[index.digest, ['v1']]]);
  });
});

describe('the JSON API', () => {
  test.each([
    ['ImageTagAlreadyExists', 'ImageTagAlreadyExistsException'],
    ['ImageAlreadyExists', 'ImageAlreadyExistsException'],
  ] as const)('calls the same image under its immutable tag %s', async (sameDigestInApi, name) => {
    await start({ sameDigestInApi });
    emulator.createRepository('fixed', { imageTagMutability: 'IMMUTABLE' });
    await registry.pushImage('fixed', amd64, 'v1');
    const put = new PutImageCommand({ repositoryName: 'fixed', imageManifest: amd64.text, imageTag: 'v1' });
    await expect(ecrClient(emulator, 'us-east-1').send(put)).rejects.toMatchObject({ name });
  });

  test('calls missing layers what it always calls them', async () => {
    await start({ missingLayer: 'MANIFEST_BLOB_UNKNOWN' });
    const put = new PutImageCommand({ repositoryName: 'app', imageManifest: amd64.text, imageTag: 'v1' });
    await expect(ecrClient(emulator, 'us-east-1').send(put)).rejects.toMatchObject({
      name: 'LayersNotFoundException',
    });
  });
});
