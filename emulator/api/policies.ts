import * as z from 'zod/mini';
import { EcrError } from '../errors.ts';
import { assertLifecyclePolicy } from '../state/lifecyclePolicy.ts';
import type { Repository } from '../state/repository.ts';
import { assertRepositoryPolicy } from '../state/repositoryPolicy.ts';
import { idsOf, inRepository, type Operation, operation, repositoryOf, timestamp } from './call.ts';

/** A policy of at least and at most so many characters. */
function policyText(least: number, most: number) {
  return z
    .string('must not be null')
    .check(
      z.minLength(least, `must have length greater than or equal to ${least}`),
      z.maxLength(most, `must have length less than or equal to ${most}`),
    );
}

const inRequest = z.object(inRepository);
const lifecycleSchema = z.object({ ...inRepository, lifecyclePolicyText: policyText(100, 30_720) });
const repositorySchema = z.object({ ...inRepository, policyText: policyText(0, 10_240) });

/** No policy is ever carried out here, which ECR tells as the beginning of time. */
const lastEvaluatedAt = timestamp(0);

function lifecyclePolicyOf(repository: Repository): string {
  return repository.settings.lifecyclePolicy ?? missing('Lifecycle', repository);
}

function repositoryPolicyOf(repository: Repository): string {
  return repository.settings.repositoryPolicy ?? missing('Repository', repository);
}

function missing(kind: 'Lifecycle' | 'Repository', { name, account }: Repository): never {
  throw new EcrError(
    `${kind}PolicyNotFoundException`,
    `${kind} policy does not exist for the repository with name '${name}' in the registry with id '${account}'`,
  );
}

export const POLICY_OPERATIONS: Readonly<Record<string, Operation>> = {
  PutLifecyclePolicy: operation(lifecycleSchema, (input, call) => {
    const { lifecyclePolicyText } = input;
    const repository = repositoryOf(input, call);
    assertLifecyclePolicy(lifecyclePolicyText);
    repository.settings.lifecyclePolicy = lifecyclePolicyText;
    return { ...idsOf(repository), lifecyclePolicyText };
  }),
  GetLifecyclePolicy: operation(inRequest, (input, call) => {
    const repository = repositoryOf(input, call);
    return { ...idsOf(repository), lifecyclePolicyText: lifecyclePolicyOf(repository), lastEvaluatedAt };
  }),
  DeleteLifecyclePolicy: operation(inRequest, (input, call) => {
    const repository = repositoryOf(input, call);
    const lifecyclePolicyText = lifecyclePolicyOf(repository);
    repository.settings.lifecyclePolicy = undefined;
    return { ...idsOf(repository), lifecyclePolicyText, lastEvaluatedAt };
  }),
  SetRepositoryPolicy: operation(repositorySchema, (input, call) => {
    const repository = repositoryOf(input, call);
    assertRepositoryPolicy(input.policyText);
    repository.settings.repositoryPolicy = input.policyText;
    return { ...idsOf(repository), policyText: input.policyText };
  }),
  GetRepositoryPolicy: operation(inRequest, (input, call) => {
    const repository = repositoryOf(input, call);
    return { ...idsOf(repository), policyText: repositoryPolicyOf(repository) };
  }),
  DeleteRepositoryPolicy: operation(inRequest, (input, call) => {
    const repository = repositoryOf(input, call);
    const policyText = repositoryPolicyOf(repository);
    repository.settings.repositoryPolicy = undefined;
    return { ...idsOf(repository), policyText };
  }),
};
