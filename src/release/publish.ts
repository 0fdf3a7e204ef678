import { RegistryError } from '../distribution/errors.ts';
import type { Manifest } from '../image/manifest.ts';
import type { Destination } from './content.ts';
import { toError } from './errors.ts';
import { TagTakenError } from './taken.ts';

/** A tag that has to be written. */
export interface Change {
  readonly tag: string;
  /** What it shows now. */
  readonly before: Manifest | undefined;
  /** What it shall show; the destination holds it already. */
  readonly after: Manifest;
}

/** What has to be written in one destination. */
export interface PublicationPlan {
  readonly destination: Destination;
  /** Writes what a tag shall show; by default it is the destination that does. */
  readonly write?: (tag: string, manifest: Manifest) => Promise<void>;
  readonly changes: readonly Change[];
}

/** What became of one destination's tags. */
export type Publication =
  | { readonly state: 'published' | 'unchanged' | 'restored' }
  | { readonly state: 'failed'; readonly error: Error };

/** A plan that was carried out or taken back, as far as that went. */
interface Attempt {
  readonly plan: PublicationPlan;
  readonly error: Error | undefined;
}

/**
 * Writes the tags in all destinations at once. When one cannot be written, all are put back to what they were: the
 * earlier image, or no tag.
 * @param plans what has to change, decided for all destinations before the first tag is written anywhere
 * @returns one outcome for each destination, in their order
 */
export async function publish(plans: readonly PublicationPlan[]): Promise<Publication[]> {
  const attempts = await Promise.all(plans.map(writeTags));
  if (!attempts.some(({ error }) => error)) return attempts.map((attempt) => outcomeOf(attempt, 'published'));
  const restored = await Promise.all(attempts.map(putBack));
  return restored.map((attempt) => outcomeOf(attempt, 'restored'));
}

async function writeTags(plan: PublicationPlan): Promise<Attempt> {
  const outcomes = await Promise.allSettled(plan.changes.map((change) => writeTag(change, plan)));
  const refused = outcomes.find((outcome) => outcome.status === 'rejected');
  return { plan, error: refused && toError(refused.reason) };
}

/**
 * When a write fails it is asked what the tag shows: the answer to a write that was done may have been lost, and an
 * immutable tag then refuses the retry.
 */
async function writeTag({ tag, after }: Change, { destination, write }: PublicationPlan): Promise<void> {
  try {
    await (write ? write(tag, after) : destination.writeManifest(tag, after));
  } catch (error) {
    const now = await destination.tagged(tag).catch(() => undefined);
    if (now?.digest === after.digest) return;
    // Where nobody may look at the repository's settings, it is the refusal that tells that a tag is immutable.
    const isTaken = error instanceof RegistryError && error.codes.includes('TAG_INVALID');
    if (!isTaken || !now) throw error;
    throw new TagTakenError([{ tag, shown: now.digest, wanted: after.digest, sameImages: false }]);
  }
}

async function putBack({ plan, error }: Attempt): Promise<Attempt> {
  const { destination, changes } = plan;
  const outcomes = await Promise.allSettled(changes.map((change) => undo(change, destination)));
  const stuck = outcomes.flatMap((outcome, position) => {
    const tag = changes[position]?.tag;
    return outcome.status === 'rejected'
      ? [`${tag} may show the new image, for it could not be put back (${toError(outcome.reason).message})`]
      : [];
  });
  if (stuck.length === 0) return { plan, error };
  const message = [...(error ? [error.message] : []), ...stuck].join('; ');
  const reason = outcomes.find((outcome) => outcome.status === 'rejected')?.reason;
  return { plan, error: new Error(message, { cause: error ?? reason }) };
}

/**
 * What the tag shows is asked rather than remembered: a write whose answer was lost may have been done, and a tag that
 * somebody else has moved meanwhile is theirs. A tag that was free is deleted, which an immutable one allows.
 */
async function undo({ tag, before, after }: Change, destination: Destination): Promise<void> {
  const now = await destination.tagged(tag);
  if (now?.digest !== after.digest) return;
  if (before) return destination.writeManifest(tag, before);
  await destination.deleteTag(tag);
  // ECR deletes an image with its last tag; it may have been there, by digest, long before.
  await destination.writeManifest(after.digest, after);
}

/** A destination in which no tag had to change shows what it shall, however the others fare. */
function outcomeOf({ plan, error }: Attempt, state: 'published' | 'restored'): Publication {
  if (error) return { state: 'failed', error };
  return { state: plan.changes.length > 0 ? state : 'unchanged' };
}
