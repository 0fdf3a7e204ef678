import type { Digest } from '../image/digest.ts';
import { describe, type Manifest } from '../image/manifest.ts';
import type { Destination } from './content.ts';
import { toError } from './errors.ts';
import { type Attempt, type Publication, planChanges, publish } from './publish.ts';
import type { Replica } from './replicate.ts';
import { verify } from './verify.ts';

/** What shall be shown, where, and under which names. */
export interface ReleasePlan {
  /** The manifest or index at the top. */
  readonly root: Manifest;
  /** Its platforms in normal form. */
  readonly platforms: readonly string[];
  /** None publishes by digest alone. */
  readonly tags: readonly string[];
  /** Counts the bytes of all blobs below the root; asked when the copies have ended. */
  readonly countBytes: () => Promise<number>;
  /** One for each destination; they may have begun to copy already. */
  readonly replicas: readonly Replica[];
  /** Words a destination's failure for the user. */
  readonly explain: (error: Error, destination: Destination) => string;
  /** When the work began, in milliseconds as `Date.now` counts. */
  readonly startedAt: number;
}

/**
 * `published`: its tags show the release. `landed`: it holds the release by digest, and no tag was asked for.
 * `unchanged`: it showed or held the release already, and nothing was written. `held back`: it holds the
 * content, but shows what it showed before, because another destination failed. `failed`: see the error.
 */
export type ResultState = 'published' | 'landed' | 'unchanged' | 'held back' | 'failed';

export interface Result {
  readonly destination: string;
  readonly image: string;
  readonly state: ResultState;
  readonly digest: Digest;
  readonly platforms: readonly string[];
  /** Bytes of blobs that were uploaded. */
  readonly sent: number;
  /** Bytes of blobs that were there already. */
  readonly reused: number;
  readonly seconds: number;
  readonly error?: string;
}

/** Whether all that was asked for a destination is so now. */
export function isDone({ state }: Result): boolean {
  return state === 'published' || state === 'landed' || state === 'unchanged';
}

/** Steps that people may want to follow. */
export interface ReleaseLog {
  info(message: string): void;
}

/** What became of a destination, and when, in milliseconds as `Date.now` counts. */
interface Outcome {
  readonly state: Publication['state'] | 'held back';
  readonly error?: Error;
  readonly endedAt: number;
}

/**
 * Replicates the root everywhere, and only when every destination holds all of it writes the tags everywhere, reads
 * them back, and says what each destination shows.
 * @returns one result for each destination, in order; failures are results, nothing is thrown for them
 */
export async function release(plan: ReleasePlan, log: ReleaseLog, now = Date.now): Promise<Result[]> {
  const outcomes = await runSteps(plan, log, now);
  // Only for the report: a count that fails must not make a failure of a release.
  const bytes = await plan.countBytes().catch(() => 0);
  return plan.replicas.flatMap((replica, position) => {
    const outcome = outcomes[position];
    return outcome ? [toResult(plan, replica, outcome, bytes)] : [];
  });
}

async function runSteps(plan: ReleasePlan, log: ReleaseLog, now: () => number): Promise<Outcome[]> {
  const below = plan.replicas.map((replica) => prepare(plan, replica));
  const belowEverywhere = Promise.allSettled(below);
  const copies = await Promise.all(
    plan.replicas.map((replica, position) =>
      complete(plan, replica, below[position], belowEverywhere, log, now),
    ),
  );
  if (copies.some(({ state }) => state === 'failed')) return copies;

  const publications = await publish(
    plan.root,
    copies.flatMap(({ tags }) => tags ?? []),
  );
  if (publications.some(({ state }) => state === 'failed')) {
    return publications.map((publication) => ({ ...publication, endedAt: now() }));
  }
  return Promise.all(
    plan.replicas.map(({ destination }, position) =>
      prove(plan, destination, publications[position]?.state ?? 'unchanged', now),
    ),
  );
}

/** A destination that holds the release, and what its tags show. */
interface Copy extends Outcome {
  readonly tags?: Attempt;
}

async function prepare({ root }: ReleasePlan, replica: Replica): Promise<void> {
  replica.ask(root);
  await replica.copyBelow(describe(root));
}

/**
 * Copies the root when all below it is there. What the tags show is read when that is so in every region, beside the
 * slowest one's root: it takes no longer, and would be old if it were read before.
 */
async function complete(
  { root, tags }: ReleasePlan,
  replica: Replica,
  below: Promise<void> | undefined,
  belowEverywhere: Promise<unknown>,
  log: ReleaseLog,
  now: () => number,
): Promise<Copy> {
  const { destination } = replica;
  try {
    await below;
    const [attempt] = await Promise.all([
      belowEverywhere.then(() => planChanges(root, tags, destination)),
      replica.copy(describe(root)),
    ]);
    log.info(`${destination.name}: holds ${root.digest}`);
    return { state: 'held back', tags: attempt, endedAt: now() };
  } catch (error) {
    const failure = toError(error);
    log.info(`${destination.name}: failed: ${failure.message}`);
    return { state: 'failed', error: failure, endedAt: now() };
  }
}

/** Reads back what was written. Where no tag had to be, the reading that showed so is the proof. */
async function prove(
  { root, tags, platforms }: ReleasePlan,
  destination: Destination,
  state: Publication['state'],
  now: () => number,
): Promise<Outcome> {
  try {
    if (tags.length === 0 || state !== 'unchanged') await verify(root, tags, platforms, destination);
    return { state, endedAt: now() };
  } catch (error) {
    return { state: 'failed', error: toError(error), endedAt: now() };
  }
}

function toResult(plan: ReleasePlan, replica: Replica, outcome: Outcome, bytes: number): Result {
  const { destination, sent } = replica;
  return {
    destination: destination.name,
    image: destination.image,
    state: stateOf(outcome.state, plan.tags, replica.changed),
    digest: plan.root.digest,
    platforms: plan.platforms,
    sent,
    // Of a copy that failed nobody knows what is there.
    reused: outcome.state === 'failed' ? 0 : Math.max(0, bytes - sent),
    seconds: Math.round((outcome.endedAt - plan.startedAt) / 10) / 100,
    ...(outcome.error && { error: plan.explain(outcome.error, destination) }),
  };
}

/** Without tags there is nothing to publish or to hold back: then it counts whether anything was written. */
function stateOf(state: Outcome['state'], tags: readonly string[], changed: boolean): ResultState {
  if (state === 'failed') return 'failed';
  if (tags.length === 0) return changed ? 'landed' : 'unchanged';
  return state === 'restored' ? 'held back' : state;
}
