import { setTimeout as sleep } from 'node:timers/promises';
import pRetry from 'p-retry';
import { ContentError, RegistryError } from './errors.ts';

/** How often and how patiently a failed operation is tried again. Delays are in milliseconds. */
export interface RetryPolicy {
  /** Tries after the first. */
  readonly retries: number;
  readonly minDelay: number;
  readonly maxDelay: number;
}

export const DEFAULT_RETRY: RetryPolicy = { retries: 5, minDelay: 500, maxDelay: 20_000 };

const RETRIABLE_STATUS: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

/** The codes with which node and undici report that a connection failed, as against a program error. */
const RETRIABLE_CODES: ReadonlySet<string> = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EAI_AGAIN'],
  ...['UND_ERR_SOCKET', 'UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'],
  ...['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'ERR_STREAM_PREMATURE_CLOSE'],
]);

/** A failure that is followed by another try, in words; the pause is in milliseconds. */
export function retryLine(where: string, error: Error, pause: number): string {
  return `${where}: ${error.message}; trying again in ${Math.ceil(pause / 1000)} s`;
}

/** Whether trying once more may help: the registry was busy or broken, or the connection or the content was. */
export function isRetriable(error: unknown): boolean {
  if (error instanceof RegistryError) return RETRIABLE_STATUS.has(error.status);
  if (error instanceof ContentError) return true;
  if (!(error instanceof Error)) return false;
  if ('code' in error && typeof error.code === 'string' && RETRIABLE_CODES.has(error.code)) return true;
  return isRetriable(error.cause);
}

/**
 * Runs an operation, and again after a growing and jittered pause while it fails in a way that may pass. The
 * operation opens its body anew each time: a stream that was read once cannot be sent again.
 * @param onRetry told of each failure that is followed by another try, with the pause in milliseconds
 * @throws what the last try threw
 */
export async function withRetry<T>(
  operation: () => Promise<T>,
  policy: RetryPolicy,
  onRetry: (error: Error, pause: number) => void = () => undefined,
): Promise<T> {
  return pRetry(operation, {
    retries: policy.retries,
    minTimeout: policy.minDelay,
    maxTimeout: policy.maxDelay,
    factor: 2,
    randomize: true,
    shouldRetry: ({ error }) => isRetriable(error),
    onFailedAttempt: async ({ error, retriesLeft, retryDelay }) => {
      if (retriesLeft === 0 || !isRetriable(error)) return;
      const asked = error instanceof RegistryError ? (error.retryAfter ?? 0) : 0;
      const longer = Math.max(0, Math.min(asked, policy.maxDelay) - retryDelay);
      onRetry(error, retryDelay + longer);
      await sleep(longer);
    },
  });
}
