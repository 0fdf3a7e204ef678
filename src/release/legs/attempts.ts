import { formatPlatform } from '../../image/platform.ts';
import type { FoundLeg } from '../leg.ts';

/** Whether two legs may be of jobs with the same id: a runner that does not tell of calls may be in the same one as another. */
export function isSameJob(one: FoundLeg, other: FoundLeg): boolean {
  const isSameCall = one.call === undefined || other.call === undefined || one.call === other.call;
  return one.job === other.job && isSameCall;
}

/**
 * Legs without those of attempts after which the whole matrix was run anew, as when all jobs are run again: it may be another
 * one then. Where only failed jobs are run again, all attempts have one matrix.
 * @param legs all of a run: the jobs of one matrix may build several repositories
 */
export function ofLatestMatrix(legs: readonly FoundLeg[]): FoundLeg[] {
  return legs.filter(
    (leg) =>
      !legs.some(
        (later) =>
          later.runAttempt > leg.runAttempt &&
          isSameJob(later, leg) &&
          (isKnownToDiffer(later.jobTotal, leg.jobTotal) || isWhole(later, legs)),
      ),
  );
}

/** Whether every job of a leg's matrix has left a leg in its attempt. */
function isWhole(leg: FoundLeg, legs: readonly FoundLeg[]): boolean {
  const siblings = legs.filter((other) => other.runAttempt === leg.runAttempt && isSameJob(other, leg));
  const seen = new Set(siblings.flatMap(({ jobIndex }) => jobIndex ?? []));
  return leg.jobTotal !== undefined && seen.size >= leg.jobTotal;
}

function isKnownToDiffer(one: number | undefined, other: number | undefined): boolean {
  return one !== undefined && other !== undefined && one !== other;
}

/** Legs without those that the same job has left again in a later attempt. */
export function latestAttempts(legs: readonly FoundLeg[]): FoundLeg[] {
  return legs.filter(
    (leg) => !legs.some((other) => other.runAttempt > leg.runAttempt && isAgain(leg, other)),
  );
}

/** Where the runner does not tell a job's place in its matrix, the destinations do: there may be a job for each region. */
function isAgain(leg: FoundLeg, other: FoundLeg): boolean {
  if (!isSameJob(leg, other) || platformsOf(leg) !== platformsOf(other)) return false;
  if (leg.jobIndex !== undefined && other.jobIndex !== undefined) return leg.jobIndex === other.jobIndex;
  return leg.destinations.some((image) => other.destinations.includes(image));
}

function platformsOf({ images }: FoundLeg): string {
  return images
    .map(({ descriptor }) => formatPlatform(descriptor.platform))
    .toSorted()
    .join();
}
