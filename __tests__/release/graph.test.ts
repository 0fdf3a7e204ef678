import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { describe as descriptorOf } from '../../src/image/manifest.ts';
import { openLayout } from '../../src/layout/layout.ts';
import { graphBytes, readGraph, readThrough } from '../../src/release/graph.ts';
import { makeFolder } from '../support/folder.ts';
import { graphs } from '../support/graphs.ts';
import { attestationOf, blobOf, type Graph, imageOf, indexOf, utf8 } from '../support/images.ts';
import { writeLayout } from '../support/layout.ts';
import { MemoryDestination, sourceOf } from '../support/memory.ts';

const amd64 = imageOf('linux/amd64');
const graph = indexOf([amd64, imageOf('linux/arm64'), attestationOf(amd64)]);

describe('the bytes of a graph', () => {
  test('are those of all blobs, each counted once', async () => {
    await fc.assert(
      fc.asyncProperty(graphs, async (random) => {
        const expected = [...random.blobs.values()].reduce((sum, { length }) => sum + length, 0);
        expect(await graphBytes(descriptorOf(random.root), sourceOf(random))).toBe(expected);
      }),
    );
  });
});

describe('a graph', () => {
  test('is read with each manifest once, and without its blobs', async () => {
    const source = new MemoryDestination('source', graph);
    const { manifests, blobs } = await readGraph(descriptorOf(graph.root), source);
    expect(new Set(manifests.map(({ digest }) => digest))).toEqual(new Set(graph.manifests.keys()));
    expect(new Set(blobs.map(({ digest }) => digest))).toEqual(new Set(graph.blobs.keys()));
    const expected = [...graph.manifests.keys()].map((digest) => `read ${digest}`);
    expect(source.operations.toSorted()).toEqual(expected.toSorted());
  });

  test('has what an index lists that is no manifest among its blobs', async () => {
    const blob = blobOf(utf8('no manifest'), 'text/plain');
    const odd = indexOf([amd64, { ...amd64, listed: { ...blob, platform: amd64.listed.platform } }]);
    const { blobs } = await readGraph(descriptorOf(odd.root), sourceOf(odd));
    expect(blobs.map(({ digest }) => digest)).toContain(blob.digest);
  });
});

describe('a graph that is read through', () => {
  /** A layout of the graph, less or otherwise than it should be. */
  async function layoutOf(blobs: Graph['blobs']) {
    const dir = await makeFolder();
    await writeLayout(dir, { ...graph, blobs });
    return openLayout(dir);
  }

  test('gives its manifests when all of it is there', async () => {
    const { source, root } = await layoutOf(graph.blobs);
    const manifests = await readThrough(descriptorOf(root), source);
    expect(manifests).toHaveLength(graph.manifests.size);
  });

  const blobs = [...graph.blobs.keys()].map((digest) => [digest]);

  test.each(blobs)('lacks %s, and says so', async (digest) => {
    const { source, root } = await layoutOf(new Map([...graph.blobs].filter(([each]) => each !== digest)));
    await expect(readThrough(descriptorOf(root), source)).rejects.toThrow(` lacks ${digest} `);
  });

  test.each(blobs)('has other bytes for %s, and says so', async (digest) => {
    const content = utf8('x'.repeat(graph.blobs.get(digest)?.byteLength ?? 0));
    const { source, root } = await layoutOf(new Map([...graph.blobs, [digest, content]]));
    await expect(readThrough(descriptorOf(root), source)).rejects.toThrow(digest);
  });
});
