import type { Docker } from '../buildx/docker.ts';
import type { RetryPolicy } from '../distribution/retry.ts';
import type { Transport } from '../distribution/transport.ts';
import type { EcrApi } from '../ecr/api.ts';
import { type OpenDestinations, openDestinations } from '../ecr/destinations.ts';
import type { Target } from '../inputs/inputs.ts';
import type { Leg } from '../release/leg.ts';
import type { Result } from '../release/release.ts';
import type { TransferObserver } from '../release/replicate.ts';

/** What is said while a mode runs. */
export interface Log {
  info(message: string): void;
  /** Runs a step whose lines are folded together under a title. */
  group<T>(title: string, step: () => Promise<T>): Promise<T>;
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
}

/** The collaborators of every mode. */
export interface Services {
  readonly log: Log;
  readonly run: RunContext;
  readonly docker: Docker;
  readonly legs: LegStore;
  readonly transport: Transport;
  readonly retry: RetryPolicy;
  readonly observer: TransferObserver;
  createApi(region: string): EcrApi;
  /** Keeps a secret out of all logs from now on. */
  mask(secret: string): void;
}

/** What a mode gives back; failures in destinations are among the results. */
export interface Outcome {
  readonly digest: string;
  readonly tags: readonly string[];
  readonly results: readonly Result[];
  /** JSON: what buildx said of the build, or the description of the published root. */
  readonly metadata: string;
}

/** Uploads beside each other: in all regions together, and in each of them at the most and at the least. */
const UPLOADS = { together: 64, most: 10, least: 3 };

/** How many uploads each of so many regions has beside each other. Each of them holds on to some memory. */
export function uploadsPerRegion(regions: number): number {
  return Math.max(UPLOADS.least, Math.min(UPLOADS.most, Math.floor(UPLOADS.together / regions)));
}

/** Opens the destinations that a target names, and says which they are. */
export async function openTarget(target: Target, services: Services): Promise<OpenDestinations> {
  const { apiOverridden } = services.run;
  const opened = await openDestinations({ ...target, apiOverridden }, services);
  for (const { name, image } of opened.destinations) services.log.info(`${name}: ${image}`);
  return opened;
}

/** What is said of asking for tokens and looking whether the repositories are there. */
export function openingTitle({ repository, regions }: Target): string {
  return `Opening ${repository} in ${regions.join(', ')}`;
}
