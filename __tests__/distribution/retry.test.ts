import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ContentError, RegistryError, TimeoutError, UploadError } from '../../src/distribution/errors.ts';
import { DEFAULT_RETRY, isRetriable, withRetry } from '../../src/distribution/retry.ts';
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

  test('when the registry has forgotten an upload', () => {
    expect(isRetriable(new UploadError(answered(404)))).toBe(true);
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

  test('is not multiplied by who tries again what was tried in vain', async () => {
    let tries = 0;
    const inner = () =>
      withRetry(async () => {
        tries += 1;
        throw answered(503);
      }, EAGER);
    await expect(withRetry(inner, EAGER)).rejects.toMatchObject({ status: 503 });
    expect(tries).toBe(4);
  });

  test('of who is silent ends sooner than that of who answers', async () => {
    const policy = { ...EAGER, silent: 1 };
    const failures = [new TimeoutError('late'), answered(503), new TimeoutError('late'), answered(503)];
    let tries = 0;
    const work = withRetry(async () => {
      const failure = failures[tries];
      tries += 1;
      if (failure) throw new Error('wrapped', { cause: failure });
    }, policy);
    await expect(work).rejects.toMatchObject({ cause: failures[2] });
    expect(tries).toBe(3);
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
    const policy = { retries: 1, throttled: 1, silent: 1, minDelay: 1, maxDelay: 40 };
    await withRetry(once(answered(429, '0.03')), policy, (_, pause) => pauses.push(pause));
    await withRetry(once(answered(429, '86400')), policy, (_, pause) => pauses.push(pause));
    expect(pauses[0]).toBeGreaterThanOrEqual(30);
    expect(pauses[1]).toBe(40);
  });
});

describe('a registry that is too busy', () => {
  /** Fails as the statuses say, one after the other, and then succeeds. */
  async function run(statuses: readonly number[], policy = { ...EAGER, maxDelay: 2 }) {
    const pauses: number[] = [];
    let tries = 0;
    const began = performance.now();
    const work = withRetry(
      async () => {
        const status = statuses[tries];
        tries += 1;
        if (status !== undefined) throw answered(status);
        return 'done';
      },
      policy,
      (_, pause) => pauses.push(pause),
    );
    const result = await work.catch((error: unknown) => error);
    return { result, tries, pauses, took: performance.now() - began };
  }

  test('uses up no tries: as many are left for other failures as there were', async () => {
    const statuses = [429, 503, 429, 503, 429, 503, 429];
    expect(await run(statuses)).toMatchObject({ result: 'done', tries: 8 });
    expect(await run([...statuses, 503])).toMatchObject({ result: { status: 503 }, tries: 8 });
  });

  test('is asked again even by what is tried once', async () => {
    const policy = { retries: 0, throttled: 2, silent: 0, minDelay: 1, maxDelay: 2 };
    expect(await run([429, 429], policy)).toMatchObject({ result: 'done', tries: 3 });
    expect(await run([429, 429, 429], policy)).toMatchObject({ result: { status: 429 }, tries: 3 });
    expect(await run([503], policy)).toMatchObject({ result: { status: 503 }, tries: 1 });
  });

  test('uses them up when it stays so for too long', async () => {
    const policy = { retries: 2, throttled: 4, silent: 1, minDelay: 1, maxDelay: 2 };
    expect(await run(Array(6).fill(429), policy)).toMatchObject({ result: 'done', tries: 7 });
    expect(await run(Array(7).fill(429), policy)).toMatchObject({ result: { status: 429 }, tries: 7 });
  });

  test('is borne with for a good while', () => {
    const { retries, throttled } = DEFAULT_RETRY;
    expect(throttled).toBeGreaterThanOrEqual(2 * retries);
  });

  test('is counted rightly in whatever order failures come', async () => {
    const policies = fc.record({ retries: fc.nat(3), throttled: fc.nat(3) });
    const failures = fc.array(fc.constantFrom(429, 429, 503), { maxLength: 9 });
    await fc.assert(
      fc.asyncProperty(policies, failures, async ({ retries, throttled }, statuses) => {
        const refusals = (count: number) => statuses.slice(0, count).filter((each) => each === 429).length;
        /** How many tries are used up by so many failures. */
        const used = (count: number) => count - refusals(count) + Math.max(0, refusals(count) - throttled);
        const last = statuses.findIndex((_, position) => used(position + 1) > retries);
        const { result, tries, pauses } = await run(statuses, {
          retries,
          throttled,
          silent: 0,
          minDelay: 0,
          maxDelay: 1,
        });
        expect(tries).toBe(last < 0 ? statuses.length + 1 : last + 1);
        expect(pauses).toHaveLength(tries - 1);
        if (last < 0) expect(result).toBe('done');
        else expect(result).toMatchObject({ status: statuses[last] });
      }),
      { numRuns: 100 },
    );
  });

  test('is given more time with every refusal, whether it is counted or not', async () => {
    const policy = { retries: 2, throttled: 4, silent: 1, minDelay: 4, maxDelay: 60 };
    const { pauses, took } = await run(Array(6).fill(429), policy);
    expect(pauses).toHaveLength(6);
    for (const [position, pause] of pauses.entries()) {
      const least = 4 * 2 ** position;
      expect(pause).toBeGreaterThanOrEqual(Math.min(60, least));
      expect(pause).toBeLessThanOrEqual(Math.min(60, 2 * least));
    }
    // Timers may be a millisecond early.
    expect(took).toBeGreaterThanOrEqual(pauses.reduce((sum, pause) => sum + pause - 1, 0));
  });

  test('is given no more time for other failures than those ask for', async () => {
    const policy = { retries: 2, throttled: 4, silent: 1, minDelay: 1, maxDelay: 1_000 };
    const { pauses } = await run([429, 429, 429, 503], policy);
    expect(pauses[3]).toBeLessThanOrEqual(2);
  });
});
