import { toError } from './errors.ts';
import { formatDuration, TimeLimitError } from './late.ts';
import type { ReleasePlan } from './plan.ts';
import type { Replica } from './replicate.ts';

/** The time that one destination has. */
export interface Limit {
  /**
   * Waits for some of its work, but no longer than the limit.
   * @throws what the work throws, or why it has to end
   */
  race<T>(work: Promise<T>): Promise<T>;
  /** Called when it has ended; may be called again. */
  clear(): void;
}

/** How long a look at what tags show may take that is only to be told of, in milliseconds. */
export const LOOK = 2_000;

/**
 * Limits a destination's work: when its time is over, or the release has to end, whatever it has under way is broken off,
 * and nothing more is begun.
 * @param grace how long it may go on when the release has to end, in milliseconds
 */
export function limitOf(
  { regionTimeout, interruption: { signal } }: Pick<ReleasePlan, 'regionTimeout' | 'interruption'>,
  replica: Pick<Replica, 'stop'>,
  grace = 0,
): Limit {
  const over = Promise.withResolvers<never>();
  // Nobody may be waiting when it is over.
  over.promise.catch(() => undefined);
  const end = (reason: Error) => {
    replica.stop(reason);
    over.reject(reason);
  };
  let last: NodeJS.Timeout | undefined;
  const interrupt = () => {
    const endNow = () => end(toError(signal.reason));
    if (grace === 0) endNow();
    else last = setTimeout(endNow, grace);
  };
  if (signal.aborted) interrupt();
  signal.addEventListener('abort', interrupt, { once: true });
  const late = () =>
    end(
      new TimeLimitError(
        `it did not hold the whole image within ${formatDuration(regionTimeout ?? 0)} ("region-timeout"): run the job again, which sends only what is missing, or allow more`,
      ),
    );
  const timer = regionTimeout === undefined ? undefined : setTimeout(late, regionTimeout);
  return {
    race: (work) => Promise.race([work, over.promise]),
    clear: () => {
      clearTimeout(timer);
      clearTimeout(last);
      signal.removeEventListener('abort', interrupt);
    },
  };
}

/** Looks at what a destination shows, which may take as long as its copying, and is done even when the release has to end. */
export async function look<T>(
  plan: Pick<ReleasePlan, 'regionTimeout' | 'interruption'>,
  replica: Pick<Replica, 'stop'>,
  work: () => Promise<T>,
): Promise<T> {
  const limit = limitOf(plan, replica, LOOK);
  try {
    return await limit.race(work());
  } finally {
    limit.clear();
  }
}
