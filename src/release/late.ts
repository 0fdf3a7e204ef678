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
