import type { Manifest, ManifestContent } from '../image/manifest.ts';
import type { Destination } from './content.ts';
import { toError } from './errors.ts';

/** What became of one destination's tags. */
export type Publication =
  | { readonly state: 'published' | 'unchanged' | 'restored' }
  | { readonly state: 'failed'; readonly error: Error };

interface TagState {
  readonly tag: string;
  readonly before: Manifest | undefined;
}

/**
 * Writes the tags in all destinations at once. When one cannot be written, those already written are put back to what
 * they were: the earlier image, or no tag.
 * @param root the manifest or index that the tags shall point at; every destination holds it already
 * @returns one outcome for each destination, in their order
 */
export async function publish(
  root: ManifestContent,
  tags: readonly string[],
  destinations: readonly Destination[],
): Promise<Publication[]> {
  // What every tag was is known everywhere before the first one is written anywhere.
  const plans = await Promise.allSettled(
    destinations.map((destination) => changesNeeded(root, tags, destination)),
  );
  if (plans.some(({ status }) => status === 'rejected')) {
    return plans.map((plan) => (plan.status === 'rejected' ? failed(plan.reason) : { state: 'restored' }));
  }
  const changes = plans.map((plan) => (plan.status === 'fulfilled' ? plan.value : []));
  const writes = await Promise.all(
    destinations.map((destination, position) => writeTags(root, changes[position] ?? [], destination)),
  );
  if (writes.every(({ error }) => error === undefined)) {
    return changes.map((change) => ({ state: change.length > 0 ? 'published' : 'unchanged' }));
  }
  return Promise.all(
    destinations.map(async (destination, position): Promise<Publication> => {
      const { written, error } = writes[position] ?? { written: [], error: undefined };
      const stuck = await restore(written, destination);
      if (stuck) return failed(stuck);
      return error ? failed(error) : { state: 'restored' };
    }),
  );
}

/** The tags that point elsewhere now; one that is right already is left alone, which immutable tags ask for. */
async function changesNeeded(
  root: ManifestContent,
  tags: readonly string[],
  destination: Destination,
): Promise<TagState[]> {
  const states = await Promise.all(tags.map(async (tag) => ({ tag, before: await destination.tagged(tag) })));
  return states.filter(({ before }) => before?.digest !== root.digest);
}

async function writeTags(
  root: ManifestContent,
  changes: readonly TagState[],
  destination: Destination,
): Promise<{ written: TagState[]; error: Error | undefined }> {
  const outcomes = await Promise.allSettled(changes.map(({ tag }) => destination.writeManifest(tag, root)));
  const refused = outcomes.find((outcome) => outcome.status === 'rejected');
  return {
    written: changes.filter((_, position) => outcomes[position]?.status === 'fulfilled'),
    error: refused && toError(refused.reason),
  };
}

/** Puts tags back; gives an error that says what they show now, if that fails. */
async function restore(written: readonly TagState[], destination: Destination): Promise<Error | undefined> {
  const outcomes = await Promise.allSettled(
    written.map(({ tag, before }) =>
      before ? destination.writeManifest(tag, before) : destination.deleteTag(tag),
    ),
  );
  const stuck = outcomes.flatMap((outcome, position) => {
    const state = written[position];
    return outcome.status === 'rejected' && state
      ? [`${state.tag} shows the new image and could not be put back (${toError(outcome.reason).message})`]
      : [];
  });
  return stuck.length > 0 ? new Error(stuck.join('; ')) : undefined;
}

function failed(reason: unknown): Publication {
  return { state: 'failed', error: toError(reason) };
}
