import type { Digest } from '../image/digest.ts';
import type { Manifest } from '../image/manifest.ts';
import type { Destination, Source } from './content.ts';
import type { Replica } from './replicate.ts';

/** How a release learns that it has to end soon. */
export interface Interruption {
  /** Aborted when it has to. */
  readonly signal: AbortSignal;
  /** Does work that is waited for all the same. */
  hold<T>(work: () => Promise<T>): Promise<T>;
}

/**
 * What a destination that fails means for the others. `abort`: none shows the release. `continue`: they go on without it.
 * `warn`: the same, and it is no reason to fail.
 */
export type OnRegionFailure = 'abort' | 'continue' | 'warn';

/**
 * What becomes of a tag that is taken. `fail`: it moves, and an immutable one that shows another image is an error.
 * `same-images`: the same, but an image whose platforms have the same images is as good as the release. `keep`: it stays.
 * `replace`: as `fail`; that no tag is immutable was made sure of before.
 */
export type TagPolicy = 'fail' | 'same-images' | 'keep' | 'replace';

/** What shall be shown, where, and under which names. */
export interface ReleasePlan {
  /** The manifest or index at the top. */
  readonly root: Manifest;
  /** Its platforms in normal form. */
  readonly platforms: readonly string[];
  /** None publishes by digest alone. */
  readonly tags: readonly string[];
  /** What is released with it under other tags, by tag. */
  readonly beside?: ReadonlyMap<string, Manifest>;
  /** What refers to any of it, and is released by digest alone: each after what it refers to. */
  readonly referrers?: readonly Manifest[] | undefined;
  /** What a destination should hold already, as others say: that it lacks some of it is told. */
  readonly promised?: (destination: Destination) => readonly Digest[];
  /** What becomes of tags that exist. */
  readonly ifTagExists: TagPolicy;
  readonly onRegionFailure: OnRegionFailure;
  /** How long each destination may take until it holds everything, in milliseconds from the release's start. */
  readonly regionTimeout?: number | undefined;
  /** Makes a source that reads what several destinations want from another once for all of them. */
  readonly relay: (upstream: Source) => Source;
  /** Counts the bytes of all blobs below the root; asked when the copies have ended. */
  readonly countBytes: () => Promise<number>;
  /** One for each destination; they may have begun to copy already. */
  readonly replicas: readonly Replica[];
  /** Words a destination's failure for the user. */
  readonly explain: (error: Error, destination: Destination) => string;
  readonly interruption: Interruption;
  /** When the work began, in milliseconds as `Date.now` counts. */
  readonly startedAt: number;
}

/** The root, and what is released with it. */
export function releasedBy({
  root,
  referrers,
  beside,
}: Pick<ReleasePlan, 'root' | 'referrers' | 'beside'>): readonly Manifest[] {
  return [root, ...(referrers ?? []), ...(beside?.values() ?? [])];
}

/** What a tag is to show. */
export function releaseOf({ root, beside }: Pick<ReleasePlan, 'root' | 'beside'>, tag: string): Manifest {
  return beside?.get(tag) ?? root;
}

/** What each tag is to show, by tag. */
export function shownBy(plan: Pick<ReleasePlan, 'root' | 'tags' | 'beside'>): ReadonlyMap<string, Manifest> {
  const tags = [...plan.tags, ...(plan.beside?.keys() ?? [])];
  return new Map(tags.map((tag) => [tag, releaseOf(plan, tag)]));
}

/** All tags that are written. */
export function tagsOf(plan: Pick<ReleasePlan, 'root' | 'tags' | 'beside'>): readonly string[] {
  return [...shownBy(plan).keys()];
}
