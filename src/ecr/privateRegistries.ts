import { tokenAuthorizer } from '../distribution/auth.ts';
import type { Repository } from '../distribution/repository.ts';
import type { Session } from '../distribution/session.ts';
import { Problems } from '../problems.ts';
import type { Authorization, EcrApi } from './api.ts';
import { openRepository } from './openRepository.ts';
import { Pacer, pacedSession } from './pacing.ts';
import { accountInHost, registryHost } from './partitions.ts';
import type { PrivatePlace, PrivateRegistry } from './places.ts';
import type { EcrCollaborators, EcrTarget } from './target.ts';
import { RegistryToken } from './token.ts';

/** One way into the registries of a region: the API with some credentials, and its token. */
interface Access {
  readonly api: EcrApi;
  readonly token: RegistryToken<Authorization>;
}

/** What the destinations of one job share: a token for each region and role, and the quotas of each account's registry. */
export class PrivateRegistries {
  readonly #collaborators: Pick<EcrCollaborators, 'createApi' | 'mask'>;
  readonly #accesses = new Map<string, Access>();
  readonly #caller = Promise.withResolvers<string>();
  readonly #pacers = new Map<string, Pacer>();

  constructor(collaborators: Pick<EcrCollaborators, 'createApi' | 'mask'>) {
    this.#collaborators = collaborators;
  }

  access({ region, role, fips, dualStack }: PrivateRegistry): Access {
    const key = JSON.stringify({ region, role, fips, dualStack });
    const known = this.#accesses.get(key);
    if (known) return known;
    const api = this.#collaborators.createApi({ region, role, fips, dualStack });
    const authorize = async () => {
      const authorization = await api.authorize();
      const caller = role ? undefined : callerIn(authorization);
      if (caller) this.#caller.resolve(caller);
      return authorization;
    };
    const token = new RegistryToken({ authorize }, (secret) => this.#collaborators.mask(secret));
    const access = { api, token };
    this.#accesses.set(key, access);
    return access;
  }

  /** The account of those who call without a role of a destination, from when the first region has given a token for it. */
  get caller(): Promise<string> {
    return this.#caller.promise;
  }

  pacer(account: string | undefined, region: string): Pacer {
    const key = `${account} ${region}`;
    const pacer = this.#pacers.get(key) ?? new Pacer();
    this.#pacers.set(key, pacer);
    return pacer;
  }
}

/** What says where registries are that are not AWS's own. */
export type Addresses = Pick<EcrTarget, 'registryEndpoint' | 'apiOverridden'>;

/** The account whose token it is, as far as the address names it that comes with it. */
export function callerIn({ proxyEndpoint }: Authorization): string | undefined {
  return accountInHost(new URL(proxyEndpoint).host);
}

/** Where the registry answers, or nothing when it is not known before the API has told. */
export function registryOriginAhead(
  place: PrivateRegistry,
  account: string | undefined,
  { registryEndpoint, apiOverridden }: Addresses,
): string | undefined {
  if (registryEndpoint) {
    if (!account && registryEndpoint.includes('{account}')) return undefined;
    const filled = registryEndpoint
      .replaceAll('{account}', account ?? '')
      .replaceAll('{region}', place.region);
    return new URL(filled).origin;
  }
  if (apiOverridden || !account) return undefined;
  return `https://${registryHost({ ...place, account })}`;
}

/** Where the registry answers; the API's word counts only when the API itself is not AWS's. */
export function registryOrigin(
  place: PrivateRegistry,
  account: string | undefined,
  target: Addresses,
  { proxyEndpoint }: Authorization,
): string {
  const known = registryOriginAhead(place, account, target);
  if (known) return known;
  if (target.registryEndpoint) {
    throw new Problems([
      'input "registry-endpoint" has {account}, but the account is not known: set "account-id"',
    ]);
  }
  const proxy = new URL(proxyEndpoint);
  if (!target.apiOverridden) {
    throw new Error(`the registry's address "${proxy.host}" names no account: set "account-id"`);
  }
  // The token is the caller's, whose account its address names where it names one.
  if (place.account) proxy.host = proxy.host.replace(/^\d{12}(?=\.dkr)/, place.account);
  return proxy.origin;
}

/**
 * A repository of a private registry.
 * @param origin where the registry answers
 * @param name how messages name it
 */
export function repositoryAt(
  origin: string,
  { repository }: PrivatePlace,
  name: string,
  token: RegistryToken<Authorization>,
  pacer: Pacer,
  collaborators: EcrCollaborators,
): Repository {
  const authorizer = tokenAuthorizer((refused) => token.header(refused));
  const paced = (session: Session) => pacedSession(session, pacer);
  return openRepository({ origin, repository, name, authorizer, paced }, collaborators);
}

/**
 * Opens a repository of a private registry to read from it.
 * @param place with its account
 */
export async function openPrivateSource(
  place: PrivatePlace,
  name: string,
  target: Addresses,
  registries: PrivateRegistries,
  collaborators: EcrCollaborators,
): Promise<Repository> {
  const { token } = registries.access(place);
  const origin = registryOrigin(place, place.account, target, await token.current());
  return repositoryAt(
    origin,
    place,
    name,
    token,
    registries.pacer(place.account, place.region),
    collaborators,
  );
}

/**
 * The host of a private registry, and the login for it as basic authentication has it.
 * @throws what the API throws that does not give a token
 */
export async function loginTo(
  place: PrivateRegistry,
  target: Addresses,
  registries: PrivateRegistries,
): Promise<readonly [host: string, basic: string]> {
  const authorization = await registries.access(place).token.current();
  const account = place.account ?? callerIn(authorization);
  const origin = registryOrigin(place, account, target, authorization);
  return [new URL(origin).host, authorization.token];
}
