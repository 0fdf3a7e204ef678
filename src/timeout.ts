import type { Interruption } from './release/plan.ts';
import { formatDuration, TimeLimitError, UnfinishedError } from './release/regionTimeout.ts';

/** How long work that is held may take to come to its end, in milliseconds: as long as its own grace, and a report. */
const GRACE = 90_000;

/**
 * Does work that may take only so long. When its time is over, what it holds is asked to end soon and waited for, so that it can
 * report; anything else is not.
 * @param limit in milliseconds; without one the work takes as long as it takes
 * @param outer how the work learns that it has to end for another reason
 * @throws TimeLimitError when its time is over and nothing is held, UnfinishedError when what is held does not end, and what the
 * work throws
 */
export async function withinTime<T>(
  limit: number | undefined,
  outer: Interruption,
  work: (interruption: Interruption) => Promise<T>,
  grace = GRACE,
): Promise<T> {
  if (limit === undefined) return work(outer);
  const late = new TimeLimitError(
    `the step did not end within ${formatDuration(limit)} ("timeout"): run the job again, which sends only what is missing, or allow more`,
  );
  const unfinished = new UnfinishedError(
    `the step did not end within ${formatDuration(limit)} ("timeout"), and neither did what it had begun: tags may show the new image, what they showed before, or nothing: look what they show, or run the job again`,
  );
  const controller = new AbortController();
  const over = Promise.withResolvers<never>();
  let held = 0;
  const hold = async <R>(critical: () => Promise<R>): Promise<R> => {
    held += 1;
    try {
      return await outer.hold(critical);
    } finally {
      held -= 1;
    }
  };
  let timer = setTimeout(() => {
    controller.abort(late);
    if (held === 0) over.reject(late);
    else timer = setTimeout(() => over.reject(unfinished), grace);
  }, limit);
  try {
    const signal = AbortSignal.any([outer.signal, controller.signal]);
    return await Promise.race([work({ signal, hold }), over.promise]);
  } finally {
    clearTimeout(timer);
  }
}
