import { RegistryError } from '../distribution/errors.ts';
import type { Digest } from '../image/digest.ts';
import type { Manifest } from '../image/manifest.ts';
import type { Destination } from './content.ts';
import { SeveralError, toError } from './errors.ts';
import type { OnRegionFailure } from './plan.ts';
import { ContradictionError, type Described } from './prove.ts';
import { TagTakenError } from './taken.ts';
import { VerificationError } from './verify.ts';

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
  readonly changes: readonly Change[];
  /** Writes what a tag shall show. */
  readonly write: (tag: string, manifest: Manifest) => Promise<void>;
  /**
   * Reads back what was written, and gives what the registry itself says of it. A VerificationError says that something else is
   * shown.
   */
  readonly prove: () => Promise<Described | undefined>;
}

/** What became of one destination's tags. */
export interface Publication {
  readonly state: 'published' | 'unchanged' | 'restored' | 'failed';
  /** Why it failed. */
  readonly error?: Error;
  /** What those tags show now that had to be written, as far as it is known; a tag may show nothing. */
  readonly shown: ReadonlyMap<string, Digest | undefined>;
  /** Those of which it is not known. */
  readonly uncertain: readonly string[];
  /** What the registry itself says of the tags, where it was asked. */
  readonly described?: Described | undefined;
}

/** A plan that was carried out, as far as that went. */
interface Attempt {
  readonly plan: PublicationPlan;
  readonly error: Error | undefined;
  /** It cannot stay as it is: something was not written, or something else is shown. */
  readonly isWrong: boolean;
  readonly described?: Described | undefined;
}

/**
 * Writes the tags in all destinations at once, and reads them back. Where that went wrong they are put back to what they were:
 * the earlier image, or no tag; with `abort` in all destinations.
 * @param plans what has to change, decided for all destinations before the first tag is written anywhere
 * @returns one outcome for each destination, in their order
 */
export async function publish(
  plans: readonly PublicationPlan[],
  onRegionFailure: OnRegionFailure,
): Promise<Publication[]> {
  const together = onRegionFailure === 'abort';
  const isOff = (attempts: readonly Attempt[]) => together && attempts.some(({ isWrong }) => isWrong);
  const written = await Promise.all(plans.map(writeTags));
  const proven = isOff(written) ? written : await Promise.all(written.map(prove));
  const all = isOff(proven);
  return Promise.all(proven.map((attempt) => (all || attempt.isWrong ? putBack(attempt) : stand(attempt))));
}

async function writeTags(plan: PublicationPlan): Promise<Attempt> {
  const outcomes = await Promise.allSettled(plan.changes.map((change) => writeTag(change, plan)));
  const refused = outcomes.find((outcome) => outcome.status === 'rejected');
  return { plan, error: refused && toError(refused.reason), isWrong: refused !== undefined };
}

async function writeTag({ tag, after }: Change, { destination, write }: PublicationPlan): Promise<void> {
  try {
    await sureOf({ tag, wanted: after, destination }, () => write(tag, after));
  } catch (error) {
    // Where nobody may look at the repository's settings, it is the refusal that tells that a tag is immutable.
    if (!(error instanceof RegistryError) || !error.codes.includes('TAG_INVALID')) throw error;
    const now = await destination.tagged(tag).catch(() => undefined);
    if (!now) throw error;
    throw new TagTakenError([{ tag, shown: now.digest, wanted: after.digest, sameImages: false }]);
  }
}

/**
 * Changes a tag. When that fails it is asked what the tag shows: the answer to a change that was done may have been lost, and
 * an immutable tag then refuses the retry.
 */
async function sureOf(
  { tag, wanted, destination }: { tag: string; wanted: Manifest | undefined; destination: Destination },
  change: () => Promise<void>,
): Promise<void> {
  try {
    await change();
  } catch (error) {
    const isDone = await destination.tagged(tag).then(
      (now) => now?.digest === wanted?.digest,
      () => false,
    );
    if (!isDone) throw error;
  }
}

/** That nobody can look whether it is right does not make it wrong: the registry said that it took it. */
async function prove(attempt: Attempt): Promise<Attempt> {
  if (attempt.error) return attempt;
  try {
    return { ...attempt, described: await attempt.plan.prove() };
  } catch (error) {
    if (error instanceof VerificationError) return { ...attempt, error, isWrong: true };
    // The registry itself shows what it should.
    if (error instanceof ContradictionError) return { ...attempt, error, isWrong: false };
    const { message } = toError(error);
    const unread = new Error(`what it shows could not be read back: ${message}`, { cause: error });
    return { ...attempt, error: unread, isWrong: false };
  }
}

function stand({ plan: { changes }, error, described }: Attempt): Publication {
  const shown = new Map(changes.map(({ tag, after }) => [tag, after.digest]));
  // A contradiction is one because the tags were read back.
  if (error instanceof ContradictionError) return { state: 'failed', error, shown, uncertain: [] };
  if (error) return { state: 'failed', error, shown: new Map(), uncertain: [...shown.keys()] };
  return { state: changes.length > 0 ? 'published' : 'unchanged', shown, uncertain: [], described };
}

async function putBack({ plan: { destination, changes }, error }: Attempt): Promise<Publication> {
  const outcomes = await Promise.allSettled(changes.map((change) => undo(change, destination)));
  const shown = new Map<string, Digest | undefined>();
  const stuck: { readonly tag: string; readonly failure: Error }[] = [];
  for (const [position, { tag }] of changes.entries()) {
    const outcome = outcomes[position];
    if (outcome?.status === 'fulfilled') shown.set(tag, outcome.value);
    else stuck.push({ tag, failure: toError(outcome?.reason) });
  }
  const uncertain = stuck.map(({ tag }) => tag);
  if (stuck.length === 0) {
    // Where no tag had to change, it shows what it shall, however the others fare.
    if (!error) return { state: changes.length > 0 ? 'restored' : 'unchanged', shown, uncertain };
    return { state: 'failed', error, shown, uncertain };
  }
  const each = stuck.map(
    ({ tag, failure }) =>
      new Error(
        `${tag} may show the new image, for it could not be put back (${failure.message}): look what it shows, and set it right by hand or run the job again`,
        { cause: failure },
      ),
  );
  return { state: 'failed', error: new SeveralError(error ? [error, ...each] : each), shown, uncertain };
}

/**
 * What the tag shows is asked rather than remembered: a write whose answer was lost may have been done, and a tag that
 * somebody else has moved meanwhile is theirs. A tag that was free is deleted, which an immutable one allows.
 * @returns what it shows now
 */
async function undo({ tag, before, after }: Change, destination: Destination): Promise<Digest | undefined> {
  const now = await destination.tagged(tag);
  if (now?.digest !== after.digest) return now?.digest;
  if (before) {
    await sureOf({ tag, wanted: before, destination }, () => destination.writeManifest(tag, before));
    return before.digest;
  }
  await sureOf({ tag, wanted: undefined, destination }, () => destination.deleteTag(tag));
  // ECR deletes an image with its last tag; it may have been there, by digest, long before. When it cannot be written again,
  // the tag is right all the same, and the next run copies it.
  await destination.writeManifest(after.digest, after).catch(() => undefined);
  return undefined;
}
