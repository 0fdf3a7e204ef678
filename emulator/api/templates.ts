import * as z from 'zod/mini';
import { assertLifecyclePolicy } from '../state/lifecyclePolicy.ts';
import { assertRepositoryPolicy } from '../state/repositoryPolicy.ts';
import type { RepositorySettings } from '../state/settings.ts';
import type { Template } from '../state/templates.ts';
import { type Call, type Operation, operation, pageOf, paging, registryOf, timestamp } from './call.ts';
import {
  assertFilters,
  encryptionIn,
  encryptionSchema,
  mutability,
  resourceTagsSchema,
  tagged,
  tagList,
} from './settings.ts';

/** What the first parts of a repository's name may be, with a slash behind them or without. */
const PREFIX = /^(?:(?:[a-z0-9]+(?:[._-][a-z0-9]+)*\/)*[a-z0-9]+(?:[._-][a-z0-9]+)*\/?|ROOT)$/;

const prefixSchema = textOf(256).check(
  z.regex(PREFIX, `must satisfy regular expression '${PREFIX.source.replaceAll('\\/', '/')}'`),
);

function textOf(most: number) {
  return z
    .string('must not be null')
    .check(z.maxLength(most, `must have length less than or equal to ${most}`));
}

const createSchema = z.object({
  prefix: prefixSchema,
  description: z.optional(textOf(256)),
  encryptionConfiguration: z.optional(encryptionSchema),
  resourceTags: z._default(resourceTagsSchema, []),
  ...mutability,
  imageTagMutability: z._default(mutability.imageTagMutability, 'MUTABLE'),
  repositoryPolicy: z.optional(textOf(10_240)),
  lifecyclePolicy: z.optional(textOf(30_720)),
  appliedFor: z.array(z.enum(['CREATE_ON_PUSH', 'PULL_THROUGH_CACHE', 'REPLICATION'])).check(z.minLength(1)),
  customRoleArn: z.optional(textOf(2_048)),
});

function create(input: z.infer<typeof createSchema>, call: Call): unknown {
  const registry = registryOf({}, call);
  const { prefix, description, appliedFor, customRoleArn } = input;
  const settings = settingsOf(input, call);
  const createdAt = call.service.now();
  const template = { prefix, description, appliedFor, customRoleArn, settings, createdAt };
  registry.templates.add(template);
  return { registryId: registry.account, repositoryCreationTemplate: describeTemplate(template) };
}

function settingsOf(input: z.infer<typeof createSchema>, { region }: Call): RepositorySettings {
  const { imageTagMutability, imageTagMutabilityExclusionFilters = [] } = input;
  const { lifecyclePolicy, repositoryPolicy } = input;
  assertFilters(imageTagMutability, imageTagMutabilityExclusionFilters);
  if (lifecyclePolicy !== undefined) assertLifecyclePolicy(lifecyclePolicy);
  if (repositoryPolicy !== undefined) assertRepositoryPolicy(repositoryPolicy);
  return {
    imageTagMutability,
    imageTagMutabilityExclusionFilters,
    imageScanningConfiguration: { scanOnPush: false },
    encryptionConfiguration: encryptionIn(region, input.encryptionConfiguration),
    tags: tagged(input.resourceTags),
    lifecyclePolicy,
    repositoryPolicy,
  };
}

/** A template as the JSON API describes it; none is ever updated. What is left undefined, JSON leaves out. */
function describeTemplate(template: Template): Record<string, unknown> {
  const { prefix, description, appliedFor, customRoleArn, settings, createdAt } = template;
  const filters = settings.imageTagMutabilityExclusionFilters;
  return {
    prefix,
    description,
    encryptionConfiguration: settings.encryptionConfiguration,
    resourceTags: tagList(settings.tags),
    imageTagMutability: settings.imageTagMutability,
    ...(filters.length > 0 && { imageTagMutabilityExclusionFilters: filters }),
    repositoryPolicy: settings.repositoryPolicy,
    lifecyclePolicy: settings.lifecyclePolicy,
    appliedFor,
    customRoleArn,
    createdAt: timestamp(createdAt),
    updatedAt: timestamp(createdAt),
  };
}

const describeSchema = z.object({ prefixes: z.optional(z.array(prefixSchema)), ...paging });

function describeAll(input: z.infer<typeof describeSchema>, call: Call): unknown {
  const { account, templates } = registryOf({}, call);
  const wanted = templates.list().filter(({ prefix }) => input.prefixes?.includes(prefix) ?? true);
  const { page, next } = pageOf(wanted, input);
  return { registryId: account, repositoryCreationTemplates: page.map(describeTemplate), ...next };
}

/** https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-creation-templates.html */
export const TEMPLATE_OPERATIONS: Readonly<Record<string, Operation>> = {
  CreateRepositoryCreationTemplate: operation(createSchema, create),
  DescribeRepositoryCreationTemplates: operation(describeSchema, describeAll),
  DeleteRepositoryCreationTemplate: operation(z.object({ prefix: prefixSchema }), ({ prefix }, call) => {
    const { account, templates } = registryOf({}, call);
    return {
      registryId: account,
      repositoryCreationTemplate: describeTemplate(templates.remove(prefix)),
    };
  }),
};
