import { wordsOf } from '../distribution/errors.ts';
import type { Reference } from '../image/reference.ts';
import { DISK_FULL, isDiskFull, wordedAs } from '../problems.ts';
import { SeveralError } from '../release/errors.ts';
import { plain } from '../words.ts';
import { failedCall } from './calls.ts';
import { failureOf, type Where } from './failure.ts';
import { accountInHost, parseRegistryHost } from './partitions.ts';
import { namesOf, type Place } from './places.ts';
import { refusalOf } from './refusals.ts';

/** The most that a message repeats of what was said, in characters: what names many tags or manifests is long. */
const MOST_WORDS = 4_000;

/**
 * A failure as a user should read it: where, what ECR said, and what to do next. One that is the same wherever it happens
 * (no credentials, no disk space, a mirror's source) is told without the place, so that it is told once; so is one that
 * is worded already, whatever it was met in.
 */
export function explainFailure(error: unknown, where: Where): string {
  if (isDiskFull(error)) return DISK_FULL;
  const worded = wordedAs(error);
  if (worded) return worded.problems.join('; ');
  const failures = error instanceof SeveralError ? error.errors : [error];
  const told = failures.map((each) => withAdvice(each, where));
  const [first] = told;
  if (first?.isEverywhere && told.length === 1) return first.words;
  return `${where.name}: ${where.repository}: ${told.map(({ words }) => words).join('; ')}`;
}

/** What failed, and what to do about it; the latter alone where that is the same wherever it happens. */
function withAdvice(
  error: unknown,
  where: Where,
): { readonly words: string; readonly isEverywhere: boolean } {
  const failure = failureOf(error, where);
  const refusal = refusalOf(failure);
  const advice = refusal?.advice(failure);
  if (advice && refusal?.everywhere) return { words: advice, isEverywhere: true };
  return { words: `${messageOf(error)}${advice ? ` (${advice})` : ''}`, isEverywhere: false };
}

/**
 * Words a failure to read from some of these places: which one it was, the host tells that was asked.
 * @returns nothing for a failure that has to do with none of them
 */
export function explainReading(error: unknown, places: readonly Place[]): string | undefined {
  const names = namesOf(places);
  const all: Where = { name: names.join(', '), repository: places[0]?.repository ?? '' };
  const { host, region } = failureOf(error, all);
  if (host === undefined) return undefined;
  const account = accountInHost(host);
  const position = places.findIndex(
    (place) => place.kind === 'private' && place.region === region && (place.account ?? account) === account,
  );
  const name = names[position];
  return name === undefined ? explainFailure(error, all) : explainIn(places)(error, name);
}

/** What to do about a source that could not be read, if it is known what its failure means. */
export function adviceOnSource(error: unknown, { registry, repository }: Reference): string | undefined {
  const address = parseRegistryHost(registry);
  const place: Place = address
    ? { kind: 'private', ...address, repository, role: undefined }
    : { kind: 'other', registry, repository };
  const host = address ? undefined : registry;
  const failure = failureOf(error, { name: registry, repository, place, host, isSource: true });
  return refusalOf(failure)?.advice(failure);
}

/**
 * Words failures in these places, told apart by their names.
 * @returns a function of the failure, the place's name and, once it is known, the host of its registry
 */
export function explainIn(
  places: readonly Place[],
): (error: unknown, name: string, host?: string | undefined) => string {
  const names = namesOf(places);
  return (error, name, host) => {
    const place = places[names.indexOf(name)];
    return explainFailure(error, { name, repository: place?.repository ?? '', place, host });
  };
}

/** The exception's name and its words: AWS's own say little without it. */
function messageOf(error: unknown): string {
  const words = plain(wordsOf(error), MOST_WORDS);
  const isException = error instanceof Error && ('$fault' in error || error.name.endsWith('Exception'));
  return isException && !failedCall(error) ? `${error.name}: ${words}` : words;
}

/** The same, of a destination: the registry is the one in which its image is. */
export function explainAt(
  places: readonly Place[],
): (error: unknown, destination: { readonly name: string; readonly image: string }) => string {
  const explain = explainIn(places);
  return (error, { name, image }) => explain(error, name, image.split('/', 1)[0]);
}
