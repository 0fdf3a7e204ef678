import type { Repository } from '../distribution/repository.ts';
import type { Reference } from '../image/reference.ts';
import { otherRepository } from './otherRegistry.ts';
import { parseRegistryHost } from './partitions.ts';
import { openPrivateSource, type PrivateRegistries } from './privateRegistries.ts';
import type { EcrCollaborators, EcrTarget } from './target.ts';

/**
 * Opens the repository that an image is read from: of a private registry of ECR's with the job's own credentials, of any
 * other one with the login that docker has for it, or as nobody.
 */
export async function openSource(
  { registry, repository }: Reference,
  target: Pick<EcrTarget, 'registryEndpoint' | 'apiOverridden'>,
  registries: PrivateRegistries,
  collaborators: EcrCollaborators,
): Promise<Repository> {
  const address = parseRegistryHost(registry);
  if (!address) return otherRepository(registry, repository, collaborators);
  const place = { kind: 'private', ...address, repository, role: undefined } as const;
  return openPrivateSource(place, registry, target, registries, collaborators);
}

/**
 * Where blobs of an image can be mounted from instead of being sent: from where it is read, if that is in the same registry.
 * Where it is not, nothing is found there.
 */
export function mountable({ registry, repository }: Reference): string[] {
  return parseRegistryHost(registry) ? [repository] : [];
}
