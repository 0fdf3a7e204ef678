import type { Repository } from '../distribution/repository.ts';
import type { Digest } from '../image/digest.ts';
import { type DestinationOptions, repositoryDestination } from '../release/registry.ts';
import type { EcrApi, RepositoryId } from './api.ts';
import { batched } from './batch.ts';
import { connectOnce } from './connectAhead.ts';
import { tagDescriptions } from './descriptions.ts';
import { ecrRefusals } from './manifestRules.ts';
import type { Pacer } from './pacing.ts';
import type { PrivatePlace } from './places.ts';
import {
  callerIn,
  type PrivateRegistries,
  registryOrigin,
  registryOriginAhead,
  repositoryAt,
} from './privateRegistries.ts';
import { lookAt, prepare, tagRuleIn } from './repositoryState.ts';
import { settledWrites } from './settling.ts';
import type { EcrCollaborators, EcrTarget, OpenDestination } from './target.ts';

/** The most digests that one BatchCheckLayerAvailability takes. */
const AVAILABILITY_BATCH = 100;
/** How long the first question waits for others to share its call, in milliseconds. */
const AVAILABILITY_WAIT = 5;

/** A repository of a private registry, with all that is known of it. */
interface Opened {
  readonly id: RepositoryId;
  readonly api: EcrApi;
  readonly pacer: Pacer;
  readonly repository: Repository;
}

/**
 * Opens a repository of a private registry: asks for a token, finds the registry's address, and looks whether the repository
 * is there, or may be created.
 * @throws Problems
 */
export async function openPrivate(
  place: PrivatePlace,
  name: string,
  target: EcrTarget,
  registries: PrivateRegistries,
  collaborators: EcrCollaborators,
): Promise<OpenDestination> {
  const { api, token } = registries.access(place);
  const connect = connectOnce(collaborators.transport, target.places.length);
  // Where the registry answers is known long before its own region has given a token: the account is named, or a role's, or the
  // nearest region's token has told it.
  const connectAhead = (account?: string) => connect(registryOriginAhead(place, account, target));
  connectAhead(place.account);
  if (!place.account) void registries.caller.then(connectAhead);
  const id = { name: place.repository, account: place.account };
  const [authorization, state, mounts] = await Promise.all([
    token.current(),
    lookAt(api, id, name, target),
    target.mountFrom.length > 0 && api.allowsMounting().catch(() => false),
  ]);
  const caller = callerIn(authorization);
  const account = place.account ?? caller ?? state.found?.registryId;
  // What the caller's account allows says nothing of another one's.
  const isTheirs = caller !== undefined && caller !== account;
  const origin = registryOrigin(place, account, target, authorization);
  connect(origin);
  const pacer = registries.pacer(account, place.region);
  const repository = repositoryAt(origin, place, name, token, pacer, collaborators);
  const opened: Opened = { id, api, pacer, repository };
  return {
    // One address may stand before the registries of several regions and accounts.
    identity: [account, place.region, place.repository].join('/'),
    destination: repositoryDestination({
      name,
      image: `${new URL(origin).host}/${place.repository}`,
      ...operations(opened, mounts && !isTheirs ? target.mountFrom : [], collaborators),
      refusals: ecrRefusals,
      tagRule: tagRuleIn(state, target),
    }),
    createIfMissing: () =>
      prepare(
        { ...opened, place: { account, region: place.region }, state },
        name,
        target,
        collaborators.log,
      ),
  };
}

/** What ECR does otherwise, or better, than a registry by the book. */
function operations(
  { id, api, pacer, repository }: Opened,
  mountFrom: readonly string[],
  { patience }: EcrCollaborators,
): Omit<DestinationOptions, 'name' | 'image'> {
  const layersOf = (name: string) => availability(api, { ...id, name }, pacer);
  const ours = layersOf(id.name);
  // Where the API does not answer, the registry is asked for each: under the same quota, if it was that.
  const statBlob = (digest: Digest) =>
    ours(digest).catch((error: Error) => {
      if (error.name.startsWith('Throttling')) pacer.refused(['BatchCheckLayerAvailability'], undefined);
      return repository.statBlob(digest);
    });
  const others = mountFrom
    .filter((name) => name !== id.name)
    .map((name) => ({ name, holds: layersOf(name) }));
  const holderOf = async (digest: Digest) => {
    const holders = await Promise.all(
      others.map(({ name, holds }) =>
        holds(digest).then(
          (size) => (size === undefined ? [] : [name]),
          () => [],
        ),
      ),
    );
    return holders.flat()[0];
  };
  return {
    repository,
    statBlob,
    deleteTag: (tag, signal) => api.deleteTag(id, tag, signal),
    describeTags: tagDescriptions((tags, signal) => api.describeTags(id, tags, signal), patience),
    writeBlob: async (descriptor, open) =>
      repository.writeBlob(descriptor, open, await holderOf(descriptor.digest)),
    writeManifest: settledWrites(repository, statBlob, patience),
  };
}

/** Asks for many layers in one call. */
function availability(
  api: EcrApi,
  id: RepositoryId,
  pacer: Pacer,
): (digest: Digest) => Promise<number | undefined> {
  return batched<Digest, number>(
    async (digests) => {
      await pacer.take(['BatchCheckLayerAvailability']);
      return api.availableLayers(id, digests);
    },
    AVAILABILITY_BATCH,
    AVAILABILITY_WAIT,
  );
}
