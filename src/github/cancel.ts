import { setTimeout as sleep } from 'node:timers/promises';
import type { Interruption } from '../release/plan.ts';

/** What tells of events. */
interface Emitter {
  on(event: string, handler: () => void): unknown;
  off(event: string, handler: () => void): unknown;
}

/** The parts of the process that cancellation needs. */
interface Cancellable extends Emitter {
  readonly stdout: Emitter;
  exit(code: number): void;
}

/**
 * The runner sends SIGINT first, SIGTERM to what is still there 7.5 seconds later, and kills it 2.5 seconds after that.
 * https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-cancellation
 */
const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

/** The exit code where nobody reads the log any more: as of a program that SIGPIPE has ended. */
const UNREAD = 141;

/** How long what was held may take to be told of, in milliseconds. */
const TELLING = 1_000;

/** A step that was cancelled. */
export class CancelledError extends Error {
  override readonly name = 'CancelledError';
}

/** What has to be done before a step that was cancelled ends. */
interface Ending {
  /** Tells that what is held is not waited for any longer; not waited for long. */
  readonly giveUp: () => Promise<void>;
  /** Has to be done when it returns. */
  readonly cleanUp: () => void;
}

/**
 * Runs the action. When the runner cancels it, or is not there any more to read the log, it cleans up and ends at once:
 * connections end with the process, and whatever was not published stays unpublished. Only what is held is waited for, and for
 * the work to tell what came of that; neither when a second signal comes.
 * @param work is told by a CancelledError that it has to end
 */
export async function untilCancelled(
  process: Cancellable,
  work: (cancellation: Interruption) => Promise<void>,
  ending: Ending,
): Promise<void> {
  const cancellation = new Cancellation(process, ending);
  const handlers = Object.entries(SIGNALS).map(
    ([signal, code]) => [signal, () => cancellation.signalled(code)] as const,
  );
  const lose = () => cancellation.lose();
  for (const [signal, handler] of handlers) process.on(signal, handler);
  process.stdout.on('error', lose);
  try {
    await work(cancellation);
  } finally {
    for (const [signal, handler] of handlers) process.off(signal, handler);
    process.stdout.off('error', lose);
    cancellation.finish();
  }
}

/** How a step comes to its end before its work does. */
class Cancellation implements Interruption {
  readonly #process: Pick<Cancellable, 'exit'>;
  readonly #ending: Ending;
  readonly #controller = new AbortController();
  readonly #held = new Set<Promise<unknown>>();
  readonly #over = Promise.withResolvers<void>();
  /** What the process ends with, once it was cancelled. */
  #code: number | undefined;
  #signals = 0;
  #isGivenUp = false;
  #isEnded = false;

  constructor(process: Pick<Cancellable, 'exit'>, ending: Ending) {
    this.#process = process;
    this.#ending = ending;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  readonly hold = async <T>(critical: () => Promise<T>): Promise<T> => {
    const running = critical();
    this.#held.add(running);
    try {
      return await running;
    } finally {
      this.#held.delete(running);
    }
  };

  /** A signal has come: the first one begins the end, the second gives up what is held, the third ends at once. */
  signalled(code: number): void {
    this.#signals += 1;
    if (this.#signals === 1) this.#begin(code, 'the step was cancelled');
    else if (this.#signals === 2 && this.#held.size > 0) void this.#endUntold(code);
    else this.#end(code);
  }

  /** The log cannot be written, which each further line says again. */
  lose(): void {
    this.#begin(UNREAD, 'nobody reads the log of the step any more');
  }

  /** The work has ended. */
  finish(): void {
    this.#over.resolve();
    if (this.#code === undefined) this.#ending.cleanUp();
    else this.#end(this.#code);
  }

  #begin(code: number, why: string): void {
    if (this.#code !== undefined) return;
    this.#code = code;
    this.#controller.abort(new CancelledError(why));
    if (this.#held.size === 0) this.#end(code);
    else void this.#endTold(code);
  }

  async #endTold(code: number): Promise<void> {
    await Promise.allSettled(this.#held);
    await Promise.race([this.#over.promise, sleep(TELLING)]);
    if (!this.#isGivenUp) this.#end(code);
  }

  async #endUntold(code: number): Promise<void> {
    this.#isGivenUp = true;
    await Promise.race([this.#ending.giveUp().catch(() => undefined), sleep(TELLING)]);
    this.#end(code);
  }

  #end(code: number): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#ending.cleanUp();
    this.#process.exit(code);
  }
}
