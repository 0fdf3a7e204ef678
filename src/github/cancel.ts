import { setTimeout as sleep } from 'node:timers/promises';
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

/** How long what was held may take to be told of, in milliseconds. */
const TELLING = 1_000;

/** A step that was cancelled. */
export class CancelledError extends Error {
  override readonly name = 'CancelledError';

  constructor() {
    super('the step was cancelled');
  }
}

/**
 * Runs the action. When the runner cancels it, it cleans up and ends at once: connections end with the process, and
 * whatever was not published stays unpublished. Only what is held is waited for, and for the work to tell what came of that;
 * neither when another signal comes.
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
  const over = Promise.withResolvers<void>();
  let isEnded = false;
  const end = (code: number) => {
    if (isEnded) return;
    isEnded = true;
    cleanUp();
    process.exit(code);
  };
  const endTold = async (code: number) => {
    await Promise.allSettled(held);
    await Promise.race([over.promise, sleep(TELLING)]);
    end(code);
  };
  let code: number | undefined;
  const handlers = Object.entries(SIGNALS).map(([signal, codeOf]) => {
    const handler = () => {
      const isFirst = !controller.signal.aborted;
      code = codeOf;
      controller.abort(new CancelledError());
      if (isFirst && held.size > 0) void endTold(codeOf);
      else end(codeOf);
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
    over.resolve();
    for (const [signal, handler] of handlers) process.off(signal, handler);
    if (code === undefined) cleanUp();
    else end(code);
  }
}
