import { statesOf } from '../../__tests__/main/results.ts';
import type { Shown } from '../world/world.ts';
import type { Ended } from './step.ts';

/** A publish that has ended, and what the regions show of its tag. */
export interface Publication {
  readonly tag: string;
  /** What was published. */
  readonly digest: string;
  /** What the tag showed everywhere before; nothing for a new tag. */
  readonly before: string | undefined;
  /** What had to become of it. */
  readonly expected: Verdict;
  readonly ended: Ended;
  readonly shown: Shown;
}

/** What became of a publish. */
export type Verdict = 'published' | 'failed';

/** `published` when it says so: whether it is so, {@link complaintsOf} tells. */
export function verdictOf({ errors }: Ended): Verdict {
  return errors.length === 0 ? 'published' : 'failed';
}

const DONE: ReadonlySet<string> = new Set(['published', 'unchanged']);
const NOT_DONE: ReadonlySet<string> = new Set(['failed', 'held back']);

/**
 * What is not as it has to be: a publish ends published in every region, or fails with everything put back, whichever was
 * expected, and it leaves nothing behind.
 * @returns nothing when all is well
 */
export function complaintsOf({ tag, digest, before, expected, ended, shown }: Publication): string[] {
  const verdict = verdictOf(ended);
  const right = verdict === 'published' ? { digest, states: DONE } : { digest: before, states: NOT_DONE };
  const states = Object.entries(statesOf(ended.results));
  const where = `${tag} (${verdict}${verdict === 'failed' ? `: ${ended.errors.join('; ')}` : ''})`;
  return [
    ...(verdict === expected ? [] : [`${where}: it was to be ${expected}`]),
    ...states
      .filter(([, state]) => !right.states.has(state))
      .map(([region, state]) => `${where}: ${region} is said to be ${state}`),
    ...(verdict === 'published' && states.length !== shown.size
      ? [`${where}: it told of ${states.length} regions, not of ${shown.size}`]
      : []),
    ...(verdict === 'published' && ended.digest !== digest
      ? [`${where}: its digest is ${ended.digest}, not ${digest}`]
      : []),
    ...[...shown]
      .filter(([, tags]) => tags.get(tag) !== right.digest)
      .map(
        ([region, tags]) =>
          `${where}: ${region} shows ${tags.get(tag) ?? 'nothing'}, not ${right.digest ?? 'nothing'}`,
      ),
    ...ended.leftovers.map((name) => `${where}: ${name} was left over`),
  ];
}
