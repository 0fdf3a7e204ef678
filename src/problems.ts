/**
 * What a user has to mend, one entry a problem, each with what to do. Problems that can be known together are reported
 * together.
 */
export class Problems extends Error {
  override readonly name = 'Problems';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.length === 1 ? problems[0] : problems.map((problem) => `- ${problem}`).join('\n'));
    this.problems = problems;
  }
}

/**
 * Runs all checks side by side and gives their values, or reports every problem that they found.
 * @param explain turns a failure into a problem for the user
 * @throws Problems
 */
export async function allOrProblems<T>(
  work: readonly Promise<T>[],
  explain: (error: unknown, position: number) => string,
): Promise<T[]> {
  const outcomes = await Promise.allSettled(work);
  const problems = outcomes.flatMap((outcome, position) => {
    if (outcome.status === 'fulfilled') return [];
    const { reason } = outcome;
    return reason instanceof Problems ? reason.problems : [explain(reason, position)];
  });
  if (problems.length > 0) throw new Problems([...new Set(problems)]);
  return outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
}
