import { describe } from '../image/manifest.ts';
import { MissingContentError } from './content.ts';
import { type Copy, copyEverywhere, type ReleaseLog, type Step } from './copies.ts';
import { decide, isChange, type Showing, type Verdict } from './decide.ts';
import { toError } from './errors.ts';
import { type ReleasePlan, releasedBy, releaseOf, tagsOf } from './plan.ts';
import { proveShown } from './prove.ts';
import { type PublicationPlan, publish } from './publish.ts';
import { limitOf } from './regionTimeout.ts';
import type { Replica } from './replicate.ts';
import { type Outcome, type Result, stopped, toResult } from './result.ts';
import { supplyOf } from './supply.ts';
import { TagsDifferError } from './taken.ts';

/** How the end of a release that has to end goes on, in milliseconds. */
export interface Ending {
  /**
   * How long tags that are being written may take to be written after all: what is broken off may still be done by the
   * registry, a moment after it was looked what the tag shows.
   */
  readonly linger: number;
  /** How long putting them back may take then. What is begun after that is broken off at once, for the release to be told of. */
  readonly grace: number;
}

/** How often what is begun too late is broken off, in milliseconds. */
const TOO_LATE = 500;

/** How long it is waited for the count of a release's bytes, in milliseconds. */
const COUNTING = 10_000;

const ENDING: Ending = { linger: 2_000, grace: 60_000 };

/** A destination for whose tags was decided. */
type Judged = Step & Pick<Showing, 'tags'> & Pick<Verdict, 'decided'>;

/**
 * Replicates the root everywhere. When every destination that goes on holds all of it and what their tags show is known, decides
 * what each tag shall show; writes the tags there, reads them back, and says what each destination shows.
 * @returns one result for each destination, in order; failures are results, nothing is thrown for them
 */
export async function release(
  plan: ReleasePlan,
  log: ReleaseLog,
  now = Date.now,
  ending = ENDING,
): Promise<Result[]> {
  return plan.interruption.hold(async () => {
    const outcomes = await runSteps(plan, log, now, ending);
    const bytes = await count(plan);
    return outcomes.map((outcome) => toResult(plan, outcome, bytes));
  });
}

/** Only for the report: neither a count that fails nor one that takes its time makes a failure of a release. */
async function count({ countBytes, interruption }: ReleasePlan): Promise<number> {
  const signal = AbortSignal.any([interruption.signal, AbortSignal.timeout(COUNTING)]);
  const over = Promise.withResolvers<number>();
  const end = () => over.resolve(0);
  if (signal.aborted) end();
  signal.addEventListener('abort', end, { once: true });
  return Promise.race([countBytes().catch(() => 0), over.promise]);
}

async function runSteps(
  plan: ReleasePlan,
  log: ReleaseLog,
  now: () => number,
  ending: Ending,
): Promise<Outcome[]> {
  const judged = judge(plan, await copyEverywhere(plan, log, now));
  const ready = goingOn(plan, judged);
  tellOthers(plan, ready, log);
  const { supplied, published } = await brokenOff(plan, ending, async () => {
    const supplied = await supplyEverywhere(plan, ready, judged, now);
    return { supplied, published: await publishEverywhere(plan, goingOn(plan, supplied), log, now) };
  });
  // What each destination has come to is what was last said of it.
  const latest = new Map<Replica, Outcome>(
    [...judged, ...supplied].map((step) => [step.replica, stopped(step)]),
  );
  for (const outcome of published) latest.set(outcome.replica, outcome);
  return [...latest.values()];
}

function judge(plan: ReleasePlan, copies: readonly Copy[]): Judged[] {
  return decide(plan, copies).map(({ refusal, ...copy }) => ({
    ...copy,
    error: copy.error ?? refusal,
  }));
}

/**
 * The destinations that go on. Those that failed never do; with `abort`, or when the release has to end, none does when one has
 * failed. A tag that is kept has to show the same everywhere: where it does not, there is nothing to go on with.
 */
function goingOn(
  { onRegionFailure, interruption: { signal } }: ReleasePlan,
  steps: readonly Judged[],
): readonly Judged[] {
  const isTogether =
    onRegionFailure === 'abort' ||
    signal.aborted ||
    steps.some(({ error }) => error instanceof TagsDifferError);
  const going = steps.filter(({ error }) => !error);
  return isTogether && going.length < steps.length ? [] : going;
}

/** Says which tags shall show something else than what was to be released. */
function tellOthers(plan: ReleasePlan, judged: readonly Judged[], log: ReleaseLog): void {
  const lines = judged
    .flatMap(({ decided }) => decided)
    .flatMap(({ tag, after }) => {
      const { digest } = releaseOf(plan, tag);
      if (after.digest === digest) return [];
      return [
        `the tag "${tag}" shall show ${after.digest}, which exists, rather than ${digest} (if-tag-exists: ${plan.ifTagExists})`,
      ];
    });
  for (const line of new Set(lines)) log.info(line);
}

/**
 * Has every destination that goes on hold what its tags shall show.
 * @param judged all destinations: one that does not go on may be the only one that holds it
 */
async function supplyEverywhere(
  plan: ReleasePlan,
  ready: readonly Judged[],
  judged: readonly Judged[],
  now: () => number,
): Promise<Judged[]> {
  const supply = supplyOf(releasedBy(plan), judged, plan.relay);
  const supplied = await Promise.all(
    ready.map(async (step) => {
      const limit = limitOf(plan, step.replica);
      try {
        return (await limit.race(supply(step))) ? { ...step, endedAt: now() } : step;
      } catch (error) {
        return { ...step, error: toError(error), endedAt: now() };
      } finally {
        limit.clear();
      }
    }),
  );
  const { signal } = plan.interruption;
  // No tag is written when the release has to end already.
  return signal.aborted
    ? supplied.map((step) => ({ ...step, error: step.error ?? toError(signal.reason) }))
    : supplied;
}

async function publishEverywhere(
  plan: ReleasePlan,
  steps: readonly Judged[],
  log: ReleaseLog,
  now: () => number,
): Promise<Outcome[]> {
  const publications = await publish(
    steps.map((step) => publicationOf(plan, step, log)),
    plan.onRegionFailure,
  );
  return steps.flatMap((step, position) => {
    const publication = publications[position];
    if (!publication) return [];
    const { state, error = step.error } = publication;
    return [{ ...step, state, error, publication, endedAt: now() }];
  });
}

function publicationOf(plan: ReleasePlan, step: Judged, log: ReleaseLog): PublicationPlan {
  const { replica, decided, ahead } = step;
  const { destination } = replica;
  const changes = decided.filter(isChange);
  // Where no tag has to be written, the reading that showed so is the proof.
  const read = { isRead: changes.length === 0 && tagsOf(plan).length > 0, ahead };
  const prove = () => proveShown(plan, decided, destination, read, log.info);
  return {
    destination,
    changes,
    write: (tag, manifest) => replica.write(tag, manifest),
    prove: () => prove().catch((error: unknown) => giveRoot(plan, replica, error).then(prove)),
  };
}

/**
 * Gives a destination the root that is not there to be read back, though the destination said that it is.
 * @throws the failure, if it is another
 */
async function giveRoot({ root }: ReleasePlan, replica: Replica, failure: unknown): Promise<void> {
  if (!(failure instanceof MissingContentError)) throw failure;
  await replica.repair(describe(root));
}

/**
 * When the release has to end, what is under way is broken off, which has tags put back that are being written; where that
 * takes too long, it is broken off, too.
 */
async function brokenOff<T>(
  { replicas, interruption: { signal } }: ReleasePlan,
  { linger, grace }: Ending,
  work: () => Promise<T>,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const after = (time: number, then: () => void) => {
    timer = setTimeout(then, time);
  };
  const breakOff = () => {
    for (const { destination } of replicas) destination.breakOff(toError(signal.reason));
  };
  // Whatever is broken off may be followed by something else, such as a look at what a tag shows.
  const breakOffAll = () => {
    breakOff();
    after(TOO_LATE, breakOffAll);
  };
  const end = () =>
    after(linger, () => {
      breakOff();
      after(grace, breakOffAll);
    });
  // It may have had to end while the last destination got the root.
  if (signal.aborted) end();
  signal.addEventListener('abort', end, { once: true });
  try {
    return await work();
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
  }
}
