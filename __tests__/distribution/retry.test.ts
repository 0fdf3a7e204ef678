import { describe, expect, test } from '@jest/globals';
import { ContentError, RegistryError } from '../../src/distribution/errors.ts';
import { isRetriable, withRetry } from '../../src/distribution/retry.ts';
import { EAGER } from '../support/server.ts';

const url = new URL('https://registry.example/');
const answered = (status: number, retryAfter?: string) =>
  new RegistryError({ method: 'GET', url }, { status, body: '', ...(retryAfter && { retryAfter }) });
const failing = (code: string) => Object.assign(new Error(code), { code });

describe('a failure may pass', () => {
  test.each([408, 429, 500, 502, 503, 504])('when a registry answers %d', (status) => {
    expect(isRetriable(answered(status))).toBe(true);
  });

  test.each([200, 301, 400, 401, 403, 404, 405, 409, 416, 501])('not when it answers %d', (status) => {
    expect(isRetriable(answered(status))).toBe(false);
  });

  test.each(['ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ETIMEDOUT', 'UND_ERR_SOCKET'])(
    'when the connection failed with %s, be it the cause of another error',
    (code) => {
      expect(isRetriable(failing(code))).toBe(true);
      expect(isRetriable(new Error('fetch failed', { cause: failing(code) }))).toBe(true);
    },
  );

  test('when the content was damaged', () => {
    expect(isRetriable(new ContentError('short'))).toBe(true);
  });

  test.each([new TypeError('a bug'), failing('ENOENT'), 'text', undefined])('not for %p', (error) => {
    expect(isRetriable(error)).toBe(false);
  });
});

describe('trying again', () => {
  test('stops with the first success', async () => {
    let tries = 0;
    const result = await withRetry(async () => {
      tries += 1;
      if (tries < 3) throw answered(503);
      return tries;
    }, EAGER);
    expect(result).toBe(3);
  });

  test('stops with the last error when all tries failed', async () => {
    const told: string[] = [];
    let tries = 0;
    const work = withRetry(
      async () => {
        tries += 1;
        throw Object.assign(answered(503), { message: `try ${tries}` });
      },
      EAGER,
      ({ message }) => told.push(message),
    );
    await expect(work).rejects.toThrow('try 4');
    expect(told).toEqual(['try 1', 'try 2', 'try 3']);
  });

  test('does not hide a program error behind tries', async () => {
    let tries = 0;
    const work = withRetry(async () => {
      tries += 1;
      throw new TypeError('a bug');
    }, EAGER);
    await expect(work).rejects.toThrow('a bug');
    expect(tries).toBe(1);
  });

  test('pauses as long as the registry asks, but not for ever', async () => {
    const pauses: number[] = [];
    const once = (error: Error) => {
      let tries = 0;
      return async () => {
        tries += 1;
        if (tries === 1) throw error;
      };
    };
    const policy = { retries: 1, minDelay: 1, maxDelay: 40 };
    await withRetry(once(answered(429, '0.03')), policy, (_, pause) => pauses.push(pause));
    await withRetry(once(answered(429, '86400')), policy, (_, pause) => pauses.push(pause));
    expect(pauses[0]).toBeGreaterThanOrEqual(30);
    expect(pauses[1]).toBe(40);
  });
});
