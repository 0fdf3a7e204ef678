import type { Interruption } from '../release/plan.ts';

/** The parts of the process that cancellation needs. */
interface Cancellable {
  on(signal: string, handler: () => void): unknown;
  off(signal: string, handler: () => void): unknown;
  exit(code: number): void;
}

/**
 * The runner sends SIGINT first, SIGTERM to what is still there 7.5 seconds later, and kills it 2.5 seconds after that.
 * https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-cancellation
 */
const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

/** A step that was cancelled. */
export class CancelledError extends Error {
  override readonly name = 'CancelledError';

  constructor() {
    super('the step was cancelled');
  }
}

/**
 * Runs the action. When the runner cancels it, it cleans up and ends at once: connections end with the process, and
 * whatever was not published stays unpublished. Only what is held is waited for, and not when another signal comes.
 * @param work is told by a CancelledError that it has to end
 * @param cleanUp has to be done when it returns
 */
export async function untilCancelled(
  process: Cancellable,
  work: (cancellation: Interruption) => Promise<void>,
  cleanUp: () => void,
): Promise<void> {
  const controller = new AbortController();
  const held = new Set<Promise<unknown>>();
  const end = (code: number) => {
    cleanUp();
    process.exit(code);
  };
  const handlers = Object.entries(SIGNALS).map(([signal, code]) => {
    const handler = () => {
      const isFirst = !controller.signal.aborted;
      controller.abort(new CancelledError());
      if (isFirst && held.size > 0) void Promise.allSettled(held).then(() => end(code));
      else end(code);
    };
    process.on(signal, handler);
    return [signal, handler] as const;
  });
  const hold = async <T>(critical: () => Promise<T>): Promise<T> => {
    const running = critical();
    held.add(running);
    try {
      return await running;
    } finally {
      held.delete(running);
    }
  };
  try {
    await work({ signal: controller.signal, hold });
  } finally {
    for (const [signal, handler] of handlers) process.off(signal, handler);
    cleanUp();
  }
}
