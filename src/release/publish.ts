import type { Manifest, ManifestContent } from '../image/manifest.ts';
import type { Destination } from './content.ts';
import { toError } from './errors.ts';

/** What became of one destination's tags. */
export type Publication =
  | { readonly state: 'published' | 'unchanged' | 'restored' }
  | { readonly state: 'failed'; readonly error: Error };

/** A tag that does not point at the release, and what it points at instead. */
interface Change {
  readonly tag: string;
  readonly before: Manifest | undefined;
}

/** One destination on its way from what it shows to what it shall show. */
export interface Attempt {
  readonly destination: Destination;
  readonly changes: readonly Change[];
  readonly error?: Error;
}

/**
 * Reads what the tags show. Those that point elsewhere have to change; one that is right already is left alone, which
 * immutable tags ask for.
 * @returns never throws: what cannot be read is the attempt's error
 */
export async function planChanges(
  root: ManifestContent,
  tags: readonly string[],
  destination: Destination,
): Promise<Attempt> {
  try {
    const states = await Promise.all(
      tags.map(async (tag) => ({ tag, before: await destination.tagged(tag) })),
    );
    return { destination, changes: states.filter(({ before }) => before?.digest !== root.digest) };
  } catch (error) {
    return { destination, changes: [], error: toError(error) };
  }
}

/**
 * Writes the tags in all destinations at once. When one cannot be written, all are put back to what they were: the
 * earlier image, or no tag.
 * @param root the manifest or index that the tags shall point at; every destination holds it already
 * @param plans what has to change, read everywhere before the first tag is written anywhere
 * @returns one outcome for each destination, in their order
 */
export async function publish(root: ManifestContent, plans: readonly Attempt[]): Promise<Publication[]> {
  if (plans.some(({ error }) => error)) return plans.map((plan) => outcomeOf(plan, 'restored'));
  const attempts = await Promise.all(plans.map((plan) => writeTags(root, plan)));
  if (!attempts.some(({ error }) => error)) return attempts.map((attempt) => outcomeOf(attempt, 'published'));
  const restored = await Promise.all(attempts.map((attempt) => putBack(root, attempt)));
  return restored.map((attempt) => outcomeOf(attempt, 'restored'));
}

async function writeTags(root: ManifestContent, { destination, changes }: Attempt): Promise<Attempt> {
  const outcomes = await Promise.allSettled(changes.map(({ tag }) => writeTag(root, tag, destination)));
  const refused = outcomes.find((outcome) => outcome.status === 'rejected');
  return { destination, changes, ...(refused && { error: toError(refused.reason) }) };
}

/**
 * When a write fails it is asked what the tag shows: the answer to a write that was done may have been lost, and an
 * immutable tag then refuses the retry.
 */
async function writeTag(root: ManifestContent, tag: string, destination: Destination): Promise<void> {
  try {
    await destination.writeManifest(tag, root);
  } catch (error) {
    const now = await destination.tagged(tag).catch(() => undefined);
    if (now?.digest !== root.digest) throw error;
  }
}

async function putBack(root: ManifestContent, { destination, changes, error }: Attempt): Promise<Attempt> {
  const outcomes = await Promise.allSettled(changes.map((change) => undo(root, change, destination)));
  const stuck = outcomes.flatMap((outcome, position) => {
    const tag = changes[position]?.tag;
    return outcome.status === 'rejected'
      ? [`${tag} may show the new image, for it could not be put back (${toError(outcome.reason).message})`]
      : [];
  });
  if (stuck.length === 0) return { destination, changes, ...(error && { error }) };
  return { destination, changes, error: new Error([...(error ? [error.message] : []), ...stuck].join('; ')) };
}

/**
 * What the tag shows is asked rather than remembered: a write whose answer was lost may have been done, and a tag that
 * somebody else has moved meanwhile is theirs.
 */
async function undo(root: ManifestContent, { tag, before }: Change, destination: Destination): Promise<void> {
  const now = await destination.tagged(tag);
  if (now?.digest !== root.digest) return;
  if (before) return destination.writeManifest(tag, before);
  await destination.deleteTag(tag);
  // ECR deletes an image with its last tag; it may have been there, by digest, long before.
  await destination.writeManifest(root.digest, root);
}

/** A destination in which no tag had to change shows the release, however the others fare. */
function outcomeOf({ changes, error }: Attempt, state: 'published' | 'restored'): Publication {
  if (error) return { state: 'failed', error };
  return { state: changes.length > 0 ? state : 'unchanged' };
}
