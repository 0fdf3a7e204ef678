import type { CreateRepositoryCommandInput } from '@aws-sdk/client-ecr';
import { type CreationPlace, kmsKeysAt } from './encryption.ts';
import type { RepositorySettings } from './repositorySettings.ts';

/** What is asked of ECR to create a repository: in the call itself, and by calls after it. */
export interface Creation {
  /** All but the names. */
  readonly input: Omit<CreateRepositoryCommandInput, 'registryId' | 'repositoryName'>;
  /** As JSON. */
  readonly lifecyclePolicy: string | undefined;
  /** As JSON. */
  readonly repositoryPolicy: string | undefined;
}

/**
 * Words settings for ECR. What they do not state is left out, so that ECR's own defaults hold. That there is one key for the
 * place, if there is to be any, is for `kmsProblems` to say before.
 * https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html
 */
export function toCreateInput(settings: RepositorySettings, place: CreationPlace): Creation {
  const { tagMutability, tagMutabilityExclusions, scanOnPush, encryption, tags } = settings;
  const [kmsKey] = encryption ? kmsKeysAt(encryption, place) : [];
  return {
    input: {
      ...(tagMutability && { imageTagMutability: tagMutability }),
      ...(tagMutabilityExclusions && {
        imageTagMutabilityExclusionFilters: tagMutabilityExclusions.map((filter) => ({
          filterType: 'WILDCARD',
          filter,
        })),
      }),
      ...(scanOnPush !== undefined && { imageScanningConfiguration: { scanOnPush } }),
      ...(encryption && {
        encryptionConfiguration: { encryptionType: encryption.type, ...(kmsKey && { kmsKey }) },
      }),
      ...(tags && { tags: [...tags].map(([Key, Value]) => ({ Key, Value })) }),
    },
    lifecyclePolicy: settings.lifecyclePolicy,
    repositoryPolicy: settings.repositoryPolicy,
  };
}
