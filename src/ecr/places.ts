import type { Endpoints } from './partitions.ts';

/** A role that is assumed before ECR is called. */
export interface Role {
  readonly arn: string;
  readonly externalId?: string;
}

/** An account's private registry in a region, and as whom it is called. */
export interface PrivateRegistry extends Endpoints {
  readonly region: string;
  /** By default the account that the credentials belong to. */
  readonly account: string | undefined;
  readonly role: Role | undefined;
}

/** A repository in an account's private registry in a region. */
export interface PrivatePlace extends PrivateRegistry {
  readonly kind: 'private';
  readonly repository: string;
}

/** A repository of Amazon ECR Public, `ALIAS/NAME`, of which there is one for all regions. */
export interface PublicPlace {
  readonly kind: 'public';
  readonly repository: string;
  readonly role: Role | undefined;
}

/** A repository of any other registry, with the credentials that docker has for it. */
export interface OtherPlace {
  readonly kind: 'other';
  /** The registry's host, with its port if it has one. */
  readonly registry: string;
  readonly repository: string;
}

/** Where to publish: one repository of one registry. */
export type Place = PrivatePlace | PublicPlace | OtherPlace;

/** The host of Amazon ECR Public. */
export const PUBLIC_HOST = 'public.ecr.aws';

/**
 * How messages, results and the summary name each place: by its region where that is enough, else with the account
 * before it, and with the repository after it where that is not enough either.
 */
export function namesOf(places: readonly Place[]): string[] {
  const ours = places.filter((place) => place.kind === 'private');
  const regions = ours.map(({ region }) => region);
  const accounts = new Set(ours.map(({ account }) => account));
  const isAlone = ({ region }: PrivatePlace) =>
    accounts.size === 1 && regions.filter((each) => each === region).length === 1;
  const names = places.map((place) => {
    if (place.kind === 'public') return PUBLIC_HOST;
    if (place.kind === 'other') return place.registry;
    return isAlone(place) || !place.account ? place.region : `${place.account}/${place.region}`;
  });
  return names.map((name, position) =>
    names.indexOf(name) === names.lastIndexOf(name) ? name : `${name}/${places[position]?.repository}`,
  );
}
