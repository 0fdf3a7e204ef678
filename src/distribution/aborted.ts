/**
 * Waits for work until a signal is aborted, which the work may know of, or not.
 * @throws what the work throws, or the signal's reason
 */
export async function unlessAborted<T>(
  work: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const end = () => aborted.reject(signal.reason);
  if (signal.aborted) end();
  signal.addEventListener('abort', end, { once: true });
  try {
    return await Promise.race([aborted.promise, work(signal)]);
  } finally {
    signal.removeEventListener('abort', end);
  }
}
