import type { ECRPUBLICClient } from '@aws-sdk/client-ecr-public';
import type { ImageDescription } from '../release/content.ts';
import { readAuthorization } from './authorization.ts';
import { BoundedHandler } from './boundedHandler.ts';
import { tellCalls } from './calls.ts';
import type { CredentialSource } from './credentials.ts';
import { byTag } from './descriptions.ts';
import { ATTEMPTS, type RequestHandling } from './requests.ts';

/** The one region in which Amazon ECR Public has its API. */
export const PUBLIC_REGION = 'us-east-1';

/** What ECR Public's `GetAuthorizationToken` gives. */
export interface PublicAuthorization {
  /** User and password in base64. */
  readonly token: string;
  /** In milliseconds since 1970. */
  readonly expiresAt: number;
}

/** The calls to the API of Amazon ECR Public. Repositories are named without the registry's alias. */
export interface PublicApi {
  authorize(): Promise<PublicAuthorization>;
  /** The repository with its host and the registry's alias, or nothing when it is missing. */
  repositoryUri(name: string): Promise<string | undefined>;
  /** The aliases of the caller's own registry. */
  aliases(): Promise<string[]>;
  /** False when another job has created it meanwhile, which is as good. */
  createRepository(name: string, tags?: ReadonlyMap<string, string>): Promise<boolean>;
  /** Removes a tag; one that is not there is no failure. */
  deleteTag(name: string, tag: string, abortSignal: AbortSignal): Promise<void>;
  /** What is listed under at most 100 tags, and under other tags of the same images; nothing when one of them is not listed. */
  describeTags(
    name: string,
    tags: readonly string[],
    abortSignal: AbortSignal,
  ): Promise<ReadonlyMap<string, ImageDescription>>;
}

/**
 * The API through the AWS SDK, which is loaded with the first call: few jobs need it.
 * https://docs.aws.amazon.com/AmazonECRPublic/latest/APIReference/Welcome.html
 */
export function createPublicApi(options: {
  readonly userAgent: string;
  readonly credentials: CredentialSource | undefined;
  readonly requests: RequestHandling;
}): PublicApi {
  let loading: Promise<Loaded> | undefined;
  const load = () => {
    loading ??= loadClient(options);
    return loading;
  };
  return {
    async authorize() {
      const { client, sdk } = await load();
      const { authorizationData } = await client.send(new sdk.GetAuthorizationTokenCommand({}));
      return readAuthorization(authorizationData, 'GetAuthorizationToken of ECR Public');
    },

    async repositoryUri(name) {
      const { client, sdk } = await load();
      try {
        const { repositories } = await client.send(
          new sdk.DescribeRepositoriesCommand({ repositoryNames: [name] }),
        );
        return repositories?.[0]?.repositoryUri ?? '';
      } catch (error) {
        if (error instanceof sdk.RepositoryNotFoundException) return undefined;
        throw error;
      }
    },

    async aliases() {
      const { client, sdk } = await load();
      const { registries = [] } = await client.send(new sdk.DescribeRegistriesCommand({}));
      return registries.flatMap(({ aliases = [] }) => aliases.flatMap(({ name }) => name ?? []));
    },

    async createRepository(name, tags = new Map()) {
      const { client, sdk } = await load();
      try {
        await client.send(
          new sdk.CreateRepositoryCommand({
            repositoryName: name,
            ...(tags.size > 0 && { tags: [...tags].map(([Key, Value]) => ({ Key, Value })) }),
          }),
        );
        return true;
      } catch (error) {
        if (error instanceof sdk.RepositoryAlreadyExistsException) return false;
        throw error;
      }
    },

    async deleteTag(name, tag, abortSignal) {
      const { client, sdk } = await load();
      const { failures = [] } = await client.send(
        new sdk.BatchDeleteImageCommand({ repositoryName: name, imageIds: [{ imageTag: tag }] }),
        { abortSignal },
      );
      const failure = failures.find(({ failureCode }) => failureCode !== 'ImageNotFound');
      if (failure) throw new Error(`BatchDeleteImage of ${tag}: ${failure.failureReason}`);
    },

    async describeTags(name, tags, abortSignal) {
      const { client, sdk } = await load();
      try {
        const imageIds = tags.map((imageTag) => ({ imageTag }));
        const { imageDetails } = await client.send(
          new sdk.DescribeImagesCommand({ repositoryName: name, imageIds }),
          { abortSignal },
        );
        return byTag(imageDetails);
      } catch (error) {
        if (error instanceof sdk.ImageNotFoundException) return new Map();
        throw error;
      }
    },
  };
}

interface Loaded {
  readonly client: ECRPUBLICClient;
  readonly sdk: typeof import('@aws-sdk/client-ecr-public');
}

async function loadClient({
  userAgent,
  credentials,
  requests,
}: {
  readonly userAgent: string;
  readonly credentials: CredentialSource | undefined;
  readonly requests: RequestHandling;
}): Promise<Loaded> {
  const sdk = await import('@aws-sdk/client-ecr-public');
  const client = new sdk.ECRPUBLICClient({
    region: PUBLIC_REGION,
    customUserAgent: userAgent,
    maxAttempts: ATTEMPTS,
    retryMode: 'standard',
    requestHandler: new BoundedHandler(requests),
    ...(credentials && { credentials }),
  });
  tellCalls(client);
  return { client, sdk };
}
