import { formatPlatform } from '../../image/platform.ts';
import type { FoundLeg } from '../leg.ts';

/** Legs without those that the same job has left again in a later attempt. */
export function latestAttempts(legs: readonly FoundLeg[]): FoundLeg[] {
  const replaced = matricesOf(legs).flatMap((matrix) =>
    matrix.filter((leg) => matrix.some((other) => other.runAttempt > leg.runAttempt && isAgain(leg, other))),
  );
  return legs.filter((leg) => !replaced.includes(leg));
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

/** Where the runner does not tell a job's place in its matrix, the destinations do: there may be a job for each region. */
function isAgain(leg: FoundLeg, other: FoundLeg): boolean {
  if (platformsOf(leg) !== platformsOf(other)) return false;
  if (leg.jobIndex !== undefined && other.jobIndex !== undefined) return leg.jobIndex === other.jobIndex;
  return leg.destinations.some((image) => other.destinations.includes(image));
}

function platformsOf({ images }: FoundLeg): string {
  return images
    .map(({ descriptor }) => formatPlatform(descriptor.platform))
    .toSorted()
    .join();
}
