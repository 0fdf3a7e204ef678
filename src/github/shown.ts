import type { Outcome } from '../modes/services.ts';
import { isDone, type Result, shownUnder } from '../release/result.ts';

/**
 * What each region shows now, one line for those that show the same: for a release that did not get everywhere. Nothing where it
 * did, where nobody was asked, since nothing is pushed, or where no tags were asked for.
 */
export function shownLines({ tags, results }: Outcome): string[] {
  if (results.every(isDone) || results.some(({ state }) => state === 'not pushed')) return [];
  const all = results.flatMap((result) => [...Object.keys(result.tags), ...(result.uncertain ?? [])]);
  const names = [...new Set([...tags, ...all])];
  if (names.length === 0) return [];
  const alike = Map.groupBy(results, (result) => shows(result, names));
  return [...alike].map(
    ([words, same]) => `now in ${same.map(({ destination }) => destination).join(', ')}: ${words}`,
  );
}

function shows(result: Result, names: readonly string[]): string {
  const { state, tags, uncertain = [] } = result;
  // Of a region that failed before its tags were read it is known that none of them was moved.
  const isUnread = state === 'failed' && uncertain.length === 0 && Object.keys(tags).length === 0;
  if (isUnread) return 'no tag shows the new image';
  const each = names.map((tag) => {
    if (uncertain.includes(tag)) return `${tag} may show the new image`;
    return `${tag} shows ${shownUnder(result, tag)?.slice(0, 19) ?? 'nothing'}`;
  });
  return `${each.join(', ')}${state === 'held back' ? ', as before' : ''}`;
}
