/**
 * Waits for work until a signal is aborted, which the work may know of, or not. None is begun after that.
 * @throws what the work throws, or the signal's reason
 */
export async function unlessAborted<T>(
  work: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const end = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', end, { once: true });
  try {
    return await Promise.race([aborted.promise, work(signal)]);
  } finally {
    signal.removeEventListener('abort', end);
  }
}
