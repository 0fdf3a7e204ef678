import type { Destination, Source } from '../../src/release/content.ts';
import type { ReleasePlan } from '../../src/release/plan.ts';
import { type Ending, release } from '../../src/release/release.ts';
import { Replica } from '../../src/release/replicate.ts';
import type { Result } from '../../src/release/result.ts';
import { type Graph, imageOf, indexOf } from '../support/images.ts';
import { SILENT, sourceOf } from '../support/memory.ts';

export const amd64 = imageOf('linux/amd64');
export const arm64 = imageOf('linux/arm64');
export const graph = indexOf([amd64, arm64]);
export const platforms = ['linux/amd64', 'linux/arm64'];
/** All blobs of the graph, in bytes. */
export const BYTES = bytesOf(graph);

export function bytesOf({ blobs }: Graph): number {
  return [...blobs.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
}

/** What a test has otherwise than the rest. */
type Varied = Partial<ReleasePlan> & { readonly said?: string[]; readonly ending?: Ending };

/** Releases a graph as `v1`, 1500 milliseconds after the start; what is more or otherwise, the plan says. */
export function run(
  destinations: readonly Destination[],
  { ending = { linger: 0, grace: 60_000 }, ...plan }: Varied = {},
  released: Graph = graph,
  source: Source = sourceOf(released),
): Promise<Result[]> {
  const replicas = destinations.map(
    (destination) => new Replica(destination, source, { uploads: 6, observer: SILENT }),
  );
  const explain = (error: Error, { name }: { name: string }) => `in ${name}: ${error.message}`;
  return release(
    {
      root: released.root,
      platforms,
      tags: ['v1'],
      ifTagExists: 'fail',
      onRegionFailure: 'abort',
      interruption: { signal: new AbortController().signal, hold: (work) => work() },
      relay: (upstream) => upstream,
      countBytes: async () => bytesOf(released),
      replicas,
      explain,
      startedAt: 0,
      ...plan,
    },
    { info: (line) => plan.said?.push(line) },
    () => 1500,
    ending,
  );
}

export const states = (results: readonly Result[]) => results.map(({ state }) => state);
