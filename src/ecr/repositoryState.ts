import type { Repository as Found } from '@aws-sdk/client-ecr';
import type { Repository } from '../distribution/repository.ts';
import { Problems } from '../problems.ts';
import type { TagRule } from '../release/content.ts';
import { toError } from '../release/errors.ts';
import type { EcrApi, RepositoryId } from './api.ts';
import type { CreationPlace } from './encryption.ts';
import { createRepository, describeRepository, readSettings } from './repositories.ts';
import { settingsDifferences } from './settingsDifferences.ts';
import { tagRuleOf } from './tagMutability.ts';
import type { EcrCollaborators, EcrTarget } from './target.ts';

/** What is known of a repository before anything is done. */
export interface RepositoryState {
  readonly found: Found | undefined;
  /** What has to be done before it can be pushed to. */
  readonly missing: 'nothing' | 'created' | 'created by a push';
}

/**
 * Looks what a repository is.
 * @param where how messages name it
 * @throws Problems when it is missing and may not be created
 */
export async function lookAt(
  api: EcrApi,
  id: RepositoryId,
  where: string,
  { createRepository }: Pick<EcrTarget, 'createRepository'>,
): Promise<RepositoryState> {
  try {
    const found = await describeRepository(api.client, id);
    if (found) return { found, missing: 'nothing' };
  } catch (error) {
    // A role for pushing need not be allowed to look: then the push itself will tell.
    const denied = error instanceof Error && error.name === 'AccessDeniedException';
    if (!denied || createRepository) throw error;
    return { found: undefined, missing: 'nothing' };
  }
  if (createRepository) return { found: undefined, missing: 'created' };
  const creates = await api.createsOnPush(id.name).catch((error: Error) => error);
  if (creates === true) return { found: undefined, missing: 'created by a push' };
  const isDenied = creates instanceof Error && creates.name === 'AccessDeniedException';
  throw new Problems([
    `${where}: the repository "${id.name}" does not exist: create it there, or set "create-repository: true"${isDenied ? '; where a repository creation template creates it, allow ecr:DescribeRepositoryCreationTemplates on * in the policy of the role that this job has' : ''}`,
  ]);
}

/** What is asked of a repository that has been looked at. */
interface Looked {
  readonly api: EcrApi;
  readonly id: RepositoryId;
  readonly repository: Repository;
  readonly place: CreationPlace;
  readonly state: RepositoryState;
}

/**
 * Creates a repository that is missing; of one that is there it only says where it is not what the settings state.
 * @param where how messages name it
 * @throws what creating it throws; that it could not be compared is said, and nothing more
 */
export async function prepare(
  { api, id, repository, place, state }: Looked,
  where: string,
  { settings }: Pick<EcrTarget, 'settings'>,
  log: EcrCollaborators['log'],
): Promise<void> {
  if (state.missing === 'created by a push') return repository.beginAhead();
  if (state.missing === 'created') {
    const outcome = await createRepository(api.client, id, settings ?? {}, place);
    if (outcome === 'created') log.info(`${where}: created the repository ${id.name}`);
    return;
  }
  if (!settings || !state.found) return;
  try {
    const found = await readSettings(api.client, id, state.found, settings);
    const differences = settingsDifferences(settings, found, place);
    if (differences.length === 0) return;
    log.warn(
      `${where}: ${id.name} is not what "repository-settings" states, and stays as it is: ${differences.join('; ')}`,
    );
  } catch (error) {
    log.warn(
      `${where}: ${id.name} could not be compared with "repository-settings": ${toError(error).message}`,
    );
  }
}

/** Whether a tag may be written again once it is taken, in a repository as it is, or as it will be created. */
export function tagRuleIn(
  { found, missing }: RepositoryState,
  { settings }: Pick<EcrTarget, 'settings'>,
): (tag: string) => TagRule {
  if (found) {
    const filters = found.imageTagMutabilityExclusionFilters ?? [];
    return tagRuleOf(
      found.imageTagMutability,
      filters.map(({ filter = '' }) => filter),
    );
  }
  if (missing !== 'created') return () => 'unknown';
  return tagRuleOf(settings?.tagMutability ?? 'MUTABLE', settings?.tagMutabilityExclusions ?? []);
}
