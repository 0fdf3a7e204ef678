import { BatchGetImageCommand, PutImageCommand } from '@aws-sdk/client-ecr';
import { beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Behaviour, ECR_BEHAVIOUR } from '../../emulator/behaviour.ts';
import { type Emulator, startEmulator } from '../../emulator/emulator.ts';
import { Quotas } from '../../emulator/quotas.ts';
import { digestOf } from '../../src/image/digest.ts';
import { atEnd } from '../support/ends.ts';
import { ecrClient, errorOf, imageOf, logIn, type Registry } from './support.ts';

const PLACE = { account: '123456789012', region: 'us-east-1' };
const OTHER = '210987654321';
const amd64 = imageOf('amd64');
const THROTTLED = [429, 'TOOMANYREQUESTS', 'Rate exceeded'];

let now = 0;
const clock = () => now;

beforeEach(() => {
  now = Date.UTC(2026, 0, 2, 3, 4, 5);
});

/** How many of as many requests pass. */
function passing(quotas: Quotas, requests: number, operation = 'PutImage', place = PLACE): number {
  return Array.from({ length: requests }, () => quotas.take(place, [operation])).filter(Boolean).length;
}

describe('a quota', () => {
  const rate = 10;
  const start = (quotaWindow: Behaviour['quotaWindow']) =>
    new Quotas({ quotas: { PutImage: rate, InitiateLayerUpload: 3 }, quotaWindow }, clock);

  test('in a bucket is a second’s at the most, and refilled all the time', () => {
    const quotas = start('bucket');
    expect(passing(quotas, 15)).toBe(10);
    now += 99;
    expect(passing(quotas, 5)).toBe(0);
    now += 1;
    expect(passing(quotas, 5)).toBe(1);
    now += 500;
    expect(passing(quotas, 15)).toBe(5);
    now += 60_000;
    expect(passing(quotas, 15)).toBe(10);
  });

  test('of a second starts anew with the next one, and not before', () => {
    const quotas = start('second');
    now += 900;
    expect(passing(quotas, 15)).toBe(10);
    now += 99;
    expect(passing(quotas, 15)).toBe(0);
    now += 1;
    expect(passing(quotas, 15)).toBe(10);
  });

  test('is one for each account, region and operation', () => {
    const quotas = start('bucket');
    passing(quotas, rate);
    expect(passing(quotas, 1)).toBe(0);
    expect(passing(quotas, 1, 'PutImage', { ...PLACE, region: 'eu-west-1' })).toBe(1);
    expect(passing(quotas, 1, 'PutImage', { ...PLACE, account: OTHER })).toBe(1);
    expect(passing(quotas, 5, 'InitiateLayerUpload')).toBe(3);
    expect(passing(quotas, 10_000, 'DescribeImages')).toBe(10_000);
  });

  test('counts nothing of a request that is two operations, one of which has no room', () => {
    const quotas = start('bucket');
    passing(quotas, 3, 'InitiateLayerUpload');
    expect(quotas.take(PLACE, ['PutImage', 'InitiateLayerUpload'])).toBe(false);
    expect(passing(quotas, 15)).toBe(10);
  });

  test('does not grow when the clock is set back', () => {
    const quotas = start('bucket');
    passing(quotas, rate);
    now -= 5_000;
    expect(passing(quotas, 5)).toBe(0);
  });

  test('lets no more through than its rate, however requests come', () => {
    const pauses = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(pauses, (all) => {
        const quotas = start('bucket');
        const from = now;
        let passed = 0;
        for (const pause of all) {
          now += pause;
          passed += passing(quotas, 1);
          const most = rate + (rate * (now - from)) / 1_000;
          expect(passed).toBeLessThanOrEqual(most + 1e-3);
        }
      }),
    );
  });

  test('of a second lets its rate through in each, however requests come', () => {
    const pauses = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(pauses, (all) => {
        const quotas = start('second');
        const asked = new Map<number, number>();
        const passed = new Map<number, number>();
        for (const pause of all) {
          now += pause;
          const second = Math.floor(now / 1_000);
          asked.set(second, (asked.get(second) ?? 0) + 1);
          passed.set(second, (passed.get(second) ?? 0) + passing(quotas, 1));
        }
        for (const [second, count] of asked) expect(passed.get(second)).toBe(Math.min(rate, count));
      }),
    );
  });
});

describe('the emulator', () => {
  let emulator: Emulator;
  let registry: Registry;

  async function start(behaviour: Partial<Behaviour> = {}): Promise<void> {
    const regions = ['us-east-1', 'eu-west-1'];
    emulator = await startEmulator({ regions, repositories: ['app'], behaviour, now: clock });
    atEnd(() => emulator.close());
    registry = await logIn(emulator, 'us-east-1');
    await registry.pushImage('app', amd64);
  }

  /** Puts the image under so many tags. */
  async function tag(count: number, where = registry): Promise<Response[]> {
    const answers: Response[] = [];
    for (let number = 0; number < count; number += 1)
      answers.push(await where.pushManifest('app', `v${number}`, amd64));
    return answers;
  }

  test('takes ten images a second in a region by default, and throttles the next', async () => {
    await start();
    expect((await tag(9)).map(({ status }) => status)).toEqual(Array(9).fill(201));
    expect(await errorOf(await registry.pushManifest('app', 'late', amd64))).toEqual(THROTTLED);
    expect((await registry.call('HEAD', '/v2/app/manifests/late')).status).toBe(404);
    expect(emulator.requests.filter(({ status }) => status === 429)).toMatchObject([
      { method: 'PUT', needed: [{ action: 'ecr:PutImage' }] },
    ]);
    now += 100;
    expect((await registry.pushManifest('app', 'late', amd64)).status).toBe(201);
  });

  test.each([
    ['GetAuthorizationToken', 500],
    ['BatchCheckLayerAvailability', 1_000],
    ['InitiateLayerUpload', 100],
    ['UploadLayerPart', 500],
    ['CompleteLayerUpload', 100],
    ['PutImage', 10],
    ['BatchGetImage', 2_000],
    ['GetDownloadUrlForLayer', 3_000],
  ])('has ECR’s quota for %s: %d', (operation, rate) => {
    expect(passing(new Quotas(ECR_BEHAVIOUR, clock), rate + 1, operation)).toBe(rate);
  });

  test('throttles the JSON API with an exception, from the same quota as /v2/', async () => {
    await start();
    await tag(9);
    const put = { repositoryName: 'app', imageTag: 'late', imageManifest: amd64.text };
    const client = ecrClient(emulator, 'us-east-1');
    await expect(client.send(new PutImageCommand(put))).rejects.toMatchObject({
      name: 'ThrottlingException',
      message: 'Rate exceeded',
      $metadata: { httpStatusCode: 400 },
    });
    const read = new BatchGetImageCommand({ repositoryName: 'app', imageIds: [{ imageTag: 'late' }] });
    expect((await client.send(read)).failures).toMatchObject([{ failureCode: 'ImageNotFound' }]);
    now += 100;
    expect((await client.send(new PutImageCommand(put))).image?.imageId?.imageTag).toBe('late');
  });

  test('throttles no other region', async () => {
    await start();
    await tag(10);
    const europe = await logIn(emulator, 'eu-west-1');
    await europe.pushImage('app', amd64);
    expect((await tag(9, europe)).map(({ status }) => status)).toEqual(Array(9).fill(201));
  });

  test('keeps an upload open whose end it throttles', async () => {
    await start({ quotas: { CompleteLayerUpload: 3 } });
    await registry.pushBlob('app', Buffer.from('one'));
    const started = await registry.call('POST', '/v2/app/blobs/uploads/');
    const location = started.headers.get('location') ?? '';
    const content = new TextEncoder().encode('two');
    const end = `${location}?digest=${digestOf(content)}`;
    expect(await errorOf(await registry.call('PUT', end, { body: content }))).toEqual(THROTTLED);
    now += 1_000;
    expect((await registry.call('PUT', end, { body: content })).status).toBe(201);
  });

  test('answers HEAD with the status alone', async () => {
    await start({ quotas: { BatchGetImage: 0 } });
    const response = await registry.call('HEAD', '/v2/app/manifests/v1');
    expect([response.status, await response.text()]).toEqual([429, '']);
  });

  test.each([
    [undefined, null],
    [3, '3'],
  ])('says when to come again, if it is to (%s)', async (retryAfter, header) => {
    await start({ quotas: { BatchGetImage: 0 }, retryAfter });
    const response = await registry.call('GET', '/v2/app/manifests/v1');
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, header]);
    const read = new BatchGetImageCommand({ repositoryName: 'app', imageIds: [{ imageTag: 'v1' }] });
    const thrown: unknown = await ecrClient(emulator, 'us-east-1')
      .send(read)
      .catch((error: unknown) => error);
    const headers = Object(thrown).$response?.headers;
    expect([Object(thrown).name, headers?.['retry-after'] ?? null]).toEqual(['ThrottlingException', header]);
  });

  test('throttles nothing when it has no quotas', async () => {
    await start({ quotas: {} });
    expect((await tag(30)).map(({ status }) => status)).toEqual(Array(30).fill(201));
  });

  test('takes a quota that is not ECR’s', async () => {
    await start({ quotas: { ...ECR_BEHAVIOUR.quotas, PutImage: 3 } });
    expect((await tag(4)).map(({ status }) => status)).toEqual([201, 201, 429, 429]);
  });

  test('counts what another account does as its own', async () => {
    emulator = await startEmulator({
      regions: ['us-east-1'],
      accounts: [PLACE.account, OTHER],
      principals: { AKIDONE: { account: PLACE.account }, AKIDOTHER: { account: OTHER } },
      now: clock,
    });
    atEnd(() => emulator.close());
    emulator.createRepository('app', { repositoryPolicy: '{}' });
    registry = await logIn(emulator, 'us-east-1', 'AKIDONE');
    await registry.pushImage('app', amd64);
    expect((await tag(10)).at(-1)?.status).toBe(429);
    const put = { registryId: PLACE.account, repositoryName: 'app', imageManifest: amd64.text };
    const client = ecrClient(emulator, 'us-east-1', 'AKIDOTHER');
    await client.send(new PutImageCommand({ ...put, imageTag: 'theirs' }));
    expect((await registry.call('HEAD', '/v2/app/manifests/theirs')).status).toBe(200);
  });
});
