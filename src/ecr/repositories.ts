import {
  CreateRepositoryCommand,
  DescribeRepositoriesCommand,
  type ECRClient,
  GetLifecyclePolicyCommand,
  GetRepositoryPolicyCommand,
  LifecyclePolicyNotFoundException,
  ListTagsForResourceCommand,
  PutLifecyclePolicyCommand,
  type Repository,
  RepositoryAlreadyExistsException,
  RepositoryNotFoundException,
  RepositoryPolicyNotFoundException,
  SetRepositoryPolicyCommand,
} from '@aws-sdk/client-ecr';
import { wordsOf } from '../distribution/errors.ts';
import { toError } from '../release/errors.ts';
import { named, type RepositoryId } from './api.ts';
import { type Creation, toCreateInput } from './creation.ts';
import type { CreationPlace } from './encryption.ts';
import type { RepositorySettings } from './repositorySettings.ts';
import type { Answer, FoundSettings } from './settingsDifferences.ts';

/** A repository that was created, but is not all that it was to be; its cause is what ECR said. */
export class UnfinishedRepositoryError extends Error {
  override readonly name = 'UnfinishedRepositoryError';
}

/**
 * What ECR says of a repository, or nothing when it is missing.
 * @throws the SDK's exceptions, such as AccessDeniedException
 */
export async function describeRepository(
  client: ECRClient,
  id: RepositoryId,
): Promise<Repository | undefined> {
  const { repositoryName, ...registry } = named(id);
  try {
    const { repositories } = await client.send(
      new DescribeRepositoriesCommand({ repositoryNames: [repositoryName], ...registry }),
    );
    return repositories?.[0];
  } catch (error) {
    if (error instanceof RepositoryNotFoundException) return undefined;
    throw error;
  }
}

/**
 * Creates a repository with these settings. Of several jobs that do at once one creates it, which also puts its policies.
 * @returns whether it was this one
 * @throws UnfinishedRepositoryError when it was created, but a policy was refused; else the SDK's exceptions
 */
export async function createRepository(
  client: ECRClient,
  id: RepositoryId,
  settings: RepositorySettings,
  place: CreationPlace,
): Promise<'created' | 'there'> {
  const creation = toCreateInput(settings, place);
  try {
    await client.send(new CreateRepositoryCommand({ ...named(id), ...creation.input }));
  } catch (error) {
    if (!(error instanceof RepositoryAlreadyExistsException)) throw error;
    // It was missing when it was looked for: when this call was sent again, it was most likely created by the first try.
    if ((error.$metadata.attempts ?? 1) === 1) return 'there';
  }
  await putPolicies(client, id, creation);
  return 'created';
}

async function putPolicies(
  client: ECRClient,
  id: RepositoryId,
  { lifecyclePolicy, repositoryPolicy }: Creation,
): Promise<void> {
  const [lifecycle, repository] = await Promise.allSettled([
    lifecyclePolicy !== undefined &&
      client.send(new PutLifecyclePolicyCommand({ ...named(id), lifecyclePolicyText: lifecyclePolicy })),
    repositoryPolicy !== undefined &&
      client.send(new SetRepositoryPolicyCommand({ ...named(id), policyText: repositoryPolicy })),
  ]);
  const failures = [
    { policy: 'lifecycle policy', outcome: lifecycle },
    { policy: 'repository policy', outcome: repository },
  ].flatMap(({ policy, outcome }) =>
    outcome.status === 'rejected' ? [{ policy, cause: toError(outcome.reason) }] : [],
  );
  const [first] = failures;
  if (!first) return;
  const said = failures.map(({ policy, cause }) => `its ${policy} was not put (${wordsOf(cause)})`);
  throw new UnfinishedRepositoryError(
    `the repository "${id.name}" was created, but ${said.join(', and ')}: put it by hand, or remove the repository and run the job again`,
    { cause: first.cause },
  );
}

/**
 * Reads what a repository is, as far as the settings state what it shall be: the rest is `unknown`, as is what the role may
 * not read.
 * @throws the SDK's exceptions, but for AccessDeniedException
 */
export async function readSettings(
  client: ECRClient,
  id: RepositoryId,
  description: Repository,
  wanted: RepositorySettings,
): Promise<FoundSettings> {
  const { repositoryArn: resourceArn } = description;
  const [lifecyclePolicy, repositoryPolicy, tags] = await Promise.all([
    answer(wanted.lifecyclePolicy, async () => {
      const { lifecyclePolicyText } = await client.send(new GetLifecyclePolicyCommand(named(id)));
      return lifecyclePolicyText;
    }),
    answer(wanted.repositoryPolicy, async () => {
      const { policyText } = await client.send(new GetRepositoryPolicyCommand(named(id)));
      return policyText;
    }),
    answer(wanted.tags, async () => {
      const { tags: found = [] } = await client.send(new ListTagsForResourceCommand({ resourceArn }));
      return new Map(found.map(({ Key = '', Value = '' }) => [Key, Value]));
    }),
  ]);
  return { description, lifecyclePolicy, repositoryPolicy, tags };
}

async function answer<T>(wanted: unknown, ask: () => Promise<T | undefined>): Promise<Answer<T>> {
  if (wanted === undefined) return 'unknown';
  try {
    return { value: await ask() };
  } catch (error) {
    if (
      error instanceof LifecyclePolicyNotFoundException ||
      error instanceof RepositoryPolicyNotFoundException
    ) {
      return { value: undefined };
    }
    if (error instanceof Error && error.name === 'AccessDeniedException') return 'unknown';
    throw error;
  }
}
