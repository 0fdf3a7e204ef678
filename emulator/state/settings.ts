import { isTag } from '../../src/image/reference.ts';

export type TagMutability = 'MUTABLE' | 'IMMUTABLE' | 'MUTABLE_WITH_EXCLUSION' | 'IMMUTABLE_WITH_EXCLUSION';

/** Tags that the repository's rule does not hold for; `*` stands for any text. */
export interface ExclusionFilter {
  readonly filterType: 'WILDCARD';
  readonly filter: string;
}

/** What CreateRepository sets, and the separate calls for policies change. */
export interface RepositorySettings {
  imageTagMutability: TagMutability;
  imageTagMutabilityExclusionFilters: readonly ExclusionFilter[];
  imageScanningConfiguration: { readonly scanOnPush: boolean };
  encryptionConfiguration: {
    readonly encryptionType: 'AES256' | 'KMS' | 'KMS_DSSE';
    readonly kmsKey?: string;
  };
  tags: ReadonlyMap<string, string>;
  lifecyclePolicy: string | undefined;
  repositoryPolicy: string | undefined;
}

/** A repository that was created without any setting. */
export const ECR_SETTINGS: Readonly<RepositorySettings> = {
  imageTagMutability: 'MUTABLE',
  imageTagMutabilityExclusionFilters: [],
  imageScanningConfiguration: { scanOnPush: false },
  encryptionConfiguration: { encryptionType: 'AES256' },
  tags: new Map(),
  lifecyclePolicy: undefined,
  repositoryPolicy: undefined,
};

/**
 * Whether a tag, once given, stays where it is.
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html
 */
export function isImmutable(tag: string, settings: RepositorySettings): boolean {
  const excluded = settings.imageTagMutabilityExclusionFilters.some(({ filter }) =>
    wildcard(filter).test(tag),
  );
  switch (settings.imageTagMutability) {
    case 'MUTABLE':
      return false;
    case 'IMMUTABLE':
      return true;
    case 'MUTABLE_WITH_EXCLUSION':
      return excluded;
    case 'IMMUTABLE_WITH_EXCLUSION':
      return !excluded;
  }
}

function wildcard(filter: string): RegExp {
  // Of what a tag may contain, the dot alone means something else to a RegExp.
  return new RegExp(`^${filter.replaceAll('.', '\\.').replaceAll('*', '.*')}$`);
}

const NAME = /^(?:[a-z0-9]+(?:[._-][a-z0-9]+)*\/)*[a-z0-9]+(?:[._-][a-z0-9]+)*$/;

/** ECR's rule for repository names, in the words of its own refusal. */
export const NAME_RULE = `must satisfy regular expression '${NAME.source.slice(1, -1).replaceAll('\\/', '/')}'`;

/** Whether ECR creates a repository of this name, which it does for fewer than other registries hold. */
export function isEcrName(name: string): boolean {
  return name.length >= 2 && name.length <= 256 && NAME.test(name);
}

/** Whether ECR takes this as a tag: the distribution specification's grammar, but up to 300 characters long. */
export function isEcrTag(tag: string): boolean {
  return tag.length <= 300 && isTag(tag.slice(0, 100)) && /^[\w.-]+$/.test(tag);
}
