import { tokenAuthorizer } from '../distribution/auth.ts';
import { Repository } from '../distribution/repository.ts';
import { type RetryPolicy, retryLine } from '../distribution/retry.ts';
import { createSession } from '../distribution/session.ts';
import type { Transport } from '../distribution/transport.ts';
import type { Digest } from '../image/digest.ts';
import { allOrProblems, Problems } from '../problems.ts';
import type { Destination } from '../release/content.ts';
import { repositoryDestination } from '../release/registry.ts';
import type { Authorization, EcrApi } from './api.ts';
import { batched } from './batch.ts';
import { explainFailure } from './explain.ts';
import { accountInHost, registryHost } from './regions.ts';
import { RegionToken } from './token.ts';

/** The most digests that one BatchCheckLayerAvailability takes. */
const AVAILABILITY_BATCH = 100;
/** How long the first question waits for others to share its call, in milliseconds. */
const AVAILABILITY_WAIT = 5;

/** Which repositories of which registries are meant. */
export interface EcrTarget {
  readonly repository: string;
  readonly regions: readonly string[];
  /** By default the account that the credentials belong to. */
  readonly account: string | undefined;
  /** The registries' own address, a URL with `{account}` and `{region}`. */
  readonly registryEndpoint: string | undefined;
  /** Whether the API's address was overridden, so that its answers also say where the registry is. */
  readonly apiOverridden: boolean;
  readonly createRepository: boolean;
}

export interface EcrCollaborators {
  readonly transport: Transport;
  readonly retry: RetryPolicy;
  createApi(region: string): EcrApi;
  /** Told of every token before it is used. */
  mask(secret: string): void;
  readonly log: { info(message: string): void };
}

/** The repository in every region, not yet pushed to. */
export interface OpenDestinations {
  /** One a region, in their order. */
  readonly destinations: readonly Destination[];
  /**
   * Creates the repository where it is missing, if that was asked for: the first thing that changes anything, and so
   * done only when nothing else keeps the push from succeeding.
   * @throws Problems
   */
  createMissing(): Promise<void>;
}

/**
 * Opens the repository in every region, side by side: asks for a token, finds the registry's address, and looks whether
 * the repository is there, or may be created.
 * @throws Problems with all that would keep the push from succeeding in any region
 */
export async function openDestinations(
  target: EcrTarget,
  collaborators: EcrCollaborators,
): Promise<OpenDestinations> {
  const explain = (error: unknown, position: number) =>
    explainFailure(error, target.regions[position] ?? '', target.repository);
  const opened = await allOrProblems(
    target.regions.map((region) => openDestination(region, target, collaborators)),
    explain,
  );
  return {
    destinations: opened.map(({ destination }) => destination),
    createMissing: async () => {
      await allOrProblems(
        opened.map(({ createIfMissing }) => createIfMissing()),
        explain,
      );
    },
  };
}

/** One destination, and what has to be done before anything can be pushed to it. */
interface OpenDestination {
  readonly destination: Destination;
  readonly createIfMissing: () => Promise<void>;
}

async function openDestination(
  region: string,
  target: EcrTarget,
  { transport, retry, createApi, mask, log }: EcrCollaborators,
): Promise<OpenDestination> {
  const api = createApi(region);
  const token = new RegionToken(api, mask);
  const [authorization, exists] = await Promise.all([token.current(), repositoryExists(api, region, target)]);
  const origin = registryOrigin(region, target, authorization);
  // Farther regions are still being asked for their tokens: the first connection can be there when they have answered.
  transport.prepare(new URL(origin));
  const repository = new Repository({
    origin,
    name: target.repository,
    session: createSession(
      origin,
      transport,
      tokenAuthorizer((refused) => token.header(refused)),
    ),
    retry,
    onRetry: (error, pause) => log.info(retryLine(region, error, pause)),
  });
  const destination = repositoryDestination({
    name: region,
    image: `${new URL(origin).host}/${target.repository}`,
    repository,
    statBlob: statByApi(api, target, repository),
    deleteTag: (tag) => api.deleteTag(target.repository, target.account, tag),
  });
  const createIfMissing = async () => {
    if (exists) return;
    const created = await api.createRepository(target.repository, target.account);
    if (created) log.info(`${region}: created the repository ${target.repository}`);
  };
  return { destination, createIfMissing };
}

/** Where the registry answers; the API's word counts only when the API itself is not AWS's. */
function registryOrigin(region: string, target: EcrTarget, { proxyEndpoint }: Authorization): string {
  const proxy = new URL(proxyEndpoint);
  const account = target.account ?? accountInHost(proxy.host);
  if (target.registryEndpoint) {
    if (!account && target.registryEndpoint.includes('{account}')) {
      throw new Problems([
        'input "registry-endpoint" has {account}, but the account is not known: set "account-id"',
      ]);
    }
    const filled = target.registryEndpoint
      .replaceAll('{account}', account ?? '')
      .replaceAll('{region}', region);
    return new URL(filled).origin;
  }
  if (target.apiOverridden) {
    // The token is the caller's, whose account its address names where it names one.
    if (target.account) proxy.host = proxy.host.replace(/^\d{12}(?=\.dkr)/, target.account);
    return proxy.origin;
  }
  if (!account) throw new Error(`the registry's address "${proxy.host}" names no account: set "account-id"`);
  return `https://${registryHost(account, region)}`;
}

/** @throws Problems when it is missing and may not be created */
async function repositoryExists(
  api: EcrApi,
  region: string,
  { repository, account, createRepository }: EcrTarget,
): Promise<boolean> {
  const exists = await api.repositoryExists(repository, account).catch((error: Error) => {
    // A role for pushing need not be allowed to look: then the push itself will tell.
    if (error.name === 'AccessDeniedException' && !createRepository) return true;
    throw error;
  });
  if (!exists && !createRepository) {
    throw new Problems([
      `${region}: the repository "${repository}" does not exist: create it there, or set "create-repository: true"`,
    ]);
  }
  return exists;
}

/** Asks for many layers in one call; where the API does not answer, the registry is asked for each. */
function statByApi(
  api: EcrApi,
  { repository: name, account }: EcrTarget,
  repository: Repository,
): (digest: Digest) => Promise<number | undefined> {
  const stat = batched<Digest, number>(
    (digests) => api.availableLayers(name, account, digests),
    AVAILABILITY_BATCH,
    AVAILABILITY_WAIT,
  );
  return (digest) => stat(digest).catch(() => repository.statBlob(digest));
}
