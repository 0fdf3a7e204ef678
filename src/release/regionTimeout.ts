import { toError } from './errors.ts';
import type { ReleasePlan } from './plan.ts';
import type { Replica } from './replicate.ts';

/** A destination, or a whole step, that took longer than it may. */
export class TimeLimitError extends Error {
  override readonly name = 'TimeLimitError';
}

/** A step that had to end before what it had begun has ended: nobody knows what tags show. */
export class UnfinishedError extends Error {
  override readonly name = 'UnfinishedError';

  /** @param why it had to end */
  constructor(why: string) {
    super(
      `${why}, and what it had begun did not end in time: tags may show the new image, what they showed before, or nothing: look what they show, or run the job again`,
    );
  }
}

/** A time in words: 90 s, 20 min, 1 h 30 min. */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)];
  const parts = [
    ...(hours > 0 ? [`${hours} h`] : []),
    ...(minutes > 0 ? [`${minutes} min`] : []),
    ...(seconds % 60 > 0 || seconds === 0 ? [`${seconds % 60} s`] : []),
  ];
  return parts.join(' ');
}

/**
 * Waits for an answer of a destination, but no longer than it may take.
 * @param limit in milliseconds; without one it takes as long as it takes
 * @param what it did not do, in words, when its time is over
 * @param advice what to do then
 * @throws TimeLimitError; what was asked goes on then, and nobody waits for it
 */
export async function answerWithin<T>(
  limit: number | undefined,
  answer: Promise<T>,
  { what, advice }: { readonly what: string; readonly advice: string },
): Promise<T> {
  if (limit === undefined) return answer;
  const late = Promise.withResolvers<never>();
  const tooLate = () =>
    new TimeLimitError(
      `it ${what} within ${formatDuration(limit)} ("region-timeout"): ${advice}, or allow more`,
    );
  const timer = setTimeout(() => late.reject(tooLate()), limit);
  try {
    return await Promise.race([answer, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

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
