import type { RetryPolicy } from '../distribution/retry.ts';
import type { Transport } from '../distribution/transport.ts';
import type { Destination } from '../release/content.ts';
import type { OnRegionFailure } from '../release/plan.ts';
import type { EcrApi } from './api.ts';
import type { Endpoints } from './partitions.ts';
import type { Patience } from './patience.ts';
import type { Place, Role } from './places.ts';
import type { PublicApi } from './publicApi.ts';
import type { RepositorySettings } from './repositorySettings.ts';

/** Which repositories of which registries are meant, and what may be done there. */
export interface EcrTarget {
  readonly places: readonly Place[];
  /** The private registries' own address, a URL with `{account}` and `{region}`. */
  readonly registryEndpoint: string | undefined;
  /** Whether the API's address was overridden, so that its answers also say where the registry is. */
  readonly apiOverridden: boolean;
  /** The address of Amazon ECR Public where it is not AWS's. */
  readonly publicEndpoint: string | undefined;
  readonly createRepository: boolean;
  /** What a repository that is created shall be; without any, what ECR makes it by default. */
  readonly settings: RepositorySettings | undefined;
  /** Whether all places have to be open, or those that are go on without the others. */
  readonly onRegionFailure: OnRegionFailure;
  /** How long each place may take to be opened, and again to hold everything, in milliseconds. */
  readonly regionTimeout: number | undefined;
  /** Repositories of the same registries whose layers may be mounted rather than sent. */
  readonly mountFrom: readonly string[];
}

/** Which API is called, and as whom. */
export interface ApiAccess extends Endpoints {
  readonly region: string;
  readonly role: Role | undefined;
}

export interface EcrCollaborators {
  readonly transport: Transport;
  readonly retry: RetryPolicy;
  readonly patience: Patience;
  createApi(access: ApiAccess): EcrApi;
  createPublicApi(role: Role | undefined): PublicApi;
  /** Gives the user and password that docker has for a registry, as basic authentication has them. */
  logins(registry: string): Promise<string | undefined>;
  /** Told of every token before it is used. */
  mask(secret: string): void;
  readonly log: {
    info(message: string): void;
    warn(message: string): void;
  };
}

/** One destination, and what has to be done before anything can be pushed to it. */
export interface OpenDestination {
  readonly destination: Destination;
  /** The repository, however it was named: two of the same are one. */
  readonly identity: string;
  readonly createIfMissing: () => Promise<void>;
}
