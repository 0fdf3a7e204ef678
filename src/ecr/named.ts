import type { Named } from '../release/rehearse.ts';
import { ecrRefusals } from './manifestRules.ts';
import { registryHost } from './partitions.ts';
import { namesOf, type Place, PUBLIC_HOST } from './places.ts';
import type { EcrTarget } from './target.ts';

/** Stands for an account that is not known, in the name of a registry that nobody asked. */
export const UNKNOWN_ACCOUNT = 'ACCOUNT';

/** What says where registries are that are not AWS's own. */
type Addresses = Pick<EcrTarget, 'registryEndpoint' | 'publicEndpoint'>;

/**
 * Names the repository in every place, one a place, in their order. Nothing is asked: without an answer of ECR's API, a
 * registry's address is AWS's own, or that of `registry-endpoint`.
 */
export function nameDestinations(places: readonly Place[], addresses: Addresses): Named[] {
  const names = namesOf(places);
  return places.map((place, position) => ({
    name: names[position] ?? '',
    image: `${hostOf(place, addresses)}/${place.repository}`,
    refusals: place.kind === 'other' ? () => [] : ecrRefusals,
  }));
}

function hostOf(place: Place, { registryEndpoint, publicEndpoint }: Addresses): string {
  if (place.kind === 'other') return place.registry;
  if (place.kind === 'public') return publicEndpoint ? new URL(publicEndpoint).host : PUBLIC_HOST;
  const { account = UNKNOWN_ACCOUNT, region } = place;
  if (!registryEndpoint) return registryHost({ ...place, account });
  // As a URL its host would be in lower case, the stand-in for the account too.
  return registryEndpoint
    .replace(/^https?:\/\/|\/$/gi, '')
    .replaceAll('{account}', account)
    .replaceAll('{region}', region);
}
