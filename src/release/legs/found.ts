import { ManifestError } from '../../image/manifest.ts';
import { answersPlatform, formatPlatform, type Platform } from '../../image/platform.ts';
import type { Destination } from '../content.ts';
import { toError } from '../errors.ts';
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
    super(failures.map(({ destination, error }) => `${destination.name}: ${error.message}`).join('; '));
    this.failures = failures;
  }
}

/** Where legs are read. */
export interface Reading {
  readonly destinations: readonly Destination[];
  /** Whether all of them have to be readable, or those that are will do. */
  readonly from: 'all' | 'any';
}

/**
 * Asks all destinations side by side.
 * @returns the answers of those that could be asked
 * @throws UnreadableError when one cannot be asked that has to, for it might have something else than the others; or when none can
 */
export async function askAll<T>(
  { destinations, from }: Reading,
  ask: (destination: Destination) => Promise<T>,
): Promise<{ readonly destination: Destination; readonly answer: T }[]> {
  const answers = await Promise.allSettled(destinations.map(ask));
  const failures = destinations.flatMap((destination, position) => {
    const answer = answers[position];
    return answer?.status === 'rejected' ? [{ destination, error: toError(answer.reason) }] : [];
  });
  const isEnough = from === 'any' && failures.length < destinations.length;
  if (failures.length > 0 && !isEnough) throw new UnreadableError(failures);
  return destinations.flatMap((destination, position) => {
    const answer = answers[position];
    return answer?.status === 'fulfilled' ? [{ destination, answer: answer.value }] : [];
  });
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
