import { describe, expect, test } from '@jest/globals';
import { describe as descriptorOf } from '../../src/image/manifest.ts';
import { graphBytes, readGraph } from '../../src/release/graph.ts';
import { Replica } from '../../src/release/replicate.ts';
import { MemoryDestination, SILENT, sourceOf } from '../support/memory.ts';
import { braid } from './braid.ts';

describe('an index of indexes', () => {
  test('is counted in as many readings as it has manifests, however tangled it is', async () => {
    const graph = braid(8);
    const region = new MemoryDestination('region', graph);
    const bytes = [...graph.blobs.values()].reduce((sum, { length }) => sum + length, 0);
    expect(await graphBytes(descriptorOf(graph.root), region)).toBe(bytes);
    expect(region.operations.length).toBeLessThanOrEqual(graph.manifests.size);
  });

  test('is copied when it is a few levels deep', async () => {
    const graph = braid(4);
    const region = new MemoryDestination('region');
    await new Replica(region, sourceOf(graph), { uploads: 1, observer: SILENT }).copy(
      descriptorOf(graph.root),
    );
    expect(region.manifests.has(graph.root.digest)).toBe(true);
  });

  test('is refused when it is deeper than any builder makes it, and nothing is written', async () => {
    const graph = braid(30);
    const region = new MemoryDestination('region');
    const replica = new Replica(region, sourceOf(graph), { uploads: 1, observer: SILENT });
    await expect(replica.copy(descriptorOf(graph.root))).rejects.toThrow(/stands below 9 indexes/);
    expect(region.writes).toEqual([]);
  });

  test('is refused when it is read, too, as where nothing is pushed', async () => {
    const graph = braid(30);
    const region = new MemoryDestination('region', graph);
    await expect(readGraph(descriptorOf(graph.root), region)).rejects.toThrow(/stands below 9 indexes/);
    expect(region.operations.length).toBeLessThan(graph.manifests.size);
  });
});
