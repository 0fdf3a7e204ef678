/** The parts of the process that cancellation needs. */
interface Cancellable {
  once(signal: string, handler: () => void): unknown;
  off(signal: string, handler: () => void): unknown;
  exit(code: number): void;
}

/** The runner sends SIGINT first, and SIGTERM to what is still there some seconds later. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Runs the action, and when the runner cancels it cleans up and ends at once: connections end with the process, and
 * whatever was not published stays unpublished.
 * @param cleanUp has to be done when it returns
 */
export async function untilCancelled(
  process: Cancellable,
  work: () => Promise<void>,
  cleanUp: () => void,
): Promise<void> {
  const handlers = Object.entries(SIGNALS).map(([signal, code]) => {
    const handler = () => {
      cleanUp();
      process.exit(code);
    };
    process.once(signal, handler);
    return [signal, handler] as const;
  });
  try {
    await work();
  } finally {
    for (const [signal, handler] of handlers) process.off(signal, handler);
    cleanUp();
  }
}
