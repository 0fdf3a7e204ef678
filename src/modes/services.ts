import type { Docker } from '../buildx/docker.ts';
import type { BlobStore } from '../distribution/server/blobStore.ts';
import { type OpenDestinations, type OpeningOptions, openDestinations } from '../ecr/destinations.ts';
import { nameDestinations, UNKNOWN_ACCOUNT } from '../ecr/named.ts';
import { namesOf } from '../ecr/places.ts';
import type { EcrCollaborators } from '../ecr/target.ts';
import type { Target } from '../inputs/target.ts';
import { Problems } from '../problems.ts';
import type { Leg } from '../release/leg.ts';
import type { Interruption } from '../release/plan.ts';
import { irreplaceableTags } from '../release/replaceable.ts';
import type { TransferObserver } from '../release/replicate.ts';
import type { Result } from '../release/result.ts';

/** What is said while a mode runs. */
export interface Log {
  info(message: string): void;
  /** Says what somebody should look at. */
  warn(message: string): void;
  /** Runs a step whose lines are folded together under a title. */
  group<T>(title: string, step: () => Promise<T>): Promise<T>;
  /** Runs a step of which is told what it is about, when it takes too long. */
  during<T>(what: () => string, step: () => Promise<T>): Promise<T>;
}

/** Where legs are handed over. */
export interface LegStore {
  save(leg: Leg): Promise<void>;
  /** All legs of this run, of every repository. */
  list(): Promise<Leg[]>;
}

/** What the workflow run is, as far as a mode needs to know. */
export interface RunContext {
  readonly runId: string;
  readonly runAttempt: number;
  /** The job's id in the workflow file. */
  readonly job: string;
  /** The calls of reusable workflows that the job is in, outermost first, joined by dots; nothing where that is not known. */
  readonly call: string | undefined;
  /** The page of the repository that the workflow belongs to, or empty outside of GitHub. */
  readonly repositoryUrl: string;
  /** The page of this run, or empty outside of GitHub. */
  readonly runUrl: string;
  readonly privateRepository: boolean;
  readonly noDefaultAttestations: boolean;
  /** A folder for this run's files; it exists, and is removed by whoever made it. */
  readonly tempDir: string;
  /** Whether `AWS_ENDPOINT_URL_ECR` or `AWS_ENDPOINT_URL` leads the API elsewhere than to AWS. */
  readonly apiOverridden: boolean;
  /** Where `AWS_ENDPOINT_URL_ECR_PUBLIC` leads ECR Public, its registry and its API, if it is set. */
  readonly publicEndpoint: string | undefined;
}

/** The collaborators of every mode. */
export interface Services extends EcrCollaborators {
  readonly log: Log;
  readonly run: RunContext;
  readonly docker: Docker;
  /** Makes a folder of docker's settings that has more logins than the usual one: by host, as basic authentication has them. */
  dockerConfig(logins: ReadonlyMap<string, string>): Promise<string>;
  readonly legs: LegStore;
  /** Where blobs are kept on their way through this machine, in a folder that nobody else has. */
  openStore(dir: string): BlobStore;
  readonly observer: TransferObserver;
  readonly cancellation: Interruption;
}

/** What a mode gives back; failures in destinations are among the results. */
export interface Outcome {
  readonly digest: string;
  readonly tags: readonly string[];
  readonly results: readonly Result[];
  /** How many manifests were released with it that refer to it, or to each other; nothing where that was not asked for. */
  readonly referrers?: number;
  /** JSON: what buildx said of the build, or the description of the published root. */
  readonly metadata: string;
  /** What failed after that, each with what to do: the results stand. Absent where nothing did. */
  readonly problems?: readonly string[];
}

/** Uploads beside each other: in all regions together, and in each of them at the most and at the least. */
const UPLOADS = { together: 64, most: 10, least: 3 };

/** How many uploads each of so many regions has beside each other. Each of them holds on to some memory. */
export function uploadsPerRegion(regions: number): number {
  return Math.max(UPLOADS.least, Math.min(UPLOADS.most, Math.floor(UPLOADS.together / regions)));
}

/**
 * Opens the destinations that a target names, unless nothing is pushed there, and says which they are.
 * @throws Problems with all that would keep the tags from being published there
 */
export async function openTarget(
  target: Target,
  tags: readonly string[],
  services: Services,
  how: OpeningOptions = {},
): Promise<OpenDestinations> {
  const { apiOverridden, publicEndpoint } = services.run;
  if (!target.push) return nameTarget(target, services);
  const opened = await tellingUnready(target, services, how, (told) =>
    openDestinations({ ...target, apiOverridden, publicEndpoint }, services, told),
  );
  assertReplaceable(target, opened.destinations, tags);
  for (const { name, image } of opened.destinations) services.log.info(`${name}: ${image}`);
  for (const { name, problems } of opened.unopened) {
    services.log.info(
      `${name} is left out (on-region-failure: ${target.onRegionFailure}): ${problems.join('; ')}`,
    );
  }
  return opened;
}

/** Has it told which places are still being opened, and which have failed already, if that takes too long. */
function tellingUnready<T>(
  { places }: Target,
  { log }: Services,
  how: OpeningOptions,
  open: (how: OpeningOptions) => Promise<T>,
): Promise<T> {
  const unready = new Map(namesOf(places).entries());
  const failed: string[] = [];
  const telling: OpeningOptions = {
    ...how,
    opened: (destination, position) => {
      unready.delete(position);
      how.opened?.(destination, position);
    },
    closed: (problems, position) => {
      unready.delete(position);
      failed.push(...problems);
    },
  };
  const words = () => {
    const before = failed.length > 0 ? ` (failed already: ${failed.join('; ')})` : '';
    return `opening ${[...unready.values()].join(', ')}${before}`;
  };
  return log.during(words, () => open(telling));
}

/** Creates the repositories that are missing, if that was asked for. */
export function createMissing(opened: OpenDestinations, { log }: Pick<Services, 'log'>): Promise<void> {
  return log.during(
    () => 'creating missing repositories',
    () => opened.createMissing(),
  );
}

function nameTarget(target: Target, { run, log }: Services): OpenDestinations {
  const named = nameDestinations(target.places, { ...target, publicEndpoint: run.publicEndpoint });
  for (const { name, image } of named) log.info(`${name}: ${image}, to which nothing is pushed`);
  if (named.some(({ image }) => image.includes(UNKNOWN_ACCOUNT))) {
    log.info(`${UNKNOWN_ACCOUNT} stands for the account, which nobody is asked for: "account-id" names it`);
  }
  return { destinations: [], unopened: [], named, createMissing: async () => undefined };
}

/** @throws Problems when tags that are to be replaced cannot be */
export function assertReplaceable(
  { ifTagExists }: Target,
  destinations: OpenDestinations['destinations'],
  tags: readonly string[],
): void {
  const fixed = ifTagExists === 'replace' ? irreplaceableTags(destinations, tags) : [];
  if (fixed.length > 0) throw new Problems(fixed);
}

/** What is said of asking for tokens and looking whether the repositories are there, or of naming them alone. */
export function openingTitle({ repository, places, push }: Target): string {
  return `${push ? 'Opening' : 'Naming'} ${repository} in ${namesOf(places).join(', ')}`;
}
