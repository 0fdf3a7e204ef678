import * as z from 'zod/mini';
import type { Repository } from '../state/repository.ts';
import {
  type Call,
  idsOf,
  inRepository,
  nameSchema,
  type Operation,
  operation,
  pageOf,
  paging,
  registryIdSchema,
  registryOf,
  repositoryOf,
  timestamp,
} from './call.ts';
import { arnOf } from './resourceTags.ts';
import {
  assertFilters,
  encryptionIn,
  encryptionSchema,
  mutability,
  resourceTagsSchema,
  tagged,
} from './settings.ts';

const scanningSchema = z.object({ scanOnPush: z._default(z.boolean(), false) });

const createSchema = z.object({
  ...inRepository,
  ...mutability,
  imageTagMutability: z.optional(mutability.imageTagMutability),
  tags: z._default(resourceTagsSchema, []),
  imageScanningConfiguration: z.optional(scanningSchema),
  encryptionConfiguration: z.optional(encryptionSchema),
});

function create(input: z.infer<typeof createSchema>, call: Call): unknown {
  const { imageTagMutability = 'MUTABLE', imageTagMutabilityExclusionFilters: filters = [] } = input;
  assertFilters(imageTagMutability, filters);
  const repository = registryOf(input, call).create(input.repositoryName, {
    imageTagMutability,
    imageTagMutabilityExclusionFilters: filters,
    encryptionConfiguration: encryptionIn(call.region, input.encryptionConfiguration),
    ...(input.imageScanningConfiguration && { imageScanningConfiguration: input.imageScanningConfiguration }),
    tags: tagged(input.tags),
  });
  return { repository: describeRepository(repository, call) };
}

/** A repository as the JSON API describes it. */
function describeRepository(repository: Repository, { service }: Call): Record<string, unknown> {
  const { name, account, createdAt, settings } = repository;
  const filters = settings.imageTagMutabilityExclusionFilters;
  return {
    repositoryArn: arnOf(repository),
    registryId: account,
    repositoryName: name,
    repositoryUri: `${new URL(service.addressOf(repository)).host}/${name}`,
    createdAt: timestamp(createdAt),
    imageTagMutability: settings.imageTagMutability,
    ...(filters.length > 0 && { imageTagMutabilityExclusionFilters: filters }),
    imageScanningConfiguration: settings.imageScanningConfiguration,
    encryptionConfiguration: settings.encryptionConfiguration,
  };
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
    const repository = repositoryOf(input, call);
    repository.settings.imageTagMutability = imageTagMutability;
    repository.settings.imageTagMutabilityExclusionFilters = filters;
    const told = filters.length > 0 ? { imageTagMutabilityExclusionFilters: filters } : {};
    return { ...idsOf(repository), imageTagMutability, ...told };
  }),
  PutImageScanningConfiguration: operation(
    z.object({ ...inRepository, imageScanningConfiguration: scanningSchema }),
    (input, call) => {
      const { imageScanningConfiguration } = input;
      const repository = repositoryOf(input, call);
      repository.settings.imageScanningConfiguration = imageScanningConfiguration;
      return { ...idsOf(repository), imageScanningConfiguration };
    },
  ),
};
