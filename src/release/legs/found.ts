import { Readable } from 'node:stream';
import { ManifestError } from '../../image/manifest.ts';
import { answersPlatform, formatPlatform, type Platform } from '../../image/platform.ts';
import { anyOf, type Destination, type Source } from '../content.ts';
import { toError } from '../errors.ts';
import { answerWithin } from '../late.ts';
import { type FoundLeg, LegError } from '../leg.ts';

/** Legs that were looked for, and what is wrong with those that cannot be read as one. */
export interface Found {
  readonly legs: readonly FoundLeg[];
  readonly problems: readonly string[];
}

/** Destinations that could not be asked, each with why. */
export class UnreadableError extends Error {
  override readonly name = 'UnreadableError';
  readonly failures: readonly { readonly destination: Destination; readonly error: Error }[];

  constructor(failures: UnreadableError['failures']) {
    super(failures.map(({ destination, error }) => `${destination.name}: ${error.message}`).join('; '), {
      cause: failures[0]?.error,
    });
    this.failures = failures;
  }
}

/**
 * Told of a destination from which a leg is not read, and why. Where there is nobody to be told, a destination that cannot be
 * read is not gone on without.
 */
export type LeaveOut = (destination: Destination, why: Error) => void;

/** Where legs are read from. */
export interface LegPlaces {
  readonly all: readonly Destination[];
  /** How long each may take to answer, in milliseconds; without one as long as it takes. */
  readonly limit?: number | undefined;
  /** For destinations that are gone on without. */
  readonly leaveOut?: LeaveOut | undefined;
}

/** What destinations have answered, and which could not be asked. */
export interface Answers<T> {
  readonly answers: readonly { readonly destination: Destination; readonly answer: T }[];
  readonly failures: UnreadableError['failures'];
}

/**
 * Asks all destinations side by side.
 * @throws UnreadableError when one cannot be asked, which might have something else than the others have, unless it is gone on
 *   without
 */
export async function askAll<T>(
  places: LegPlaces,
  ask: (destination: Destination) => Promise<T>,
): Promise<Answers<T>> {
  const { all, leaveOut } = places;
  const settled = await Promise.allSettled(all.map((destination) => inTime(places, ask(destination))));
  const failures = all.flatMap((destination, position) => {
    const answer = settled[position];
    return answer?.status === 'rejected' ? [{ destination, error: toError(answer.reason) }] : [];
  });
  if (failures.length > 0 && !leaveOut) throw new UnreadableError(failures);
  for (const { destination, error } of failures) leaveOut?.(destination, error);
  const answers = all.flatMap((destination, position) => {
    const answer = settled[position];
    return answer?.status === 'fulfilled' ? [{ destination, answer: answer.value }] : [];
  });
  return { answers, failures };
}

/** @throws TimeLimitError when a destination that is read from takes longer than it may */
function inTime<T>({ limit }: Pick<LegPlaces, 'limit'>, answer: Promise<T>): Promise<T> {
  return answerWithin(limit, answer, {
    what: 'did not tell which legs it holds',
    advice: 'look whether ECR answers there, and run the job again',
  });
}

/**
 * What a destination has answered, in the time that it may take.
 * @throws UnreadableError that names it
 */
export function toldBy<T>(
  destination: Destination,
  places: Pick<LegPlaces, 'limit'>,
  answer: Promise<T>,
): Promise<T> {
  return inTime(places, answer).catch((reason: unknown) => {
    throw new UnreadableError([{ destination, error: toError(reason) }]);
  });
}

/**
 * The content of legs, from whichever of its holders gives it, in time and whole: a blob is an image's config here.
 * @returns a source whose failures are UnreadableErrors
 */
export function contentOf(holders: readonly Destination[], places: Pick<LegPlaces, 'limit'>): Source {
  return anyOf(
    holders.map((holder) => ({
      name: holder.name,
      manifest: (descriptor) => toldBy(holder, places, holder.manifest(descriptor)),
      blob: async (descriptor) => {
        const whole = holder.blob(descriptor).then((content) => content.toArray());
        return Readable.from(await toldBy(holder, places, whole));
      },
    })),
  );
}

/**
 * To be called where none of those that answered has what was asked for.
 * @throws UnreadableError when another may have it
 */
export function assertAllAsked({ failures }: Pick<Answers<unknown>, 'failures'>): void {
  if (failures.length > 0) throw new UnreadableError(failures);
}

/** One leg that is looked for. */
export interface Sought {
  /** How messages name it. */
  readonly name: string;
  /** Reads it from where it should be. */
  readonly read: () => Promise<FoundLeg>;
}

/**
 * Reads all legs side by side.
 * @throws what a registry's failure throws; content that is no leg is among the problems
 */
export async function readAll(sought: readonly Sought[]): Promise<Found> {
  const outcomes = await Promise.all(
    sought.map(async ({ name, read }): Promise<{ leg: FoundLeg } | { problem: string }> => {
      try {
        return { leg: await read() };
      } catch (error) {
        if (error instanceof LegError) return { problem: `${name} ${error.message}` };
        if (error instanceof ManifestError) return { problem: `${name}: ${error.message}` };
        throw error;
      }
    }),
  );
  return {
    legs: outcomes.flatMap((outcome) => ('leg' in outcome ? [outcome.leg] : [])),
    problems: outcomes.flatMap((outcome) => ('problem' in outcome ? [outcome.problem] : [])),
  };
}

/**
 * Holds what a leg has against what it was said to have.
 * @throws LegError when it has an image of another platform
 */
export function assertPlatform({ images }: FoundLeg, said: Platform, advice: string): void {
  const others = images.filter(({ descriptor }) => !answersPlatform(said, descriptor.platform));
  if (others.length === 0) return;
  const platforms = others.map(({ descriptor }) => formatPlatform(descriptor.platform)).join(', ');
  throw new LegError(
    `should be ${formatPlatform(said)}, but the image's own config says ${platforms}: ${advice}`,
  );
}
