import { isCompanion } from '../image/descriptor.ts';
import type { Digest } from '../image/digest.ts';
import type { Manifest } from '../image/manifest.ts';
import type { TagRule } from './content.ts';
import { type ReleasePlan, releaseOf, type TagPolicy } from './plan.ts';
import { type TagPlaces, TagsDifferError, TagTakenError } from './taken.ts';

/** What a tag shows in one destination, and whether it may be written again. */
export interface TagState {
  readonly tag: string;
  readonly shown: Manifest | undefined;
  readonly rule: TagRule;
}

/** A destination with what its tags show; none where that could not be read. */
export interface Showing {
  readonly name: string;
  readonly tags: readonly TagState[];
}

/** What a tag shows, and what it shall show, which may be the same. */
export interface DecidedTag {
  readonly tag: string;
  readonly before: Manifest | undefined;
  readonly after: Manifest;
}

/** Whether the tag has to be written. */
export function isChange({ before, after }: DecidedTag): boolean {
  return before?.digest !== after.digest;
}

/** What was decided for one destination. */
export interface Verdict {
  /** All of its tags, but for those that are refused. */
  readonly decided: readonly DecidedTag[];
  /** Why no tag may be written, here and anywhere. */
  readonly refusal: TagTakenError | TagsDifferError | undefined;
}

/** What a tag shall show wherever it can. */
interface Goal {
  readonly wanted: Manifest;
  /** What it shall show where it is taken; nothing where that would have to be something else than it can be. */
  readonly aim: (taken: Taken) => Manifest | undefined;
}

type Taken = TagState & { readonly shown: Manifest };

/**
 * Decides what every tag shall show in every destination. An immutable tag that is taken is never changed, one that shows
 * what it shall is left alone, and where no tag is refused each shows one digest in all destinations, unless tags that may
 * be immutable show different ones that all count as the release. The order of the destinations does not matter.
 * @param plan with what is released, all of which is held everywhere
 * @param showings what all tags show, read before the first one is written anywhere
 * @returns the destinations in their order, each with its verdict; nothing may be written when one has a refusal
 */
export function decide<S extends Showing>(
  plan: Pick<ReleasePlan, 'root' | 'beside' | 'ifTagExists'>,
  showings: readonly S[],
): (S & Verdict)[] {
  const { ifTagExists: policy } = plan;
  const states = showings.flatMap(({ tags }) => tags);
  const goals = goalsOf(plan, states);
  const goalOf = (tag: string): Goal => {
    if (policy !== 'keep') return goals(tag);
    const taken = states.filter(isTaken).filter((each) => each.tag === tag);
    return goalOfKeeping(releaseOf(plan, tag), taken);
  };
  return showings.map((showing) => {
    const aims = showing.tags.map((state) => aimAt(state, goalOf(state.tag)));
    const refused = aims.filter(({ after }) => !after);
    return {
      ...showing,
      decided: aims.flatMap(({ state: { tag, shown }, after }) =>
        after ? [{ tag, before: shown, after }] : [],
      ),
      refusal: refused.length > 0 ? refusalOf(refused, policy, showings) : undefined,
    };
  });
}

/** What a tag shall show in one destination; nothing where it is refused. */
interface Aim {
  readonly state: TagState;
  readonly wanted: Manifest;
  readonly after: Manifest | undefined;
}

function aimAt(state: TagState, { wanted, aim }: Goal): Aim {
  return { state, wanted, after: isTaken(state) ? aim(state) : wanted };
}

function isTaken(state: TagState): state is Taken {
  return state.shown !== undefined;
}

/** Where the tag shows one image, all get that. */
function goalOfKeeping(root: Manifest, taken: readonly Taken[]): Goal {
  const [kept, ...others] = new Map(taken.map(({ shown }) => [shown.digest, shown])).values();
  if (others.length > 0) return { wanted: root, aim: () => undefined };
  return { wanted: kept ?? root, aim: ({ shown }) => shown };
}

/**
 * What tags are to show that may move. Where a tag shows what counts as the release and may be immutable, that stays, and
 * whatever can move follows it. Where none does, it follows the best that is shown under any tag once that is so: to decide again
 * what was decided and done changes nothing.
 */
function goalsOf(
  plan: Pick<ReleasePlan, 'root' | 'beside' | 'ifTagExists'>,
  states: readonly TagState[],
): (tag: string) => Goal {
  const countsAs = (release: Manifest) => (shown: Manifest) =>
    plan.ifTagExists === 'same-images' && sameImages(shown, release);
  const counting = (all: readonly TagState[], release: Manifest) =>
    all
      .filter(isTaken)
      .filter(({ tag, shown }) => releaseOf(plan, tag) === release && countsAs(release)(shown));
  const leaderOf = (tag: string) =>
    ranked(
      counting(states, releaseOf(plan, tag)).filter((each) => each.tag === tag && each.rule !== 'mutable'),
    )[0];
  const followed = states.map((state) => {
    const leader = leaderOf(state.tag);
    if (!leader) return state;
    const { after } = aimAt(state, goalOfMoving(leader, countsAs(releaseOf(plan, state.tag))));
    return { ...state, shown: after ?? state.shown };
  });
  return (tag) => {
    const release = releaseOf(plan, tag);
    const wanted = leaderOf(tag) ?? ranked(counting(followed, release))[0] ?? release;
    return goalOfMoving(wanted, countsAs(release));
  };
}

/** @param counts whether what is shown counts as the release */
function goalOfMoving(wanted: Manifest, counts: (shown: Manifest) => boolean): Goal {
  const aim = ({ shown, rule }: Taken) => {
    if (shown.digest === wanted.digest || rule === 'mutable') return wanted;
    if (counts(shown)) return shown;
    return rule === 'unknown' ? wanted : undefined;
  };
  return { wanted, aim };
}

/**
 * Whether two indexes have the same images, however these are ordered, annotated and attested. A single image is the same
 * as none but itself.
 */
function sameImages(one: Manifest, other: Manifest): boolean {
  if (one.digest === other.digest) return true;
  const [ours, theirs] = [imagesOf(one), imagesOf(other)];
  return ours.size > 0 && ours.size === theirs.size && ours.isSubsetOf(theirs);
}

function imagesOf(manifest: Manifest): Set<Digest> {
  const children = manifest.kind === 'index' ? manifest.manifests : [];
  return new Set(children.filter((child) => !isCompanion(child)).map(({ digest }) => digest));
}

/**
 * Each image that is shown, the best one first: what immutable tags show, which cannot follow; what tags show that may be so;
 * what most tags show; and of those that are left the one of the smallest digest.
 */
function ranked(taken: readonly Taken[]): Manifest[] {
  const groups = [...Map.groupBy(taken, ({ shown }) => shown.digest).values()].flatMap((group) => {
    const count = (rule: TagRule) => group.filter((each) => each.rule === rule).length;
    const sizes = { immutable: count('immutable'), unknown: count('unknown'), all: group.length };
    return group.slice(0, 1).map(({ shown }) => ({ shown, ...sizes }));
  });
  const best = groups.toSorted(
    (one, other) =>
      other.immutable - one.immutable ||
      other.unknown - one.unknown ||
      other.all - one.all ||
      (one.shown.digest < other.shown.digest ? -1 : 1),
  );
  return best.map(({ shown }) => shown);
}

function refusalOf(
  refused: readonly Aim[],
  policy: TagPolicy,
  showings: readonly Showing[],
): TagTakenError | TagsDifferError {
  if (policy === 'keep') {
    return new TagsDifferError(
      refused.map(({ state: { tag } }) => ({ tag, shows: placesOf(tag, showings) })),
    );
  }
  return new TagTakenError(
    refused.flatMap(({ state: { tag, shown }, wanted }) =>
      shown
        ? [{ tag, shown: shown.digest, wanted: wanted.digest, sameImages: sameImages(shown, wanted) }]
        : [],
    ),
  );
}

function placesOf(tag: string, showings: readonly Showing[]): TagPlaces[] {
  const places = showings.flatMap(({ name, tags }) =>
    tags.filter(isTaken).flatMap((state) => (state.tag === tag ? [{ name, shown: state.shown.digest }] : [])),
  );
  return [...Map.groupBy(places, ({ shown }) => shown)].map(([shown, group]) => ({
    shown,
    names: group.map(({ name }) => name),
  }));
}
