import type { Digest } from '../image/digest.ts';
import { type Manifest, platformsOf } from '../image/manifest.ts';
import { formatPlatform } from '../image/platform.ts';
import type { Destination, ImageDescription } from './content.ts';
import type { Step } from './copies.ts';
import { type DecidedTag, isChange, type Showing, type TagState } from './decide.ts';
import { type ReleasePlan, tagsOf } from './plan.ts';
import type { Publication } from './publish.ts';
import type { Replica } from './replicate.ts';

/**
 * `published`: its tags show the release. `landed`: it holds the release by digest, and no tag was asked for.
 * `unchanged`: its tags showed what they shall already, or it held the release and no tag was asked for; no tag was
 * written. `held back`: it holds the content, but shows what it showed before, because another destination failed.
 * `failed`: see the error. `not pushed`: nothing was sent there, nor was to be; it would have been published.
 */
export type ResultState = 'published' | 'landed' | 'unchanged' | 'held back' | 'failed' | 'not pushed';

export interface Result {
  readonly destination: string;
  readonly image: string;
  readonly state: ResultState;
  /**
   * What it shows, or should show: the release, or the earlier image that its tags keep. Where the tags show different ones
   * it is the release if one of them shows that, and what the first one shows otherwise.
   */
  readonly digest: Digest;
  /** What each tag shows there now, as far as that is known; where nothing was pushed, what it would show. */
  readonly tags: Readonly<Record<string, Digest>>;
  /** What the registry itself says of each tag; not there where it has no API for that, or did not answer. */
  readonly described?: Readonly<Record<string, ImageDescription>>;
  /** Tags that may show the release, or what they showed before: nobody could look; absent where there are none. */
  readonly uncertain?: readonly string[];
  /** Tags of which nobody has read what they show, and which were not changed; absent where there are none. */
  readonly unread?: readonly string[];
  /** Tags that somebody else has changed meanwhile, and which were left alone; absent where there are none. */
  readonly taken?: readonly string[];
  /** Those of that digest; none for a single image that was kept. */
  readonly platforms: readonly string[];
  /** Bytes of blobs that were uploaded. */
  readonly sent: number;
  /** Bytes of blobs that were there already. */
  readonly reused: number;
  readonly seconds: number;
  /** Blobs and manifests that it should have held, lacked, and was given; absent where there were none. */
  readonly repaired?: readonly Digest[];
  readonly error?: string;
}

/** Whether all that was asked for a destination is so now. */
export function isDone({ state }: Pick<Result, 'state'>): boolean {
  return state === 'published' || state === 'landed' || state === 'unchanged' || state === 'not pushed';
}

/**
 * The digest that the destinations show or should show: the root's, or that of the earlier image that was decided on. Where
 * immutable tags keep destinations from agreeing it is that of most of them. One that failed has no say where another has not.
 * @returns nothing when there are no results
 */
export function releasedDigest(results: readonly Result[]): Digest | undefined {
  const done = results.filter(isDone);
  const groups = [...Map.groupBy(done.length > 0 ? done : results, ({ digest }) => digest)];
  const [most] = groups.toSorted(([, one], [, other]) => other.length - one.length);
  return most?.[0];
}

/** What a tag shows, as far as that is known: a tag may be called like what every object has, such as `constructor`. */
export function shownUnder({ tags }: Pick<Result, 'tags'>, tag: string): Digest | undefined {
  return Object.hasOwn(tags, tag) ? tags[tag] : undefined;
}

/** What is told of a destination to which no blob was sent, and that is not known to hold any. */
export function resultWithoutTraffic(
  { name, image }: Pick<Destination, 'name' | 'image'>,
  plan: Pick<ReleasePlan, 'root' | 'startedAt'>,
  endedAt: number,
): Pick<Result, 'destination' | 'image' | 'digest' | 'sent' | 'reused' | 'seconds'> {
  return {
    destination: name,
    image,
    digest: plan.root.digest,
    sent: 0,
    reused: 0,
    seconds: secondsSince(plan, endedAt),
  };
}

/** To the hundredth. */
function secondsSince({ startedAt }: Pick<ReleasePlan, 'startedAt'>, endedAt: number): number {
  return Math.round((endedAt - startedAt) / 10) / 100;
}

/** What became of a destination. */
export interface Outcome extends Step, Pick<Showing, 'tags'> {
  /** What its tags shall show, as far as that was decided. */
  readonly decided: readonly DecidedTag[];
  readonly state: Publication['state'] | 'held back';
  /** What was found out of tags that were written. */
  readonly publication?: Publication;
}

/** A destination that goes no further. Where no tag has to change it shows what it shall, however the others fare. */
export function stopped(step: Step & Pick<Outcome, 'tags' | 'decided'>): Outcome {
  if (step.error) return { ...step, state: 'failed' };
  return { ...step, state: step.decided.some(isChange) ? 'held back' : 'unchanged' };
}

/** What is told of a destination. */
export function toResult(plan: ReleasePlan, outcome: Outcome, bytes: number): Result {
  const { replica, state, error, endedAt, publication } = outcome;
  const { destination, sent } = replica;
  const image = imageOf(plan, outcome);
  const repaired = repairedIn(plan, replica);
  const { uncertain = [], described } = publication ?? {};
  // Where they were read there is an entry for each, also for one that shows nothing.
  const unread = readIn(outcome).length === 0 ? tagsOf(plan) : [];
  const taken = takenIn(outcome);
  return {
    destination: destination.name,
    image: destination.image,
    state: stateOf(state, tagsOf(plan), replica.changed),
    digest: image.digest,
    tags: tagsShown(outcome),
    ...(described && { described: Object.fromEntries(described) }),
    ...(uncertain.length > 0 && { uncertain }),
    ...(unread.length > 0 && { unread }),
    ...(taken.length > 0 && { taken }),
    platforms: platformsOfImage(plan, image),
    sent,
    // Of a copy that failed nobody knows what is there.
    reused: state === 'failed' ? 0 : Math.max(0, bytes - sent),
    seconds: secondsSince(plan, endedAt),
    ...(repaired.length > 0 && { repaired }),
    ...(error && { error: plan.explain(error, destination) }),
  };
}

/** What it had said that it holds, and what others had said of it. */
function repairedIn({ promised }: ReleasePlan, { destination, written, repaired }: Replica): Digest[] {
  const broken = [...(promised?.(destination) ?? [])].filter((digest) => written.has(digest));
  return [...new Set([...repaired, ...broken])];
}

/** Tags that were to be changed, and show neither what they showed before nor what they should. */
function takenIn({ decided, publication }: Outcome): string[] {
  return decided.flatMap(({ tag, before, after }) => {
    if (!publication?.shown.has(tag)) return [];
    const now = publication.shown.get(tag);
    return now === before?.digest || now === after.digest ? [] : [tag];
  });
}

function readIn({ tags, seen = [] }: Outcome): readonly TagState[] {
  return tags.length > 0 ? tags : seen;
}

/** What was read before, of tags that are refused too, and what is known of those that were to be changed since. */
function tagsShown(outcome: Outcome): Record<string, Digest> {
  const { publication } = outcome;
  return Object.fromEntries(
    readIn(outcome).flatMap(({ tag, shown }) => {
      if (publication?.uncertain.includes(tag)) return [];
      const now = publication?.shown.has(tag) ? publication.shown.get(tag) : shown?.digest;
      return now ? [[tag, now]] : [];
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
