import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { withDefaults } from '../../__tests__/main/inputs.ts';
import type { Graph } from '../../__tests__/support/images.ts';
import { layersOf, writeImage } from '../world/images.ts';
import type { World } from '../world/world.ts';
import { complaintsOf, type Verdict, verdictOf } from './judgement.ts';
import type { Runner } from './step.ts';

/** In bytes: images that change often are small, and share their lowest layer. */
const SHARED_LAYER = 8_000;
const OWN_LAYERS = [4_000, 2_000, 1_000];
/** How many tags move about. */
const TAGS = 8;

export interface ChainOptions {
  readonly repository: string;
  /** Whether the repository's tags are immutable, so that every publish has a tag of its own. */
  readonly immutable?: boolean;
}

/** How one publish differs from the others. */
export interface Publish {
  /** Publishes what the tag shows already. */
  readonly again?: boolean;
  /** Inputs besides those of every publish. */
  readonly inputs?: Readonly<Record<string, string>>;
  /** What has to become of it. */
  readonly expected?: Verdict;
}

/**
 * Publishes one image after the other in a repository of its own, in all regions of a world, and looks each time at what the
 * regions show then.
 */
export class Chain {
  readonly complaints: string[] = [];
  /** How many ended how. */
  readonly verdicts: Record<Verdict, number> = { published: 0, failed: 0 };
  /** The most memory that a process of its own had, in bytes. */
  peakMemory = 0;
  readonly repository: string;
  readonly #world: World;
  readonly #runner: Runner;
  readonly #immutable: boolean;
  readonly #shared = layersOf([SHARED_LAYER]);
  /** What each tag has to show. */
  readonly #tags = new Map<string, Graph>();

  constructor(world: World, runner: Runner, { repository, immutable = false }: ChainOptions) {
    this.#world = world;
    this.#runner = runner;
    this.#immutable = immutable;
    this.repository = repository;
    world.createRepository(repository, immutable);
  }

  get count(): number {
    return this.verdicts.published + this.verdicts.failed;
  }

  /** Publishes once; whatever is wrong about it becomes a complaint. */
  async publish({ again = false, inputs = {}, expected = 'published' }: Publish = {}): Promise<void> {
    const { regions, dir } = this.#world;
    const tag = `v${this.#immutable ? this.count : this.count % TAGS}`;
    const before = this.#tags.get(tag);
    const layout = await mkdtemp(join(dir, 'layout-'));
    try {
      const layers = again && before ? [...before.blobs.values()].slice(1) : this.#layers();
      const image = await writeImage(layout, layers);
      const ended = await this.#runner.run({
        inputs: await withDefaults({
          legs: 'none',
          repository: this.repository,
          regions: regions.join(),
          tags: tag,
          'oci-layout': layout,
          ...inputs,
        }),
        environment: {},
      });
      const publication = { tag, digest: image.root.digest, before: before?.root.digest, expected, ended };
      const complaints = complaintsOf({ ...publication, shown: await this.#world.shown(this.repository) });
      this.complaints.push(...complaints.map((complaint) => `${this.repository}: ${complaint}`));
      if (verdictOf(ended) === 'published') this.#tags.set(tag, image);
      this.verdicts[verdictOf(ended)] += 1;
      this.peakMemory = Math.max(this.peakMemory, ended.peakMemory);
    } finally {
      await rm(layout, { recursive: true, force: true });
    }
  }

  /** Looks at every tag in every region: whether it shows what it should, and no other is there, and all of it can be had. */
  async examine(): Promise<string[]> {
    const expected = [...this.#tags].map(([tag, { root }]) => `${tag} ${root.digest}`).toSorted();
    const shown = await this.#world.shown(this.repository);
    const digests = new Set([...this.#tags.values()].flatMap(({ blobs }) => [...blobs.keys()]));
    const lacking = await this.#world.lacking(this.repository, [...digests]);
    const differing = [...shown].flatMap(([region, tags]) => {
      const found = [...tags].map((tag) => tag.join(' ')).toSorted();
      return found.join() === expected.join()
        ? []
        : [`${region} shows ${found.join(', ')}, not ${expected.join(', ')}`];
    });
    return [...differing, ...lacking.map((layer) => `${layer} is lacking`)].map(
      (complaint) => `${this.repository}, at the end: ${complaint}`,
    );
  }

  #layers(): Uint8Array[] {
    return [...this.#shared, ...layersOf(OWN_LAYERS)];
  }
}
