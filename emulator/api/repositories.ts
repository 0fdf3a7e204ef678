import * as z from 'zod/mini';
import { EcrError, invalidParameter } from '../errors.ts';
import type { Repository } from '../state/repository.ts';
import type { RepositorySettings } from '../state/settings.ts';
import {
  type Call,
  inRepository,
  nameSchema,
  type Operation,
  operation,
  pageOf,
  paging,
  registryIdSchema,
  registryOf,
  timestamp,
} from './call.ts';

const resourceTagsSchema = z
  .array(z.object({ Key: z.string().check(z.minLength(1)), Value: z.string() }))
  .check(z.maxLength(50, 'must have length less than or equal to 50'));

const mutability = {
  imageTagMutability: z.enum(['MUTABLE', 'IMMUTABLE', 'MUTABLE_WITH_EXCLUSION', 'IMMUTABLE_WITH_EXCLUSION']),
  imageTagMutabilityExclusionFilters: z.optional(
    z
      .array(
        z.object({
          filterType: z.literal('WILDCARD'),
          filter: z
            .string()
            .check(z.regex(/^(?!.*\*.*\*.*\*)[\w.*-]{1,128}$/, 'must have at most two wildcards')),
        }),
      )
      .check(z.minLength(1), z.maxLength(5, 'must have length less than or equal to 5')),
  ),
};

const createSchema = z.object({
  ...inRepository,
  ...mutability,
  imageTagMutability: z.optional(mutability.imageTagMutability),
  tags: z.optional(resourceTagsSchema),
  imageScanningConfiguration: z.optional(z.object({ scanOnPush: z._default(z.boolean(), false) })),
  encryptionConfiguration: z.optional(
    z.object({ encryptionType: z.enum(['AES256', 'KMS', 'KMS_DSSE']), kmsKey: z.optional(z.string()) }),
  ),
});

function create(input: z.infer<typeof createSchema>, call: Call): unknown {
  const { imageTagMutability = 'MUTABLE', imageTagMutabilityExclusionFilters: filters = [] } = input;
  assertFilters(imageTagMutability, filters);
  const { encryptionType, kmsKey } = input.encryptionConfiguration ?? { encryptionType: 'AES256' };
  const repository = registryOf(input, call).create(input.repositoryName, {
    imageTagMutability,
    imageTagMutabilityExclusionFilters: filters,
    encryptionConfiguration: { encryptionType, ...(kmsKey && { kmsKey }) },
    ...(input.imageScanningConfiguration && { imageScanningConfiguration: input.imageScanningConfiguration }),
    tags: new Map(input.tags?.map(({ Key, Value }) => [Key, Value])),
  });
  return { repository: describeRepository(repository, call) };
}

function assertFilters(
  rule: RepositorySettings['imageTagMutability'],
  filters: RepositorySettings['imageTagMutabilityExclusionFilters'],
): void {
  if (rule.endsWith('_WITH_EXCLUSION') === filters.length > 0) return;
  throw invalidParameter(
    'imageTagMutabilityExclusionFilters',
    'must be given with MUTABLE_WITH_EXCLUSION or IMMUTABLE_WITH_EXCLUSION, and only with them',
  );
}

/** A repository as the JSON API describes it. */
function describeRepository(repository: Repository, { service }: Call): Record<string, unknown> {
  const { name, account, region, createdAt, settings } = repository;
  const filters = settings.imageTagMutabilityExclusionFilters;
  return {
    repositoryArn: arnOf(repository),
    registryId: account,
    repositoryName: name,
    repositoryUri: `${new URL(service.urlOf(region)).host}/${name}`,
    createdAt: timestamp(createdAt),
    imageTagMutability: settings.imageTagMutability,
    ...(filters.length > 0 && { imageTagMutabilityExclusionFilters: filters }),
    imageScanningConfiguration: settings.imageScanningConfiguration,
    encryptionConfiguration: settings.encryptionConfiguration,
  };
}

function arnOf({ name, account, region }: Repository): string {
  const partition = region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
  return `arn:${partition}:ecr:${region}:${account}:repository/${name}`;
}

const describeSchema = z.object({
  registryId: registryIdSchema,
  repositoryNames: z.optional(z.array(nameSchema).check(z.minLength(1), z.maxLength(100))),
  ...paging,
});

function describeAll(input: z.infer<typeof describeSchema>, call: Call): unknown {
  const registry = registryOf(input, call);
  const repositories =
    input.repositoryNames?.map((name) => registry.repository(name)) ?? registry.repositories();
  const { page, next } = pageOf(repositories, input);
  return { repositories: page.map((repository) => describeRepository(repository, call)), ...next };
}

function found(input: { registryId?: string | undefined; repositoryName: string }, call: Call): Repository {
  return registryOf(input, call).repository(input.repositoryName);
}

function ids({ account, name }: Repository): { registryId: string; repositoryName: string } {
  return { registryId: account, repositoryName: name };
}

function byArn(resourceArn: string, call: Call): Repository {
  const name = resourceArn.slice(resourceArn.indexOf(':repository/') + ':repository/'.length);
  const repository = registryOf({ registryId: resourceArn.split(':')[4] }, call).repository(name);
  if (arnOf(repository) !== resourceArn)
    throw invalidParameter('resourceArn', 'must be a repository of this region');
  return repository;
}

function jsonText(least: number, most: number) {
  return z
    .string()
    .check(
      z.minLength(least, `must have length greater than or equal to ${least}`),
      z.maxLength(most, `must have length less than or equal to ${most}`),
      z.refine(isJson, 'Invalid JSON syntax'),
    );
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function policyMissing(kind: 'Lifecycle' | 'Repository', { name, account }: Repository): EcrError {
  return new EcrError(
    `${kind}PolicyNotFoundException`,
    `${kind} policy does not exist for the repository with name '${name}' in the registry with id '${account}'`,
  );
}

export const REPOSITORY_OPERATIONS: Readonly<Record<string, Operation>> = {
  CreateRepository: operation(createSchema, create),
  DescribeRepositories: operation(describeSchema, describeAll),
  DeleteRepository: operation(
    z.object({ ...inRepository, force: z._default(z.boolean(), false) }),
    (input, call) => {
      const removed = registryOf(input, call).remove(input.repositoryName, input);
      return { repository: describeRepository(removed, call) };
    },
  ),
  PutImageTagMutability: operation(z.object({ ...inRepository, ...mutability }), (input, call) => {
    const { imageTagMutability, imageTagMutabilityExclusionFilters: filters = [] } = input;
    assertFilters(imageTagMutability, filters);
    const repository = found(input, call);
    repository.settings.imageTagMutability = imageTagMutability;
    repository.settings.imageTagMutabilityExclusionFilters = filters;
    const told = filters.length > 0 ? { imageTagMutabilityExclusionFilters: filters } : {};
    return { ...ids(repository), imageTagMutability, ...told };
  }),
  ListTagsForResource: operation(z.object({ resourceArn: z.string() }), ({ resourceArn }, call) => ({
    tags: [...byArn(resourceArn, call).settings.tags].map(([Key, Value]) => ({ Key, Value })),
  })),
  TagResource: operation(z.object({ resourceArn: z.string(), tags: resourceTagsSchema }), (input, call) => {
    const { settings } = byArn(input.resourceArn, call);
    settings.tags = new Map([...settings.tags, ...input.tags.map(({ Key, Value }) => [Key, Value] as const)]);
    return {};
  }),
  PutLifecyclePolicy: operation(
    z.object({ ...inRepository, lifecyclePolicyText: jsonText(100, 30_720) }),
    (input, call) => {
      const repository = found(input, call);
      repository.settings.lifecyclePolicy = input.lifecyclePolicyText;
      return { ...ids(repository), lifecyclePolicyText: input.lifecyclePolicyText };
    },
  ),
  GetLifecyclePolicy: operation(z.object(inRepository), (input, call) => {
    const repository = found(input, call);
    const { lifecyclePolicy } = repository.settings;
    if (lifecyclePolicy === undefined) throw policyMissing('Lifecycle', repository);
    return { ...ids(repository), lifecyclePolicyText: lifecyclePolicy };
  }),
  SetRepositoryPolicy: operation(
    z.object({ ...inRepository, policyText: jsonText(0, 10_240) }),
    (input, call) => {
      const repository = found(input, call);
      repository.settings.repositoryPolicy = input.policyText;
      return { ...ids(repository), policyText: input.policyText };
    },
  ),
  GetRepositoryPolicy: operation(z.object(inRepository), (input, call) => {
    const repository = found(input, call);
    const { repositoryPolicy } = repository.settings;
    if (repositoryPolicy === undefined) throw policyMissing('Repository', repository);
    return { ...ids(repository), policyText: repositoryPolicy };
  }),
};
