import { challengedAuthorizer } from '../distribution/auth.ts';
import { Problems } from '../problems.ts';
import { repositoryDestination } from '../release/registry.ts';
import { tagDescriptions } from './descriptions.ts';
import { ecrRefusals } from './manifestRules.ts';
import { openRepository } from './openRepository.ts';
import { PUBLIC_HOST, type PublicPlace } from './places.ts';
import type { PublicApi } from './publicApi.ts';
import { settledWrites } from './settling.ts';
import type { EcrCollaborators, EcrTarget, OpenDestination } from './target.ts';
import { RegistryToken } from './token.ts';

/**
 * Opens a repository of Amazon ECR Public, and looks whether it is there, or may be created.
 * @throws Problems
 */
export async function openPublic(
  place: PublicPlace,
  name: string,
  { createRepository, settings, publicEndpoint }: EcrTarget,
  collaborators: EcrCollaborators,
): Promise<OpenDestination> {
  const { createPublicApi, transport, patience, mask, log } = collaborators;
  const api = createPublicApi(place.role);
  const token = new RegistryToken(api, mask);
  // The API knows the repository without the alias of its registry.
  const own = place.repository.slice(place.repository.indexOf('/') + 1);
  const [, uri] = await Promise.all([token.current(), api.repositoryUri(own)]);
  await assertAlias(place, uri, api);
  const exists = uri !== undefined;
  if (!exists && !createRepository) {
    throw new Problems([
      `${name}: the repository "${own}" does not exist: create it there, or set "create-repository: true"`,
    ]);
  }
  const { origin } = new URL(publicEndpoint ?? `https://${PUBLIC_HOST}`);
  const login = async (refused?: string) => (await token.current(refused && `Basic ${refused}`)).token;
  const authorizer = challengedAuthorizer(origin, transport, login, mask);
  const repository = openRepository(
    { origin, repository: place.repository, name, authorizer },
    collaborators,
  );
  return {
    identity: `${PUBLIC_HOST}/${place.repository}`,
    destination: repositoryDestination({
      name,
      image: `${new URL(origin).host}/${place.repository}`,
      repository,
      refusals: ecrRefusals,
      writeManifest: settledWrites(repository, (digest) => repository.statBlob(digest), patience),
      deleteTag: (tag, signal) => api.deleteTag(own, tag, signal),
      describeTags: tagDescriptions((tags, signal) => api.describeTags(own, tags, signal), patience),
    }),
    createIfMissing: async () => {
      if (exists) return;
      const created = await api.createRepository(own, settings?.tags);
      if (settings) log.warn(`${name}: of "repository-settings" ECR Public has "tags" alone`);
      if (created) log.info(`${name}: created the repository ${own}`);
    },
  };
}

/**
 * The API knows the caller's own registry alone: an alias of another one would be pushed to in vain.
 * @param uri the repository as it is, if it is there
 * @throws Problems
 */
async function assertAlias(place: PublicPlace, uri: string | undefined, api: PublicApi): Promise<void> {
  if (uri?.endsWith(`/${place.repository}`)) return;
  const alias = place.repository.split('/', 1)[0] ?? '';
  // A role for pushing need not be allowed to look: then the push itself will tell.
  const aliases = await api.aliases().catch((): string[] => []);
  if (aliases.length === 0 || aliases.includes(alias)) return;
  throw new Problems([
    `input "destinations": "${PUBLIC_HOST}/${place.repository}": "${alias}" is no alias of this account's public registry: write ${aliases.join(' or ')}`,
  ]);
}
