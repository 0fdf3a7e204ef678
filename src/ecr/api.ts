import {
  BatchCheckLayerAvailabilityCommand,
  BatchDeleteImageCommand,
  DescribeImagesCommand,
  ECRClient,
  GetAccountSettingCommand,
  GetAuthorizationTokenCommand,
  ImageNotFoundException,
  paginateDescribeRepositoryCreationTemplates,
} from '@aws-sdk/client-ecr';
import type { Digest } from '../image/digest.ts';
import type { ImageDescription } from '../release/content.ts';
import { readAuthorization, readProxyEndpoint } from './authorization.ts';
import { BoundedHandler } from './boundedHandler.ts';
import { tellCalls } from './calls.ts';
import type { CredentialSource } from './credentials.ts';
import { byTag } from './descriptions.ts';
import type { Endpoints } from './partitions.ts';
import { ATTEMPTS, type RequestHandling } from './requests.ts';

/** What `GetAuthorizationToken` gives. */
export interface Authorization {
  /** The value after `Basic `. */
  readonly token: string;
  /** In milliseconds since 1970. */
  readonly expiresAt: number;
  /** The registry's own address, which only an overridden endpoint has to be taken at its word for. */
  readonly proxyEndpoint: string;
}

/** A repository of a private registry; without an account it is the caller's. */
export interface RepositoryId {
  readonly name: string;
  readonly account: string | undefined;
}

/** The calls to ECR's API in one region, one function each; the SDK signs and retries. */
export interface EcrApi {
  /** For the calls about repositories and their settings. */
  readonly client: ECRClient;
  authorize(): Promise<Authorization>;
  /** Those of at most 100 digests that the repository holds as layers, with their sizes in bytes. */
  availableLayers(repository: RepositoryId, digests: readonly Digest[]): Promise<Map<string, number>>;
  /** Removes a tag; one that is not there is no failure. */
  deleteTag(repository: RepositoryId, tag: string, abortSignal: AbortSignal): Promise<void>;
  /** What is listed under at most 100 tags, and under other tags of the same images; nothing when one of them is not listed. */
  describeTags(
    repository: RepositoryId,
    tags: readonly string[],
    abortSignal: AbortSignal,
  ): Promise<ReadonlyMap<string, ImageDescription>>;
  /** Whether the caller's account lets layers be mounted from one repository in another. */
  allowsMounting(): Promise<boolean>;
  /** Whether the caller's account has a template by which a push creates a missing repository of this name. */
  createsOnPush(name: string): Promise<boolean>;
}

export interface EcrApiOptions extends Endpoints {
  readonly region: string;
  readonly userAgent: string;
  /** By default those that the SDK's default chain finds. */
  readonly credentials: CredentialSource | undefined;
  readonly requests: RequestHandling;
  /** How often a call is made before it has failed; by default as often as all of the job's are. */
  readonly attempts?: number;
}

/**
 * The API through the AWS SDK. Its address comes from the region or `AWS_ENDPOINT_URL_ECR`, as in every AWS tool.
 */
export function createEcrApi(options: EcrApiOptions): EcrApi {
  const { region, userAgent, credentials, requests, fips, dualStack } = options;
  const client = new ECRClient({
    region,
    customUserAgent: userAgent,
    maxAttempts: options.attempts ?? ATTEMPTS,
    retryMode: 'standard',
    requestHandler: new BoundedHandler(requests),
    ...(credentials && { credentials }),
    // Left out when they are not asked for: a profile may ask for them.
    ...(fips && { useFipsEndpoint: true }),
    ...(dualStack && { useDualstackEndpoint: true }),
  });
  tellCalls(client);
  return {
    client,

    async authorize() {
      const { authorizationData } = await client.send(new GetAuthorizationTokenCommand({}));
      const data = authorizationData?.[0];
      const call = `GetAuthorizationToken in ${region}`;
      return { ...readAuthorization(data, call), proxyEndpoint: readProxyEndpoint(data, call) };
    },

    async availableLayers(repository, digests) {
      const answer = await client.send(
        new BatchCheckLayerAvailabilityCommand({ ...named(repository), layerDigests: [...digests] }),
      );
      // An absent layer is listed as UNAVAILABLE or among the failures: only AVAILABLE counts.
      const available = (answer.layers ?? []).filter(
        ({ layerAvailability }) => layerAvailability === 'AVAILABLE',
      );
      return new Map(available.map(({ layerDigest = '', layerSize = 0 }) => [layerDigest, layerSize]));
    },

    async deleteTag(repository, tag, abortSignal) {
      try {
        const { failures = [] } = await client.send(
          new BatchDeleteImageCommand({ ...named(repository), imageIds: [{ imageTag: tag }] }),
          { abortSignal },
        );
        const failure = failures.find(({ failureCode }) => failureCode !== 'ImageNotFound');
        if (failure) throw new Error(`BatchDeleteImage of ${tag} in ${region}: ${failure.failureReason}`);
      } catch (error) {
        if (!(error instanceof ImageNotFoundException)) throw error;
      }
    },

    async describeTags(repository, tags, abortSignal) {
      try {
        const imageIds = tags.map((imageTag) => ({ imageTag }));
        const { imageDetails } = await client.send(
          new DescribeImagesCommand({ ...named(repository), imageIds }),
          { abortSignal },
        );
        return byTag(imageDetails);
      } catch (error) {
        if (error instanceof ImageNotFoundException) return new Map();
        throw error;
      }
    },

    async allowsMounting() {
      const { value } = await client.send(new GetAccountSettingCommand({ name: 'BLOB_MOUNTING' }));
      return value === 'ENABLED';
    },

    async createsOnPush(name) {
      const matching: { prefix: string; creates: boolean }[] = [];
      for await (const page of paginateDescribeRepositoryCreationTemplates({ client }, {})) {
        for (const { prefix = '', appliedFor = [] } of page.repositoryCreationTemplates ?? []) {
          // A prefix means whole parts of a name, with or without the slash at its end.
          if (prefix !== 'ROOT' && !name.startsWith(`${prefix.replace(/\/$/, '')}/`)) continue;
          matching.push({
            prefix: prefix === 'ROOT' ? '' : prefix,
            creates: appliedFor.includes('CREATE_ON_PUSH'),
          });
        }
      }
      // The longest prefix decides, and the root's template where there is no other.
      const [nearest] = matching.toSorted((one, other) => other.prefix.length - one.prefix.length);
      return nearest?.creates ?? false;
    },
  };
}

/** How ECR's calls name a repository. */
export function named({ name, account }: RepositoryId): { repositoryName: string; registryId?: string } {
  return { repositoryName: name, ...(account && { registryId: account }) };
}
