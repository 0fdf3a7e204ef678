import type { Digest } from '../../../src/image/digest.ts';
import type { OnRegionFailure } from '../../../src/release/plan.ts';
import { isDone, type Result } from '../../../src/release/result.ts';
import { type Graph, imageOf, indexOf } from '../../support/images.ts';
import { run } from '../running.ts';
import { type Course, ModelRegion } from './region.ts';

const PLATFORMS = ['linux/amd64', 'linux/arm64'];

function releaseOf(name: string): Graph {
  return indexOf(
    PLATFORMS.map((platform) => imageOf(platform, { layers: ['shared', `${name} ${platform}`] })),
  );
}

/** What is released, and what was before. */
export const RELEASE = releaseOf('new');
const EARLIER = releaseOf('old');

/** What stands in a region before the release, and how the region fares. */
export interface RegionScenario {
  /** How many of the release's parts are there already, children first. */
  readonly held: number;
  /** Which of the tags show something: the earlier image, or the release. */
  readonly shown: readonly ('nothing' | 'earlier' | 'release')[];
  readonly immutable: boolean;
  readonly course: Course;
}

export interface Scenario {
  readonly regions: readonly RegionScenario[];
  readonly onRegionFailure: OnRegionFailure;
  /** Whether registries refuse a manifest when something below it is missing. */
  readonly strict: boolean;
}

export const TAGS = ['v1', 'latest'];

/** What a tag shows in a region: before, and at the end. */
export interface TagHistory {
  readonly region: ModelRegion;
  readonly result: Result;
  readonly tag: string;
  readonly before: Digest | undefined;
  readonly now: Digest | undefined;
}

/** Regions in memory, of which is checked whenever one may have changed that no tag shows something incomplete. */
export class World {
  readonly regions: readonly ModelRegion[];
  readonly scenario: Scenario;
  /** What was wrong at some moment. */
  readonly broken = new Set<string>();
  /** How many times it was looked. */
  looks = 0;
  readonly #before: ReadonlyMap<ModelRegion, ReadonlyMap<string, Digest>>;
  #controller = new AbortController();

  /** @param from a world of the same regions, whose content is that of this one at first */
  constructor(scenario: Scenario, from?: World) {
    this.scenario = scenario;
    const watcher = { changed: () => this.#look(), interrupt: () => this.#interrupt() };
    this.regions = scenario.regions.map((each, position) => {
      const region = new ModelRegion(`region-${position}`, each.course, watcher);
      region.isStrict = scenario.strict;
      const earlier = from?.regions[position];
      if (earlier) region.become(earlier);
      else fill(region, each);
      return region;
    });
    this.#before = new Map(this.regions.map((region) => [region, new Map(region.tags)]));
  }

  /** Releases as `v1` and `latest`, to the end. */
  release(): Promise<Result[]> {
    const { onRegionFailure } = this.scenario;
    this.#controller = new AbortController();
    const { signal } = this.#controller;
    return run(
      this.regions,
      { tags: TAGS, onRegionFailure, interruption: { signal, hold: (work) => work() } },
      RELEASE,
    );
  }

  /** What has become of each tag in each region. */
  histories(results: readonly Result[]): TagHistory[] {
    return this.regions.flatMap((region, position) => {
      const result = results[position];
      if (!result) throw new Error('a region has no result');
      return TAGS.map((tag) => ({
        region,
        result,
        tag,
        before: this.#before.get(region)?.get(tag),
        now: region.tags.get(tag),
      }));
    });
  }

  #interrupt(): void {
    this.#controller.abort(new Error('it has to end'));
  }

  /** What has to be so at every moment. */
  #look(): void {
    this.looks += 1;
    // Of a region that said so and lied it is found out when its tag is written.
    const isEverywhere = this.regions.every(
      ({ manifests, struck }) => manifests.has(RELEASE.root.digest) || struck.includes('lie'),
    );
    for (const region of this.regions) {
      for (const [tag, shown] of region.tags) {
        const missing = region.missingBelow(tag);
        if (missing.length > 0) this.broken.add(`${tag} in ${region.name} lacks ${missing.join(', ')}`);
        const isNew = shown === RELEASE.root.digest && this.#before.get(region)?.get(tag) !== shown;
        if (isNew && !isEverywhere && this.scenario.onRegionFailure === 'abort')
          this.broken.add(`${tag} was moved in ${region.name} before all regions held the release`);
      }
    }
  }
}

/** Fills a region with what it holds at first. */
function fill(region: ModelRegion, { held, shown, immutable }: RegionScenario): void {
  for (const [position, tag] of TAGS.entries()) {
    const what = shown[position] ?? 'nothing';
    if (what !== 'nothing') region.hold(what === 'earlier' ? EARLIER : RELEASE, tag);
    if (immutable) region.immutable.add(tag);
  }
  for (const [digest, content] of [...RELEASE.blobs].slice(0, held)) region.blobs.set(digest, content);
}

/** A history is settled when it is known what the tag shows. */
export function isCertain({ result, tag }: TagHistory): boolean {
  return !(result.uncertain ?? []).includes(tag);
}

/** Whether the tag had to be changed at all. */
export function isMoving({ before }: TagHistory): boolean {
  return before !== RELEASE.root.digest;
}

export { isDone };
