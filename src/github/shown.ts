import type { Outcome } from '../modes/services.ts';
import { isDone, type Result, shownUnder } from '../release/result.ts';

/**
 * What each region shows now, one line for those that show the same: for a release that did not get everywhere. Nothing where it
 * did, where nobody was asked, since nothing is pushed, or where no tags were asked for.
 */
export function shownLines({ tags, results }: Outcome): string[] {
  if (results.every(isDone) || results.some(({ state }) => state === 'not pushed')) return [];
  const all = results.flatMap(({ tags: shown, uncertain = [], unread = [] }) => [
    ...Object.keys(shown),
    ...uncertain,
    ...unread,
  ]);
  const names = [...new Set([...tags, ...all])];
  if (names.length === 0) return [];
  const alike = Map.groupBy(results, (result) => shows(result, names));
  return [...alike].map(
    ([words, same]) => `now in ${same.map(({ destination }) => destination).join(', ')}: ${words}`,
  );
}

/** How many destinations that failed show the release all the same, or may. */
export function unprovedIn({ digest, tags, results }: Outcome): number {
  const mayShow = (result: Result) =>
    tags.some((tag) => result.uncertain?.includes(tag) || shownUnder(result, tag) === digest);
  return results.filter((result) => !isDone(result) && mayShow(result)).length;
}

function shows(result: Result, names: readonly string[]): string {
  const { state, uncertain = [], unread = [], taken = [] } = result;
  if (unread.length > 0) return 'what its tags show was not read; none of them was changed';
  const each = names.map((tag) => {
    if (uncertain.includes(tag)) return `${tag} may show the new image`;
    const shown = shownUnder(result, tag)?.slice(0, 19) ?? 'nothing';
    return `${tag} shows ${shown}${taken.includes(tag) ? ', which somebody else has changed meanwhile' : ''}`;
  });
  return `${each.join(', ')}${state === 'held back' && taken.length === 0 ? ', as before' : ''}`;
}
