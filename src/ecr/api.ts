import {
  BatchCheckLayerAvailabilityCommand,
  BatchDeleteImageCommand,
  CreateRepositoryCommand,
  DescribeRepositoriesCommand,
  ECRClient,
  GetAuthorizationTokenCommand,
  ImageNotFoundException,
  RepositoryAlreadyExistsException,
  RepositoryNotFoundException,
} from '@aws-sdk/client-ecr';
import type { Digest } from '../image/digest.ts';

/** What `GetAuthorizationToken` gives. */
export interface Authorization {
  /** The value after `Basic `. */
  readonly token: string;
  /** In milliseconds since 1970. */
  readonly expiresAt: number;
  /** The registry's own address, which only an overridden endpoint has to be taken at its word for. */
  readonly proxyEndpoint: string;
}

/** The calls to ECR's API in one region, one function each; the SDK signs and retries. */
export interface EcrApi {
  authorize(): Promise<Authorization>;
  /** Whether the repository is there. */
  repositoryExists(name: string, account: string | undefined): Promise<boolean>;
  /** Creates a repository with ECR's defaults; false when another job has created it meanwhile, which is as good. */
  createRepository(name: string, account: string | undefined): Promise<boolean>;
  /** Those of at most 100 digests that the repository holds as layers, with their sizes in bytes. */
  availableLayers(
    name: string,
    account: string | undefined,
    digests: readonly Digest[],
  ): Promise<Map<string, number>>;
  /** Removes a tag; one that is not there is no failure. */
  deleteTag(name: string, account: string | undefined, tag: string): Promise<void>;
}

export interface EcrApiOptions {
  readonly region: string;
  readonly userAgent: string;
}

/**
 * The API through the AWS SDK. Credentials come from the SDK's default chain, and the address from the region or
 * `AWS_ENDPOINT_URL_ECR`, both as in every AWS tool.
 */
export function createEcrApi({ region, userAgent }: EcrApiOptions): EcrApi {
  const client = new ECRClient({
    region,
    customUserAgent: userAgent,
    maxAttempts: 6,
    retryMode: 'standard',
    // By default the SDK waits for ever.
    requestHandler: { connectionTimeout: 10_000, requestTimeout: 60_000, throwOnRequestTimeout: true },
  });
  return {
    async authorize() {
      const { authorizationData } = await client.send(new GetAuthorizationTokenCommand({}));
      const data = authorizationData?.[0];
      if (!data?.authorizationToken || !data.proxyEndpoint) {
        throw new Error(`GetAuthorizationToken in ${region} gave no token`);
      }
      return {
        token: data.authorizationToken,
        expiresAt: data.expiresAt?.getTime() ?? Date.now() + 12 * 3600 * 1000,
        proxyEndpoint: data.proxyEndpoint,
      };
    },

    async repositoryExists(name, account) {
      try {
        await client.send(new DescribeRepositoriesCommand({ repositoryNames: [name], ...registry(account) }));
        return true;
      } catch (error) {
        if (error instanceof RepositoryNotFoundException) return false;
        throw error;
      }
    },

    async createRepository(name, account) {
      try {
        await client.send(new CreateRepositoryCommand({ repositoryName: name, ...registry(account) }));
        return true;
      } catch (error) {
        if (error instanceof RepositoryAlreadyExistsException) return false;
        throw error;
      }
    },

    async availableLayers(name, account, digests) {
      const answer = await client.send(
        new BatchCheckLayerAvailabilityCommand({
          repositoryName: name,
          layerDigests: [...digests],
          ...registry(account),
        }),
      );
      // An absent layer is listed as UNAVAILABLE or among the failures: only AVAILABLE counts.
      const available = (answer.layers ?? []).filter(
        ({ layerAvailability }) => layerAvailability === 'AVAILABLE',
      );
      return new Map(available.map(({ layerDigest = '', layerSize = 0 }) => [layerDigest, layerSize]));
    },

    async deleteTag(name, account, tag) {
      try {
        const { failures = [] } = await client.send(
          new BatchDeleteImageCommand({
            repositoryName: name,
            imageIds: [{ imageTag: tag }],
            ...registry(account),
          }),
        );
        const failure = failures.find(({ failureCode }) => failureCode !== 'ImageNotFound');
        if (failure) throw new Error(`BatchDeleteImage of ${tag} in ${region}: ${failure.failureReason}`);
      } catch (error) {
        if (!(error instanceof ImageNotFoundException)) throw error;
      }
    },
  };
}

function registry(account: string | undefined): { registryId?: string } {
  return account ? { registryId: account } : {};
}
