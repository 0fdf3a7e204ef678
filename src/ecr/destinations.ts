import { allOrProblems, Problems } from '../problems.ts';
import type { Destination } from '../release/content.ts';
import { explainIn } from './explain.ts';
import { openOther } from './otherRegistry.ts';
import { namesOf, type Place } from './places.ts';
import { PrivateRegistries } from './privateRegistries.ts';
import { openPrivate } from './privateRegistry.ts';
import { openPublic } from './publicRegistry.ts';
import type { EcrCollaborators, EcrTarget, OpenDestination } from './target.ts';

/** The repository in every place, not yet pushed to. */
export interface OpenDestinations {
  /** One a place, in their order. */
  readonly destinations: readonly Destination[];
  /**
   * Creates the repository where it is missing, if that was asked for: the first thing that changes anything, and so
   * done only when nothing else keeps the push from succeeding.
   * @throws Problems
   */
  createMissing(): Promise<void>;
}

/** What else is of use when repositories are opened. */
export interface Opening {
  /** Shared with whatever else of the job speaks to them. */
  readonly registries?: PrivateRegistries;
  /**
   * Told of each destination as soon as it is open, and of its place's position: it may be read from, while it is not known
   * yet whether all of them can be opened.
   */
  readonly opened?: (destination: Destination, position: number) => void;
}

/**
 * Opens the repository in every place, side by side: asks for a token, finds the registry's address, and looks whether
 * the repository is there, or may be created.
 * @throws Problems with all that would keep the push from succeeding anywhere
 */
export async function openDestinations(
  target: EcrTarget,
  collaborators: EcrCollaborators,
  { registries = new PrivateRegistries(collaborators), opened: tell }: Opening = {},
): Promise<OpenDestinations> {
  const { places } = target;
  const names = namesOf(places);
  const explainAt = explainIn(places);
  const explain = (error: unknown, position: number) => explainAt(error, names[position] ?? '');
  const open = (place: Place, name: string): OpenDestination | Promise<OpenDestination> => {
    switch (place.kind) {
      case 'private':
        return openPrivate(place, name, target, registries, collaborators);
      case 'public':
        return openPublic(place, name, target, collaborators);
      case 'other':
        return openOther(place, name, collaborators);
    }
  };
  const opened = await allOrProblems(
    places.map(async (place, position) => {
      const one = await open(place, names[position] ?? '');
      tell?.(one.destination, position);
      return one;
    }),
    explain,
  );
  assertDistinct(opened);
  return {
    destinations: opened.map(({ destination }) => destination),
    createMissing: async () => {
      await allOrProblems(
        opened.map(({ createIfMissing }) => createIfMissing()),
        explain,
      );
    },
  };
}

/** A region's name and a registry's host may mean the same: only when both are open it is known. */
function assertDistinct(opened: readonly OpenDestination[]): void {
  const byIdentity = Map.groupBy(opened, ({ identity }) => identity);
  const twice = [...byIdentity.values()].filter((same) => same.length > 1);
  if (twice.length === 0) return;
  const nameAll = (same: readonly OpenDestination[]) => same.map(({ destination }) => destination.name);
  throw new Problems(
    twice.map(
      (same) =>
        `input "destinations": ${nameAll(same).join(' and ')} are one repository, ${same[0]?.destination.image}: name it once`,
    ),
  );
}
