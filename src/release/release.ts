import type { Digest } from '../image/digest.ts';
import { type Manifest, platformsOf } from '../image/manifest.ts';
import { formatPlatform } from '../image/platform.ts';
import type { Destination, ImageDescription } from './content.ts';
import { copyBelowReleased, copyReleased } from './copies.ts';
import { decide, isChange, type Showing, type TagState, type Verdict } from './decide.ts';
import { toError } from './errors.ts';
import { type ReleasePlan, releasedBy, tagsOf } from './plan.ts';
import { describeAhead, proveShown, type Say } from './prove.ts';
import { type Publication, publish } from './publish.ts';
import type { Replica } from './replicate.ts';
import { supplyOf } from './supply.ts';

/**
 * `published`: its tags show the release. `landed`: it holds the release by digest, and no tag was asked for.
 * `unchanged`: its tags showed what they shall already, or it held the release and no tag was asked for; no tag was
 * written. `held back`: it holds the content, but shows what it showed before, because another destination failed.
 * `failed`: see the error.
 */
export type ResultState = 'published' | 'landed' | 'unchanged' | 'held back' | 'failed';

export interface Result {
  readonly destination: string;
  readonly image: string;
  readonly state: ResultState;
  /**
   * What it shows, or should show: the release, or the earlier image that its tags keep. Where the tags show different ones
   * it is the release if one of them shows that, and what the first one shows otherwise.
   */
  readonly digest: Digest;
  /** What each tag shows there now, as far as that is known. */
  readonly tags: Readonly<Record<string, Digest>>;
  /** What the registry itself says of each tag; not there where it has no API for that, or did not answer. */
  readonly described?: Readonly<Record<string, ImageDescription>>;
  /** Those of that digest; none for a single image that was kept. */
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

/**
 * The digest that the destinations show or should show: the root's, or that of the earlier image that was decided on. Where
 * immutable tags keep destinations from agreeing it is that of most of them.
 * @returns nothing when there are no results
 */
export function releasedDigest(results: readonly Result[]): Digest | undefined {
  const groups = [...Map.groupBy(results, ({ digest }) => digest)];
  const [most] = groups.toSorted(([, one], [, other]) => other.length - one.length);
  return most?.[0];
}

/** Steps that people may want to follow. */
export interface ReleaseLog {
  info(message: string): void;
}

/** A destination on its way: why it cannot go on, if so, and since when, in milliseconds as `Date.now` counts. */
interface Step {
  readonly replica: Replica;
  readonly error: Error | undefined;
  readonly endedAt: number;
  /** What its registry said of the tags beside the reading of them, if it was asked. */
  readonly ahead?: ReadonlyMap<string, ImageDescription> | undefined;
}

/** A destination for whose tags was decided. */
type Judged = Step & Pick<Verdict, 'decided'>;

/** What became of a destination. */
interface Outcome extends Judged {
  readonly state: Publication['state'] | 'held back';
  readonly described?: ReadonlyMap<string, ImageDescription>;
}

/**
 * Replicates the root everywhere. When every destination holds all of it and what all tags show is known, decides what each
 * tag shall show; writes the tags everywhere, reads them back, and says what each destination shows.
 * @returns one result for each destination, in order; failures are results, nothing is thrown for them
 */
export async function release(plan: ReleasePlan, log: ReleaseLog, now = Date.now): Promise<Result[]> {
  const outcomes = await runSteps(plan, log, now);
  // Only for the report: a count that fails must not make a failure of a release.
  const bytes = await plan.countBytes().catch(() => 0);
  return outcomes.map((outcome) => toResult(plan, outcome, bytes));
}

async function runSteps(plan: ReleasePlan, log: ReleaseLog, now: () => number): Promise<Outcome[]> {
  const copies = await copyEverywhere(plan, log, now);
  const judged = decide(plan.root, plan.ifTagExists, copies, plan.beside).map(({ refusal, ...copy }) => ({
    ...copy,
    error: copy.error ?? refusal,
  }));
  if (anyFailed(judged)) return judged.map(stop);
  tellOthers(plan, judged, log);
  const supplied = await supplyEverywhere(plan, judged, now);
  if (anyFailed(supplied)) return supplied.map(stop);

  const publications = await unlessInterrupted(plan, () =>
    publish(
      supplied.map(({ replica, decided }) => ({
        destination: replica.destination,
        changes: decided.filter(isChange),
      })),
    ),
  );
  const written = supplied.map((step, position) => outcomeOf(step, publications[position], now()));
  return anyFailed(written)
    ? written
    : Promise.all(written.map((outcome) => prove(plan, outcome, log.info, now)));
}

/** When it has to end, tags that are being written are broken off, which has all of them put back; that is waited for. */
function unlessInterrupted<T>({ replicas, interruption }: ReleasePlan, write: () => Promise<T>): Promise<T> {
  const { signal } = interruption;
  const breakOff = () => {
    for (const { destination } of replicas) destination.breakOff(toError(signal.reason));
  };
  return interruption.hold(async () => {
    signal.addEventListener('abort', breakOff, { once: true });
    try {
      return await write();
    } finally {
      signal.removeEventListener('abort', breakOff);
    }
  });
}

function anyFailed(steps: readonly Step[]): boolean {
  return steps.some(({ error }) => error);
}

/** Where no tag has to change, a destination shows what it shall, however the others fare. */
function stop(step: Judged): Outcome {
  if (step.error) return { ...step, state: 'failed' };
  return { ...step, state: step.decided.some(isChange) ? 'held back' : 'unchanged' };
}

/** A destination with its copy of the release, and what its tags show. */
type Copy = Step & Showing;

async function copyEverywhere(plan: ReleasePlan, log: ReleaseLog, now: () => number): Promise<Copy[]> {
  const below = plan.replicas.map((replica) => copyBelowReleased(plan, replica));
  const belowEverywhere = Promise.allSettled(below);
  return Promise.all(
    plan.replicas.map((replica, position) =>
      complete(plan, replica, below[position], belowEverywhere, log, now),
    ),
  );
}

/**
 * Copies the root when all below it is there. What the tags show is read when that is so in every region, beside the
 * slowest one's root: it takes no longer, and would be old if it were read before.
 */
async function complete(
  plan: ReleasePlan,
  replica: Replica,
  below: Promise<void> | undefined,
  belowEverywhere: Promise<unknown>,
  log: ReleaseLog,
  now: () => number,
): Promise<Copy> {
  const { destination } = replica;
  const copy = { name: destination.name, replica };
  try {
    await below;
    const reading = belowEverywhere.then(() => readTags(tagsOf(plan), destination));
    const asking = belowEverywhere.then(() => describeAhead(plan, replica));
    // Whether it failed is asked when the copy has ended.
    reading.catch(() => undefined);
    await copyReleased(plan, replica);
    log.info(`${destination.name}: holds ${plan.root.digest}`);
    return { ...copy, tags: await reading, ahead: await asking, error: undefined, endedAt: now() };
  } catch (error) {
    const failure = toError(error);
    log.info(`${destination.name}: failed: ${failure.message}`);
    return { ...copy, tags: [], error: failure, endedAt: now() };
  }
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

/** Says which tags shall show something else than what was to be released. */
function tellOthers(plan: ReleasePlan, judged: readonly Judged[], log: ReleaseLog): void {
  const lines = judged
    .flatMap(({ decided }) => decided)
    .flatMap(({ tag, after }) => {
      const { digest } = plan.beside?.get(tag) ?? plan.root;
      if (after.digest === digest) return [];
      return [
        `the tag "${tag}" shall show ${after.digest}, which exists, rather than ${digest} (if-tag-exists: ${plan.ifTagExists})`,
      ];
    });
  for (const line of new Set(lines)) log.info(line);
}

/** Has every destination hold what its tags shall show. */
async function supplyEverywhere(
  plan: ReleasePlan,
  judged: readonly Judged[],
  now: () => number,
): Promise<Judged[]> {
  const supply = supplyOf(releasedBy(plan), judged, plan.relay);
  return Promise.all(
    judged.map(async (step) => {
      try {
        return (await supply(step)) ? { ...step, endedAt: now() } : step;
      } catch (error) {
        return { ...step, error: toError(error), endedAt: now() };
      }
    }),
  );
}

function outcomeOf(step: Judged, publication: Publication | undefined, endedAt: number): Outcome {
  if (publication?.state === 'failed') return { ...step, ...publication, endedAt };
  return { ...step, state: publication?.state ?? 'unchanged', endedAt };
}

/** Proves what is shown. Where no tag had to be written, the reading that showed so is the proof. */
async function prove(plan: ReleasePlan, outcome: Outcome, say: Say, now: () => number): Promise<Outcome> {
  const { decided, state, replica, ahead } = outcome;
  const read = { isRead: tagsOf(plan).length > 0 && state === 'unchanged', ahead };
  try {
    const described = await proveShown(plan, decided, replica.destination, read, say);
    return { ...outcome, ...(described && { described }), endedAt: now() };
  } catch (error) {
    return { ...outcome, state: 'failed', error: toError(error), endedAt: now() };
  }
}

function toResult(plan: ReleasePlan, outcome: Outcome, bytes: number): Result {
  const { replica, state, error, described, endedAt } = outcome;
  const { destination, sent } = replica;
  const image = imageOf(plan, outcome);
  return {
    destination: destination.name,
    image: destination.image,
    state: stateOf(state, tagsOf(plan), replica.changed),
    digest: image.digest,
    tags: tagsShown(outcome),
    ...(described && { described: Object.fromEntries(described) }),
    platforms: platformsOfImage(plan, image),
    sent,
    // Of a copy that failed nobody knows what is there.
    reused: state === 'failed' ? 0 : Math.max(0, bytes - sent),
    seconds: Math.round((endedAt - plan.startedAt) / 10) / 100,
    ...(error && { error: plan.explain(error, destination) }),
  };
}

function tagsShown({ state, decided }: Outcome): Record<string, Digest> {
  // Of what failed it is the error that tells.
  if (state === 'failed') return {};
  const isBefore = state === 'held back' || state === 'restored';
  return Object.fromEntries(
    decided.flatMap(({ tag, before, after }) => {
      const shown = isBefore ? before : after;
      return shown ? [[tag, shown.digest]] : [];
    }),
  );
}

function imageOf({ root, tags }: ReleasePlan, { decided }: Outcome): Manifest {
  const shown = decided.filter(({ tag }) => tags.includes(tag)).map(({ after }) => after);
  return shown.find(({ digest }) => digest === root.digest) ?? shown[0] ?? root;
}

function platformsOfImage({ root, platforms }: ReleasePlan, image: Manifest): readonly string[] {
  if (image.digest === root.digest) return platforms;
  return image.kind === 'index' ? platformsOf(image).map(formatPlatform) : [];
}

/** Without tags there is nothing to publish or to hold back: then it counts whether anything was written. */
function stateOf(state: Outcome['state'], tags: readonly string[], changed: boolean): ResultState {
  if (state === 'failed') return 'failed';
  if (tags.length === 0) return changed ? 'landed' : 'unchanged';
  return state === 'restored' ? 'held back' : state;
}
