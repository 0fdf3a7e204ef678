import { setTimeout as sleep } from 'node:timers/promises';
import type { OpenDestinations } from '../ecr/destinations.ts';
import { explainAt, explainReading } from '../ecr/explain.ts';
import { formatPlatform, type Platform, samePlatform } from '../image/platform.ts';
import type { StitchInputs } from '../inputs/stitch.ts';
import type { Target } from '../inputs/target.ts';
import { Problems } from '../problems.ts';
import type { Destination } from '../release/content.ts';
import { toError } from '../release/errors.ts';
import type { FoundLeg } from '../release/leg.ts';
import type { Expectation } from '../release/legs/assemble.ts';
import { type LegDigest, readLegsByDigest } from '../release/legs/digests.ts';
import { type Found, type LeaveOut, type LegPlaces, UnreadableError } from '../release/legs/found.ts';
import { readTaggedLegs } from '../release/legs/tagged.ts';
import { namePlatformTags } from '../release/legs/tagName.ts';
import type { Services } from './services.ts';

/**
 * How long the requests to ECR have to set off, in milliseconds, before the legs are collected: to load what does that
 * keeps this process busy for longer.
 */
const HEAD_START = 60;

/** The legs of a run, and what is to be expected of them. */
export interface Collected extends Found {
  readonly expected: Pick<Expectation, 'platforms' | 'search'>;
  /** Destinations of which it is not known which legs they hold; nothing where none was asked. */
  readonly unread?: ReadonlySet<Destination>;
}

/**
 * Collects the legs of a run, however they were handed over. Those that are not among the run's artifacts are read from the
 * destinations.
 * @param opening waited for when the destinations are needed
 * @throws Problems
 */
export async function collectLegs(
  { legs, tags, platforms, target }: StitchInputs,
  opening: Promise<OpenDestinations>,
  services: Services,
): Promise<Collected> {
  switch (legs.by) {
    case 'artifact':
      await sleep(HEAD_START);
      return { legs: await services.legs.list(), problems: [], expected: { platforms } };
    case 'tags':
      return readFrom(opening, target, services, (places) =>
        collectTagged(legs.template, tags, platforms, target, services, places),
      );
    case 'digests':
      return readFrom(opening, target, services, (places) =>
        collectByDigest(legs.digests, platforms, target, services, places),
      );
  }
}

async function readFrom(
  opening: Promise<OpenDestinations>,
  { places, onRegionFailure, regionTimeout }: Target,
  { log }: Services,
  read: (places: LegPlaces) => Promise<Collected>,
): Promise<Collected> {
  const { destinations } = await opening;
  const unread = new Set<Destination>();
  const explain = explainAt(places);
  const leaveOut: LeaveOut = (destination, why) => {
    // One that has failed once is asked for other legs as well.
    if (unread.has(destination)) return;
    unread.add(destination);
    log.info(
      `${explain(why, destination)}: no leg is read from there (on-region-failure: ${onRegionFailure})`,
    );
  };
  const collected = read({
    all: destinations,
    limit: regionTimeout,
    leaveOut: onRegionFailure === 'abort' ? undefined : leaveOut,
  });
  return {
    ...(await collected.catch((error: unknown) => {
      throw new Problems(problemsOf(error, places), { cause: error });
    })),
    unread,
  };
}

function problemsOf(error: unknown, places: Target['places']): string[] {
  if (!(error instanceof UnreadableError)) return [explainReading(error, places) ?? toError(error).message];
  const explain = explainAt(places);
  return error.failures.map(({ destination, error }) => explain(error, destination));
}

/** One tag of the release is enough to find the legs by: they are the same beside the others. */
async function collectTagged(
  template: string,
  tags: readonly string[],
  platforms: readonly Platform[],
  { repository }: Target,
  { run: { runId } }: Services,
  places: LegPlaces,
): Promise<Collected> {
  const images = platforms.map((platform) => ({ platform }));
  const { named } = namePlatformTags(template, tags.slice(0, 1), images);
  const wanted = named.map(({ tag, of }) => ({ tag, platform: of.platform }));
  const names = places.all.map(({ name }) => name).join(', ');
  const tagOf = (wish: Platform) => wanted.find(({ platform }) => samePlatform(platform, wish))?.tag;
  return {
    ...(await readTaggedLegs(wanted, { repository, runId }, places)),
    expected: {
      platforms,
      search: {
        where: (platform) => `there is no tag "${tagOf(platform)}" in ${names}`,
        advice:
          'check that its build job ran and succeeded, with "legs: tags" and the same "tags", "platform-tags" and "repository"',
      },
    },
  };
}

async function collectByDigest(
  digests: readonly LegDigest[],
  platforms: readonly Platform[],
  { repository }: Target,
  { run: { runId, runAttempt } }: Services,
  places: LegPlaces,
): Promise<Collected> {
  const promised = platforms.length > 0 ? platforms : digests.flatMap(({ platform }) => platform ?? []);
  const run = { repository, runId, runAttempt };
  const found = await readLegsByDigest(digests, run, places);
  return {
    legs: found.legs,
    problems: found.problems.length > 0 || promised.length > 0 ? found.problems : lonePlatform(found.legs),
    expected: {
      platforms: promised,
      search: {
        where: () => 'no digest in "legs" is one of its image',
        advice: 'let "legs" have what its build step has put out as "digest"',
      },
    },
  };
}

/** Nothing else tells that the jobs of a matrix have overwritten each other's outputs. */
function lonePlatform(legs: readonly FoundLeg[]): string[] {
  const built = legs.flatMap(({ images }) => images.map(({ descriptor }) => descriptor.platform));
  const [only, another] = new Set(built.map(formatPlatform));
  if (only === undefined || another !== undefined) return [];
  return [
    `"legs" has ${only} alone: the jobs of a matrix overwrite each other's outputs, so that one of them is left: put each digest out under a name of its own, or, if there is no other platform, write this one in "platforms"`,
  ];
}
