import { Readable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';

import { blobOf, OCI_LAYER, utf8 } from '../support/images.ts';
import { until } from '../support/memory.ts';
import { refuse, repositoryAt, serve } from '../support/server.ts';

const content = utf8('layer');
const descriptor = blobOf(content, OCI_LAYER);
const cancelled = new Error('the step was cancelled');
const open = async () => Readable.from([content], { objectMode: false });

describe('broken off', () => {
  test('a request fails with the reason, and is not tried again', async () => {
    const { url, requests } = await serve(() => undefined);
    const repository = repositoryAt(url);
    const asked = repository.statBlob(descriptor.digest);
    await until(() => requests.length === 1);
    repository.breakOff(cancelled);
    await expect(asked).rejects.toThrow('the step was cancelled');
    expect(requests).toHaveLength(1);
  });

  test('what was asked of the registry in another way is waited for no longer', async () => {
    const { url } = await serve(() => undefined);
    const repository = repositoryAt(url);
    await expect(repository.unlessBroken(async () => 'done')).resolves.toBe('done');
    let told: AbortSignal | undefined;
    const asked = repository.unlessBroken((signal) => {
      told = signal;
      return new Promise(() => {});
    });
    repository.breakOff(cancelled);
    await expect(asked).rejects.toThrow('the step was cancelled');
    expect(told?.aborted).toBe(true);
  });

  test('an upload does not go on from its first request to the next', async () => {
    const begun = Promise.withResolvers<void>();
    const { url, requests } = await serve(async (_, response) => {
      response.writeHead(202, { location: '/v2/app/web/blobs/uploads/1' }).end();
    });
    const repository = repositoryAt(url);
    const writing = repository.writeBlob(descriptor, async () => {
      begun.resolve();
      await until(() => broken);
      return open();
    });
    let broken = false;
    await begun.promise;
    repository.breakOff(cancelled);
    broken = true;
    await expect(writing).rejects.toThrow('the step was cancelled');
    expect(requests.map(({ method }) => method)).toEqual(['POST']);
  });

  test('a pause before the next try ends at once', async () => {
    const { url, requests } = await serve((_, response) => refuse(response, 503, 'BUSY'));
    const retry = { retries: 3, throttled: 3, silent: 3, minDelay: 60_000, maxDelay: 60_000 };
    const failures: Error[] = [];
    const repository = repositoryAt(url, { retry, onRetry: (error) => failures.push(error) });
    const asked = repository.statBlob(descriptor.digest);
    await until(() => failures.length === 1);
    repository.breakOff(cancelled);
    await expect(asked).rejects.toBe(cancelled);
    expect(requests).toHaveLength(1);
  });

  test('what begins later is as good as ever', async () => {
    const { url } = await serve((_, response) => response.writeHead(200, { 'content-length': '5' }).end());
    const repository = repositoryAt(url);
    repository.breakOff(cancelled);
    expect(await repository.statBlob(descriptor.digest)).toBe(5);
  });
});
