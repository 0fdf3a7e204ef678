import type { Digest } from '../image/digest.ts';
import { describe } from '../image/manifest.ts';
import type { Destination } from './content.ts';
import type { Showing, TagState } from './decide.ts';
import { toError } from './errors.ts';
import { type ReleasePlan, releasedBy, tagsOf } from './plan.ts';
import { type Described, describeAhead } from './prove.ts';
import { type Limit, LOOK, limitOf, look } from './regionTimeout.ts';
import { allSettledOrThrow, type Replica } from './replicate.ts';

/** Steps that people may want to follow. */
export interface ReleaseLog {
  info(message: string): void;
}

/** A destination on its way: why it cannot go on, if so, and since when, in milliseconds as `Date.now` counts. */
export interface Step {
  readonly replica: Replica;
  readonly error: Error | undefined;
  readonly endedAt: number;
  /** What its registry says of the tags, if it was asked beside the reading of them; it never fails. */
  readonly ahead?: Promise<Described | undefined>;
  /** What the tags show of one that failed, to be told of it: nothing is decided by them. */
  readonly seen?: readonly TagState[];
}

/** A destination with its copy of the release, and what its tags show. */
export type Copy = Step & Showing;

/** A destination that is being copied to, and the time that it has. */
interface Copying {
  readonly replica: Replica;
  readonly limit: Limit;
  /** All below the root. */
  readonly below: Promise<void>;
}

/**
 * Copies the release to all destinations, and reads what their tags show.
 * @returns one for each, in order; failures are among them, nothing is thrown for them
 */
export async function copyEverywhere(plan: ReleasePlan, log: ReleaseLog, now: () => number): Promise<Copy[]> {
  const copying = plan.replicas.map((replica): Copying => {
    const limit = limitOf(plan, replica);
    return { replica, limit, below: limit.race(copyBelowReleased(plan, replica)) };
  });
  const belowEverywhere = Promise.allSettled(copying.map(({ below }) => below));
  return Promise.all(copying.map((each) => complete(plan, each, belowEverywhere, log, now)));
}

/**
 * Copies the root when all below it is there. What the tags show is read when that is so in every region, beside the
 * slowest one's root: it takes no longer, and would be old if it were read before.
 */
async function complete(
  plan: ReleasePlan,
  { replica, limit, below }: Copying,
  belowEverywhere: Promise<unknown>,
  log: ReleaseLog,
  now: () => number,
): Promise<Copy> {
  const { destination } = replica;
  const copy = { name: destination.name, replica };
  try {
    await below;
    // Its time does not go by while it waits for others.
    const reading = belowEverywhere.then(async () => {
      const ahead = describeAhead(plan, replica);
      const tags = await look(plan, replica, () => readTags(tagsOf(plan), destination));
      return { tags, ahead };
    });
    // Whether it failed is asked when the copy has ended.
    reading.catch(() => undefined);
    await limit.race(copyReleased(plan, replica));
    limit.clear();
    log.info(`${destination.name}: holds ${plan.root.digest}`);
    return { ...copy, ...(await reading), error: undefined, endedAt: now() };
  } catch (error) {
    const failure = toError(error);
    log.info(`${destination.name}: failed: ${failure.message}`);
    const endedAt = now();
    const soon = { ...plan, regionTimeout: LOOK };
    const seen = await look(soon, replica, () => readTags(tagsOf(plan), destination)).catch(() => []);
    return { ...copy, tags: [], seen, error: failure, endedAt };
  } finally {
    limit.clear();
  }
}

/**
 * Copies all that stands below what is released. All manifests are looked at before the first upload.
 * @throws ManifestRefusedError when the destination would not take one of them
 */
async function copyBelowReleased(plan: ReleasePlan, replica: Replica): Promise<void> {
  const released = releasedBy(plan);
  for (const manifest of released) replica.ask(manifest);
  await replica.examine(released.map(describe));
  await allSettledOrThrow(released.map((manifest) => replica.copyBelow(describe(manifest))));
}

/** Copies what is released itself. What refers to another manifest comes after it, as a registry may want it. */
async function copyReleased(plan: ReleasePlan, replica: Replica): Promise<void> {
  const copies = new Map<Digest, Promise<void>>();
  for (const manifest of releasedBy(plan)) {
    const subject = manifest.subject && copies.get(manifest.subject.digest);
    const copy = () => replica.copy(describe(manifest));
    copies.set(manifest.digest, subject ? subject.then(copy) : copy());
  }
  await allSettledOrThrow([...copies.values()]);
}

function readTags(tags: readonly string[], destination: Destination): Promise<TagState[]> {
  return Promise.all(
    tags.map(async (tag) => ({
      tag,
      shown: await destination.tagged(tag),
      rule: destination.tagRule(tag),
    })),
  );
}
