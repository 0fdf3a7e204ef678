import type { Digest } from '../../../src/image/digest.ts';
import type { OnRegionFailure, TagPolicy } from '../../../src/release/plan.ts';
import type { Result } from '../../../src/release/result.ts';
import { run } from '../running.ts';
import {
  ALL_TAGS,
  graphOf,
  isAsGood,
  MANIFESTS_BESIDE,
  RELEASE,
  ROOT_TAGS,
  releasedSource,
  releaseUnder,
  type Shows,
} from './images.ts';
import { type Course, ModelRegion } from './region.ts';

/** What stands in a region before the release, and how the region fares. */
export interface RegionScenario {
  /** How many of the release's parts are there already, children first. */
  readonly held: number;
  /** What each of all tags shows. */
  readonly shown: readonly Shows[];
  /** Which of all tags are immutable. */
  readonly immutable: readonly boolean[];
  /** Whether nobody may look which ones are. */
  readonly hidden: boolean;
  readonly course: Course;
}

export interface Scenario {
  readonly regions: readonly RegionScenario[];
  readonly onRegionFailure: OnRegionFailure;
  readonly ifTagExists: TagPolicy;
  /** Whether tags of single platforms are written beside the release's. */
  readonly beside: boolean;
  /** In milliseconds. */
  readonly regionTimeout: number | undefined;
  /** Whether registries refuse a manifest when something below it is missing. */
  readonly strict: boolean;
}

/** What a tag shows in a region: before, and at the end. */
export interface TagHistory {
  readonly region: ModelRegion;
  readonly result: Result;
  readonly tag: string;
  readonly before: Digest | undefined;
  readonly now: Digest | undefined;
}

/** Regions in memory, of which is checked whenever one may have changed what has to be so at every moment. */
export class World {
  readonly regions: readonly ModelRegion[];
  readonly scenario: Scenario;
  /** The tags that are written. */
  readonly tags: readonly string[];
  /** What was wrong at some moment. */
  readonly broken = new Set<string>();
  /** How many times it was looked. */
  looks = 0;
  readonly #before: ReadonlyMap<ModelRegion, ReadonlyMap<string, Digest>>;
  readonly #manifests: number;
  #controller = new AbortController();

  /** @param from a world of the same regions, whose content is that of this one at first */
  constructor(scenario: Scenario, from?: World) {
    this.scenario = scenario;
    this.tags = scenario.beside ? ALL_TAGS : ROOT_TAGS;
    const watcher = { changed: () => this.#look(), interrupt: () => this.#interrupt() };
    this.regions = scenario.regions.map((each, position) => {
      const region = new ModelRegion(`region-${position}`, each.course, watcher);
      region.isStrict = scenario.strict;
      if (each.hidden) region.tagRule = () => 'unknown';
      const earlier = from?.regions[position];
      if (earlier) region.become(earlier);
      else fill(region, each);
      return region;
    });
    this.#before = new Map(this.regions.map((region) => [region, new Map(region.tags)]));
    this.#manifests = this.#others();
  }

  /** How many images that are not released were given to regions that lacked them. */
  get supplied(): number {
    return this.#others() - this.#manifests;
  }

  /** What a tag showed before. */
  before(region: ModelRegion, tag: string): Digest | undefined {
    return this.#before.get(region)?.get(tag);
  }

  /** Releases under the tags, to the end. */
  release(): Promise<Result[]> {
    const { onRegionFailure, ifTagExists, beside, regionTimeout } = this.scenario;
    this.#controller = new AbortController();
    const { signal } = this.#controller;
    return run(
      this.regions,
      {
        tags: ROOT_TAGS,
        onRegionFailure,
        ifTagExists,
        regionTimeout,
        ...(beside && { beside: MANIFESTS_BESIDE }),
        interruption: { signal, hold: (work) => work() },
      },
      RELEASE,
      releasedSource(),
    );
  }

  /** What has become of each tag in each region. */
  histories(results: readonly Result[]): TagHistory[] {
    return this.regions.flatMap((region, position) => {
      const result = results[position];
      if (!result) throw new Error('a region has no result');
      return this.tags.map((tag) => ({
        region,
        result,
        tag,
        before: this.before(region, tag),
        now: region.tags.get(tag),
      }));
    });
  }

  #interrupt(): void {
    this.#controller.abort(new Error('it has to end'));
  }

  #others(): number {
    const released = this.tags.map(releaseUnder);
    const known = this.tags.flatMap((tag) =>
      (['earlier', 'another', 'twin'] as const).map((shows) => graphOf(tag, shows).root.digest),
    );
    const others = [...new Set(known)].filter((digest) => !released.includes(digest));
    return this.regions.reduce(
      (sum, { manifests }) => sum + others.filter((digest) => manifests.has(digest)).length,
      0,
    );
  }

  /** What has to be so at every moment. */
  #look(): void {
    this.looks += 1;
    for (const region of this.regions) {
      for (const tag of this.tags) {
        const [before, shown] = [this.before(region, tag), region.tags.get(tag)];
        const missing = region.missingBelow(tag);
        if (missing.length > 0) this.#breaks(region, tag, `lacks ${missing.join(', ')}`);
        if (shown === before) continue;
        if (before && region.immutable.has(tag)) this.#breaks(region, tag, 'is immutable, and was changed');
        if (before && this.scenario.ifTagExists === 'keep') this.#breaks(region, tag, 'was not kept');
        if (shown && !this.#mayMove(tag, shown))
          this.#breaks(region, tag, 'was moved before all regions held what it shows');
      }
    }
  }

  #breaks(region: ModelRegion, tag: string, what: string): void {
    this.broken.add(`${tag} in ${region.name} ${what}`);
  }

  /** Whether a tag may show something new somewhere: with `abort` all regions have to hold the release then, and that. */
  #mayMove(tag: string, shown: Digest): boolean {
    if (this.scenario.onRegionFailure !== 'abort') return true;
    return this.regions.every((region) => {
      // Of a region that said so and lied it is found out when its tag is written.
      if (region.struck.includes('lie')) return true;
      const needed = [...this.tags.map(releaseUnder), ...(this.isStuck(region, tag) ? [] : [shown])];
      return needed.every((digest) => region.manifests.has(digest));
    });
  }

  /** Whether a tag may have to stay because it may be immutable, and can, for it shows what is as good as the release. */
  isStuck(region: ModelRegion, tag: string): boolean {
    const before = this.before(region, tag);
    const mayStay = this.scenario.ifTagExists === 'same-images' && region.tagRule(tag) !== 'mutable';
    return mayStay && before !== undefined && isAsGood(tag, before);
  }
}

/** Fills a region with what it holds at first. */
function fill(region: ModelRegion, { held, shown, immutable }: RegionScenario): void {
  for (const [position, tag] of ALL_TAGS.entries()) {
    const what = shown[position] ?? 'nothing';
    if (what !== 'nothing') region.hold(graphOf(tag, what), tag);
    if (immutable[position]) region.immutable.add(tag);
  }
  for (const [digest, content] of [...RELEASE.blobs].slice(0, held)) region.blobs.set(digest, content);
}
