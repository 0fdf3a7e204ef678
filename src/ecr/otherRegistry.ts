import { challengedAuthorizer } from '../distribution/auth.ts';
import type { Repository } from '../distribution/repository.ts';
import { repositoryDestination } from '../release/registry.ts';
import { openRepository } from './openRepository.ts';
import type { OtherPlace } from './places.ts';
import type { EcrCollaborators, OpenDestination } from './target.ts';

/** What it takes to speak to any registry. */
type Collaborators = Pick<EcrCollaborators, 'transport' | 'retry' | 'log' | 'logins' | 'mask'>;

/** A repository of any registry, spoken to with the login that docker has for it, or as nobody. */
export function otherRepository(
  registry: string,
  repository: string,
  collaborators: Collaborators,
): Repository {
  const { transport, logins, mask } = collaborators;
  const origin = originOf(registry);
  const login = async () => {
    const basic = await logins(registry);
    if (basic) mask(basic);
    return basic;
  };
  const authorizer = challengedAuthorizer(origin, transport, login, mask);
  return openRepository({ origin, repository, name: registry, authorizer }, collaborators);
}

/** As container tools have it: a registry on this machine speaks plain HTTP. */
function originOf(registry: string): string {
  const local = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\]|[^:]*\.localhost)(:\d+)?$/.test(registry);
  return new URL(`${local ? 'http' : 'https'}://${registry}`).origin;
}

/** A repository of any registry as a destination. Such registries create a repository when they are pushed to. */
export function openOther(place: OtherPlace, name: string, collaborators: Collaborators): OpenDestination {
  const repository = otherRepository(place.registry, place.repository, collaborators);
  const image = `${place.registry}/${place.repository}`;
  return {
    identity: image,
    destination: repositoryDestination({ name, image, repository }),
    createIfMissing: async () => undefined,
  };
}
