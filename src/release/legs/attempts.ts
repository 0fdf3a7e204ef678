import { formatPlatform } from '../../image/platform.ts';
import type { FoundLeg } from '../leg.ts';

/** The legs of a run that count, and those that do not, since a later attempt had another matrix. */
export interface Attempts {
  readonly legs: readonly FoundLeg[];
  readonly superseded: readonly FoundLeg[];
}

/**
 * Takes what the jobs have left last. A leg counts as long as its job has left none again, for "re-run failed jobs" runs the
 * others alone; but where a matrix was another one in an earlier attempt ("re-run all jobs", after which a plan may be another),
 * what that one left does not.
 * @param ofRun all legs of the run, those of other repositories among them, which the same matrix may have built
 */
export function latestAttempts(legs: readonly FoundLeg[], ofRun: readonly FoundLeg[]): Attempts {
  const matrices = matricesOf(legs).map((matrix) => {
    const outdated = lastOfAnotherMatrix(matrix);
    const latest = matrix.filter((leg) => !matrix.some((other) => isAgain(leg, other)));
    return Map.groupBy(latest, (leg) => leg.runAttempt > outdated && !hasMoved(leg, matrix, ofRun));
  });
  const counting = new Set(matrices.flatMap((matrix) => matrix.get(true) ?? []));
  const superseded = matrices.flatMap((matrix) => matrix.get(false) ?? []);
  return { legs: legs.filter((leg) => counting.has(leg)), superseded };
}

/** The last attempt in which a matrix was another one than afterwards, or else 0. */
function lastOfAnotherMatrix(legs: readonly FoundLeg[]): number {
  const attempts = [...new Set(legs.map(({ runAttempt }) => runAttempt))].filter((attempt) => {
    const earlier = legs.filter(({ runAttempt }) => runAttempt <= attempt);
    const later = legs.filter(({ runAttempt }) => runAttempt > attempt);
    const last = earlier.filter(({ runAttempt }) => runAttempt === attempt);
    return hasChanged(last, later) && areOfOneCall(earlier, later);
  });
  return Math.max(0, ...attempts);
}

/**
 * Whether a matrix may have changed: it has another number of jobs, or every one of them has left a leg since, so that nothing
 * of before is needed, and what is left of it is nothing that these jobs have built again.
 */
function hasChanged(legs: readonly FoundLeg[], later: readonly FoundLeg[]): boolean {
  const before = totalsOf(legs);
  const [total, ...others] = totalsOf(later);
  if (total === undefined || others.length > 0) return false;
  if (before.size > 0 && !before.has(total)) return true;
  return new Set(later.flatMap(({ jobIndex }) => jobIndex ?? [])).size >= total;
}

function totalsOf(legs: readonly FoundLeg[]): Set<number> {
  return new Set(legs.flatMap(({ jobTotal }) => jobTotal ?? []));
}

/**
 * Whether legs are surely of one matrix: where nobody knows the calls, it may be those of two, each with platforms of its own,
 * of which one was run again.
 */
function areOfOneCall(legs: readonly FoundLeg[], later: readonly FoundLeg[]): boolean {
  if ([...legs, ...later].some(({ call }) => call !== undefined)) return true;
  return !new Set(legs.flatMap(platformsOf)).isDisjointFrom(new Set(later.flatMap(platformsOf)));
}

/**
 * Legs by the matrix whose jobs left them. A leg of which it is not known in which call its job is belongs to the only one that
 * there is; where there are several, nobody knows to which.
 */
function matricesOf(legs: readonly FoundLeg[]): FoundLeg[][] {
  return [...Map.groupBy(legs, ({ job }) => job).values()].flatMap((same) => {
    const calls = new Set(same.flatMap(({ call }) => call ?? []));
    return calls.size > 1 ? [...Map.groupBy(same, ({ call }) => call).values()] : [same];
  });
}

/** Whether a leg's job has left it again. Where the runner does not tell a job's place in its matrix, the destinations do: there may be a job for each region. */
function isAgain(leg: FoundLeg, other: FoundLeg): boolean {
  if (other.runAttempt <= leg.runAttempt || !isOfTheSame(leg, other)) return false;
  if (leg.jobIndex !== undefined && other.jobIndex !== undefined) return leg.jobIndex === other.jobIndex;
  return isForTheSame(leg, other);
}

/** Whether a matrix that builds for several repositories was put into another order, so that another job has left a leg again. */
function hasMoved(leg: FoundLeg, matrix: readonly FoundLeg[], ofRun: readonly FoundLeg[]): boolean {
  const isThere = matrix.some(
    (other) => other.runAttempt > leg.runAttempt && isOfTheSame(leg, other) && isForTheSame(leg, other),
  );
  return isThere && isPlaceTaken(leg, ofRun);
}

/**
 * Whether the job in a leg's place has been run again and built something else. Where nobody knows the calls, that may be the
 * same place in another one.
 */
function isPlaceTaken(leg: FoundLeg, ofRun: readonly FoundLeg[]): boolean {
  const { job, call, jobIndex, runAttempt } = leg;
  const there = ofRun.filter(
    (each) =>
      each.runAttempt > runAttempt && each.job === job && each.call === call && each.jobIndex === jobIndex,
  );
  return call !== undefined && there.length > 0 && !there.some((each) => isOfTheSame(leg, each));
}

function isForTheSame(leg: FoundLeg, other: FoundLeg): boolean {
  return leg.destinations.some((image) => other.destinations.includes(image));
}

function isOfTheSame(leg: FoundLeg, other: FoundLeg): boolean {
  return leg.repository === other.repository && platformsOf(leg).join() === platformsOf(other).join();
}

/** The platforms that a leg has, in order. */
export function platformsOf({ images }: FoundLeg): string[] {
  return images.map(({ descriptor }) => formatPlatform(descriptor.platform)).toSorted();
}
