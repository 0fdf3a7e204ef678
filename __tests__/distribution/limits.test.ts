import { Readable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { DEFAULT_LIMITS, type Limits, uploadAnswerLimit } from '../../src/distribution/limits.ts';
import { DEFAULT_RETRY } from '../../src/distribution/retry.ts';
import { createTransport, type HttpRequest, type Transport } from '../../src/distribution/transport.ts';
import { atEnd } from '../support/ends.ts';
import { serve } from '../support/server.ts';

/** A server that answers nothing, and a transport with these limits. */
async function silence(limits: Partial<Limits>): Promise<(request: Partial<HttpRequest>) => Promise<string>> {
  const { url } = await serve(() => undefined);
  const transport: Transport = createTransport({ connections: 1, userAgent: 'test', limits });
  atEnd(() => transport.close());
  return (request) =>
    transport.send({ method: 'PUT', url: new URL(url), ...request }).then(() => 'an answer', String);
}

describe('the answer to an upload', () => {
  const seconds = (size: number) => uploadAnswerLimit(DEFAULT_LIMITS, size) / 1_000;

  test('is waited for as long as any other when the upload is small, and longer with its size, up to a limit', () => {
    expect(seconds(10_000)).toBeLessThan(31);
    expect(seconds(10_000_000)).toBeGreaterThan(90);
    expect(seconds(10_000_000_000)).toBe(300);
  });

  test('is never waited for less than any other', () => {
    expect(uploadAnswerLimit({ ...DEFAULT_LIMITS, uploadAnswer: 1 }, 10)).toBe(DEFAULT_LIMITS.answer);
  });
});

describe('who answers nothing', () => {
  test('is given up within two minutes', () => {
    expect((1 + DEFAULT_RETRY.silent) * DEFAULT_LIMITS.answer).toBeLessThanOrEqual(120_000);
    expect((1 + DEFAULT_RETRY.retries) * DEFAULT_LIMITS.connect).toBeLessThanOrEqual(120_000);
  });

  test('is waited for as the limit says, a manifest not being an upload', async () => {
    const send = await silence({ answer: 200, uploadAnswer: 60_000 });
    expect(await send({ body: Buffer.from('{}') })).toContain('no answer came for');
    expect(await send({ method: 'GET' })).toContain('no answer came for');
  });

  test('to a small upload is not waited for as for a large one', async () => {
    const send = await silence({ answer: 200, uploadAnswer: 60_000 });
    const body = Readable.from([Buffer.from('blob')], { objectMode: false });
    expect(await send({ headers: { 'content-length': '4' }, body })).toContain('no answer came for');
  });
});
