import { formatDuration, TimeLimitError, UnfinishedError } from './release/late.ts';
import type { Interruption } from './release/plan.ts';
import type { UnderWay } from './underWay.ts';

/** How long work that is held may take to come to its end, in milliseconds: as long as its own grace, and a report. */
const GRACE = 90_000;

/**
 * Does work that may take only so long. When its time is over, what it holds is asked to end soon and waited for, so that it can
 * report; anything else is not.
 * @param limit in milliseconds; without one the work takes as long as it takes
 * @param outer how the work learns that it has to end for another reason
 * @param options what is under way when its time is over, which is told then, and how long what is held may take after that, in
 * milliseconds
 * @throws TimeLimitError when its time is over and nothing is held, UnfinishedError when what is held does not end, and what the
 * work throws
 */
export async function withinTime<T>(
  limit: number | undefined,
  outer: Interruption,
  work: (interruption: Interruption) => Promise<T>,
  { underWay, grace = GRACE }: { readonly underWay: Pick<UnderWay, 'words'>; readonly grace?: number },
): Promise<T> {
  if (limit === undefined) return work(outer);
  const why = `the step did not end within ${formatDuration(limit)} ("timeout")`;
  const late = (what = '') =>
    new TimeLimitError(
      `${why}${what && ` while this was under way: ${what}`}: run the job again, which sends only what is missing, or allow more`,
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
    const { words } = underWay;
    // What is held says itself what of it came to no end.
    controller.abort(late());
    if (held === 0) over.reject(late(words));
    else timer = setTimeout(() => over.reject(new UnfinishedError(why)), grace);
  }, limit);
  try {
    const signal = AbortSignal.any([outer.signal, controller.signal]);
    return await Promise.race([work({ signal, hold }), over.promise]);
  } finally {
    clearTimeout(timer);
  }
}
