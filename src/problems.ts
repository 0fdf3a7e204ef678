/**
 * What a user has to mend, one entry a problem, each with what to do. Problems that can be known together are reported
 * together, and one that is met in several places, such as a full disk, once.
 */
export class Problems extends Error {
  override readonly name = 'Problems';
  readonly problems: readonly string[];

  /** @param options with the error behind the problems, if one was not foreseen: debug logging shows where it came from */
  constructor(problems: readonly string[], options?: ErrorOptions) {
    const different = [...new Set(problems)];
    super(
      different.length === 1 ? different[0] : different.map((problem) => `- ${problem}`).join('\n'),
      options,
    );
    this.problems = different;
  }
}

/** What an error, or what is behind it, has been worded as for the user, with what to do. */
export function wordedAs(error: unknown): Problems | undefined {
  if (!(error instanceof Error)) return undefined;
  return error instanceof Problems ? error : wordedAs(error.cause);
}

/**
 * Waits for all checks, which run side by side, and gives their values, or reports every problem that they found.
 * @param explain turns a failure that is no Problems into one for the user; by default its message
 * @throws Problems
 */
export async function allOrProblems<T extends readonly unknown[]>(
  work: { readonly [K in keyof T]: Promise<T[K]> },
  explain: (error: unknown, position: number) => string = messageOf,
): Promise<{ -readonly [K in keyof T]: T[K] }> {
  const outcomes = await Promise.allSettled(work);
  const problems = outcomes.flatMap((outcome, position) => {
    if (outcome.status === 'fulfilled') return [];
    const { reason } = outcome;
    return reason instanceof Problems ? reason.problems : [explain(reason, position)];
  });
  if (problems.length > 0) {
    const reasons = outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason : undefined));
    const cause = reasons.find((reason) => reason !== undefined && !(reason instanceof Problems));
    throw new Problems(problems, { cause });
  }
  return Promise.all(work);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What a user reads when layers find no room on this machine. */
export const DISK_FULL =
  'the disk that RUNNER_TEMP is on is full: layers are kept there until every region has them; free some space before this step, or use a larger runner';

/** Whether something failed for want of disk space. */
export function isDiskFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const full = 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
  return full || isDiskFull(error.cause);
}
