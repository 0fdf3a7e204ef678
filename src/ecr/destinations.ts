import { Problems } from '../problems.ts';
import type { Destination } from '../release/content.ts';
import { answerWithin } from '../release/late.ts';
import type { Named } from '../release/rehearse.ts';
import { explainIn } from './explain.ts';
import { nameDestinations } from './named.ts';
import { openOther } from './otherRegistry.ts';
import { namesOf, type Place } from './places.ts';
import { PrivateRegistries } from './privateRegistries.ts';
import { openPrivate } from './privateRegistry.ts';
import { openPublic } from './publicRegistry.ts';
import type { EcrCollaborators, EcrTarget, OpenDestination } from './target.ts';

/** A place that cannot be published in. */
export interface Unopened {
  /** How messages name it. */
  readonly name: string;
  /** Its repository: with the registry's host, as far as that was found out before it failed. */
  readonly image: string;
  /** Why, each with what to do. */
  readonly problems: readonly string[];
}

/** The repository in every place, not yet pushed to. */
export interface OpenDestinations {
  /** Those places that are open, in their order. */
  readonly destinations: readonly Destination[];
  /** Those that are named alone, because nothing is pushed there: then none is open. */
  readonly named: readonly Named[];
  /** Those that are gone on without; none where a place that fails is a reason to publish nowhere. */
  readonly unopened: readonly Unopened[];
  /**
   * Creates the repository where it is missing, if that was asked for: the first thing that changes anything, and so
   * done only when nothing else keeps the push from succeeding. A place where that fails is not open any more.
   * @throws Problems
   */
  createMissing(): Promise<void>;
}

/** What else is of use when repositories are opened. */
export interface OpeningOptions {
  /** Shared with whatever else of the job speaks to them. */
  readonly registries?: PrivateRegistries;
  /**
   * Told of each destination as soon as it is open, and of its place's position: it may be read from, while it is not known
   * yet whether all of them can be opened.
   */
  readonly opened?: (destination: Destination, position: number) => void;
  /** Told of each place's position that cannot be opened, as soon as that is known, and why. */
  readonly closed?: (problems: readonly string[], position: number) => void;
}

/** A place and what opens it, or why it is closed. */
interface Opening {
  readonly name: string;
  readonly image: string;
  readonly open?: OpenDestination;
  readonly problems: readonly string[];
  /** An error that was not foreseen, which debug logging shows. */
  readonly cause?: unknown;
}

/**
 * Opens the repository in every place, side by side: asks for a token, finds the registry's address, and looks whether
 * the repository is there, or may be created.
 * @throws Problems with all that would keep the push from succeeding anywhere, or everywhere if some may be gone on without
 */
export async function openDestinations(
  target: EcrTarget,
  collaborators: EcrCollaborators,
  { registries = new PrivateRegistries(collaborators), opened, closed }: OpeningOptions = {},
): Promise<OpenDestinations> {
  const { places, onRegionFailure, regionTimeout } = target;
  const names = namesOf(places);
  const named = nameDestinations(places, target);
  const attempt = attemptIn(places, regionTimeout);
  let openings = await Promise.all(
    places.map(async (place, position) => {
      const name = names[position] ?? '';
      const image = named[position]?.image ?? place.repository;
      const opening = await attempt({ name, image }, () =>
        openPlace(place, name, target, registries, collaborators),
      );
      if (opening.open) opened?.(opening.open.destination, position);
      else closed?.(opening.problems, position);
      return opening;
    }),
  );
  assertEnough(openings, onRegionFailure);
  assertDistinct(openings.flatMap(({ open }) => open ?? []));
  return {
    named: [],
    get destinations() {
      return openings.flatMap(({ open }) => open?.destination ?? []);
    },
    get unopened() {
      return openings.filter(({ open }) => !open);
    },
    createMissing: async () => {
      openings = await Promise.all(
        openings.map((opening) => {
          const { name, open } = opening;
          if (!open) return opening;
          const { image } = open.destination;
          return attempt({ name, image }, () => open.createIfMissing().then(() => open));
        }),
      );
      assertEnough(openings, onRegionFailure);
    },
  };
}

function openPlace(
  place: Place,
  name: string,
  target: EcrTarget,
  registries: PrivateRegistries,
  collaborators: EcrCollaborators,
): OpenDestination | Promise<OpenDestination> {
  switch (place.kind) {
    case 'private':
      return openPrivate(place, name, target, registries, collaborators);
    case 'public':
      return openPublic(place, name, target, collaborators);
    case 'other':
      return openOther(place, name, collaborators);
  }
}

const UNREADY = {
  what: 'was not ready',
  advice: 'look whether ECR answers there, and run the job again',
};

/** Does what opens a place, in the time that it may take, and words what keeps it closed. */
function attemptIn(
  places: readonly Place[],
  limit: number | undefined,
): (
  which: Pick<Opening, 'name' | 'image'>,
  work: () => OpenDestination | Promise<OpenDestination>,
) => Promise<Opening> {
  const explain = explainIn(places);
  return async (which, work) => {
    try {
      return { ...which, open: await answerWithin(limit, Promise.resolve(work()), UNREADY), problems: [] };
    } catch (error) {
      if (error instanceof Problems) return { ...which, problems: error.problems };
      return { ...which, problems: [explain(error, which.name)], cause: error };
    }
  };
}

/** @throws Problems when places are closed that cannot be gone on without */
function assertEnough(openings: readonly Opening[], onRegionFailure: EcrTarget['onRegionFailure']): void {
  const closed = openings.filter(({ open }) => !open);
  if (closed.length === 0 || (onRegionFailure !== 'abort' && closed.length < openings.length)) return;
  const cause = closed.find((each) => each.cause !== undefined)?.cause;
  throw new Problems(
    closed.flatMap(({ problems }) => problems),
    { cause },
  );
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
