import { setTimeout as sleep } from 'node:timers/promises';
import pRetry from 'p-retry';
import { ContentError, RegistryError, StalledError, TimeoutError, UploadError } from './errors.ts';

/** How often and how patiently a failed operation is tried again. Delays are in milliseconds. */
export interface RetryPolicy {
  /** Tries after the first. */
  readonly retries: number;
  /** Further tries after the registry was too busy (429), which says nothing of the request itself. */
  readonly throttled: number;
  /** Tries after the first that had no answer in time, at the most: each of them takes long to fail. */
  readonly silent: number;
  readonly minDelay: number;
  readonly maxDelay: number;
}

export const DEFAULT_RETRY: RetryPolicy = {
  retries: 5,
  throttled: 12,
  silent: 2,
  minDelay: 500,
  maxDelay: 20_000,
};

const RETRIABLE_STATUS: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

/** The codes with which node and undici report that a connection failed, as against a program error. */
const RETRIABLE_CODES: ReadonlySet<string> = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EAI_AGAIN'],
  ...['UND_ERR_SOCKET', 'UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'],
  ...['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'ERR_STREAM_PREMATURE_CLOSE'],
]);

/** Failures of which a new try knows nothing. */
const PASSING = [ContentError, StalledError, TimeoutError, UploadError];

/**
 * Failures that were tried again as often as they may: whoever asked for the work may work under a policy of its own, which would
 * multiply the tries.
 */
const GIVEN_UP = new WeakSet<Error>();

/** A failure that is followed by another try, in words; the pause is in milliseconds. */
export function retryLine(where: string, error: Error, pause: number): string {
  return `${where}: ${error.message}; trying again in ${Math.ceil(pause / 1000)} s`;
}

/** Whether trying once more may help: the registry was busy or broken, or the connection or the content was. */
export function isRetriable(error: unknown): boolean {
  if (error instanceof Error && GIVEN_UP.has(error)) return false;
  if (error instanceof RegistryError) return RETRIABLE_STATUS.has(error.status);
  if (PASSING.some((kind) => error instanceof kind)) return true;
  if (!(error instanceof Error)) return false;
  if ('code' in error && typeof error.code === 'string' && RETRIABLE_CODES.has(error.code)) return true;
  return isRetriable(error.cause);
}

/**
 * Runs an operation, and again after a growing and jittered pause while it fails in a way that may pass. The
 * operation opens its body anew each time: a stream that was read once cannot be sent again.
 * @param onRetry told of each failure that is followed by another try, with the pause in milliseconds
 * @param signal ends the trying, pauses too
 * @throws what the last try threw, which is not tried again by anybody else, or the signal's reason
 */
export async function withRetry<T>(
  operation: () => Promise<T>,
  policy: RetryPolicy,
  onRetry: (error: Error, pause: number) => void = () => undefined,
  signal?: AbortSignal,
): Promise<T> {
  let throttled = 0;
  let silent = 0;
  const isFree = (error: unknown) => isThrottled(error) && throttled <= policy.throttled;
  const isEnough = (error: unknown) => isSilent(error) && silent > policy.silent;
  const mayRetry = (error: unknown, consumed: number) =>
    isRetriable(error) && !isEnough(error) && (isFree(error) || consumed < policy.retries);
  const giveUp = (error: unknown) => {
    if (error instanceof Error) GIVEN_UP.add(error);
    throw error;
  };
  return pRetry(operation, {
    ...(signal && { signal }),
    // One more than there are: with none left, no failure would be followed by a try that is not counted.
    retries: policy.retries + 1,
    minTimeout: policy.minDelay,
    maxTimeout: policy.maxDelay,
    factor: 2,
    randomize: true,
    shouldRetry: ({ error, retriesConsumed }) => mayRetry(error, retriesConsumed),
    shouldConsumeRetry: ({ error }) => {
      if (isThrottled(error)) throttled += 1;
      if (isSilent(error)) silent += 1;
      return !isFree(error);
    },
    onFailedAttempt: async ({ error, retriesConsumed, retryDelay }) => {
      if (!mayRetry(error, retriesConsumed)) return;
      // A try that is not counted comes without a pause of its own: its delay is none.
      const least = isThrottled(error) ? Math.max(retryDelay, growing(throttled, policy)) : retryDelay;
      const asked = error instanceof RegistryError ? (error.retryAfter ?? 0) : 0;
      const pause = Math.max(least, Math.min(asked, policy.maxDelay));
      onRetry(error, pause);
      // That the signal has ended the pause is seen right after it, and the signal's own reason is told then.
      await sleep(pause - retryDelay, undefined, { ...(signal && { signal }) }).catch(() => undefined);
    },
  }).catch(giveUp);
}

/** The pause after so many refusals, in milliseconds: twice as long each time, and jittered. */
function growing(times: number, { minDelay, maxDelay }: RetryPolicy): number {
  return Math.min(maxDelay, minDelay * 2 ** (times - 1) * (1 + Math.random()));
}

/** Whether it took a limit's whole time to fail. */
function isSilent(error: unknown): boolean {
  if (error instanceof StalledError || error instanceof TimeoutError) return true;
  if (!(error instanceof Error)) return false;
  return ('code' in error && error.code === 'UND_ERR_BODY_TIMEOUT') || isSilent(error.cause);
}

function isThrottled(error: unknown): boolean {
  return error instanceof RegistryError && error.status === 429;
}
