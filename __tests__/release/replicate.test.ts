import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Digest } from '../../src/image/digest.ts';
import { blobsOf, childrenOf, describe as descriptorOf } from '../../src/image/manifest.ts';
import { Holdings } from '../../src/release/holdings.ts';
import { ManifestRefusedError } from '../../src/release/refused.ts';
import { Replica } from '../../src/release/replicate.ts';
import { graphs } from '../support/graphs.ts';
import { attestationOf, type Graph, imageOf, indexOf } from '../support/images.ts';
import { MemoryDestination, refused, SILENT, sourceOf, turn } from '../support/memory.ts';

const amd64 = imageOf('linux/amd64');
const arm64 = imageOf('linux/arm64');
const graph = indexOf([amd64, arm64, attestationOf(amd64)]);

function replicaOf(destination: MemoryDestination, source: Graph, uploads = 6): Replica {
  return new Replica(destination, sourceOf(source), { uploads, observer: SILENT });
}

describe('a manifest that says another size than content has', () => {
  const layer = Buffer.from('layer');
  const plain = imageOf('linux/amd64', { layers: [layer] });
  const { config, layers: [own] = [] } = plain.root.kind === 'image' ? plain.root : { config: undefined };

  /** The image, with other layers. */
  const lying = (...layers: readonly unknown[]): Graph =>
    imageOf('linux/amd64', { layers: [layer], fields: { config, layers } });

  test('has content sent that the destination holds: what is sent is held against it', async () => {
    const image = lying({ ...own, size: 9 });
    const destination = new MemoryDestination('region', plain);
    await replicaOf(destination, image).copy(descriptorOf(image.root));
    expect(destination.writes).toContain(`blob ${own?.digest}`);
  });

  test('beside the right one cannot be read', () => {
    expect(() => lying(own, { ...own, size: 1 })).toThrow(/lists sha256:\w+ with 5 bytes and with 1$/);
  });

  test('of an image below an index is not copied', async () => {
    const index = indexOf([{ ...plain, listed: { ...plain.listed, size: 5 } }]);
    const destination = new MemoryDestination('region');
    const copying = replicaOf(destination, index).copy(descriptorOf(index.root));
    await expect(copying).rejects.toThrow(/at its source, .* says 5: build the image anew$/);
    expect(destination.writes).toEqual([]);
  });
});

describe('a destination', () => {
  test('gets ready for a blob while it is being asked for it, where it lacks the manifest', async () => {
    const destination = new MemoryDestination('region');
    destination.before = (operation) => {
      if (operation.startsWith('blob')) expect(destination.expected).toBeGreaterThan(0);
    };
    await replicaOf(destination, amd64).copy(descriptorOf(amd64.root));
    expect(destination.expected).toBe(amd64.blobs.size);
  });

  test('does not for a blob of which the answer is known already', async () => {
    const destination = new MemoryDestination('region');
    const replica = replicaOf(destination, amd64);
    for (const digest of amd64.blobs.keys()) await replica.holdings.blob(digest);
    await replica.copy(descriptorOf(amd64.root));
    expect(destination.expected).toBe(0);
    expect(destination.blobs.size).toBe(amd64.blobs.size);
  });

  test('is not asked again what others know of it', async () => {
    const destination = new MemoryDestination('region', amd64);
    const holdings = new Holdings(destination);
    await holdings.manifest(amd64.root.digest);
    const options = { uploads: 1, observer: SILENT };
    await new Replica(destination, sourceOf(amd64), options, holdings).copy(descriptorOf(amd64.root));
    expect(destination.operations).toEqual([`has ${amd64.root.digest}`]);
  });
});

/** Every edge of a graph: what stands below, and what refers to it. */
function edges({ manifests }: Graph): [child: string, parent: string][] {
  return [...manifests.values()].flatMap((parent) => [
    ...blobsOf(parent).map(({ digest }): [string, string] => [`blob ${digest}`, `manifest ${parent.digest}`]),
    ...childrenOf(parent).map(({ digest }): [string, string] => [
      `manifest ${digest}`,
      `manifest ${parent.digest}`,
    ]),
  ]);
}

describe('copying a graph', () => {
  test('leaves all of it in the destination, byte for byte, each part sent once and children first', async () => {
    await fc.assert(
      fc.asyncProperty(graphs, fc.nat({ max: 3 }), async (random, slow) => {
        const destination = new MemoryDestination('region');
        destination.before = async () => {
          for (let turns = 0; turns < slow; turns += 1) await turn();
        };
        const replica = replicaOf(destination, random);
        await replica.copy(descriptorOf(random.root));
        expect([...destination.blobs.keys()].toSorted()).toEqual([...random.blobs.keys()].toSorted());
        for (const [digest, { bytes }] of random.manifests) {
          expect(destination.manifests.get(digest)?.bytes).toEqual(bytes);
        }
        expect(destination.manifests.size).toBe(random.manifests.size);
        expect(new Set(destination.writes).size).toBe(destination.writes.length);
        for (const [child, parent] of edges(random)) {
          const order = destination.writes.map(String);
          expect(order.indexOf(child)).toBeLessThan(order.indexOf(parent));
        }
        expect(replica.sent).toBe([...random.blobs.values()].reduce((sum, { length }) => sum + length, 0));
      }),
      { numRuns: 60 },
    );
  });

  test('sends nothing where everything is already', async () => {
    const destination = new MemoryDestination('region', graph);
    const replica = replicaOf(destination, graph);
    await replica.copy(descriptorOf(graph.root));
    expect(destination.writes).toEqual([]);
    expect(replica).toMatchObject({ sent: 0, changed: false });
  });

  test('sends only what is missing', async () => {
    const destination = new MemoryDestination('region', amd64);
    const replica = replicaOf(destination, graph);
    await replica.copy(descriptorOf(graph.root));
    const had = [...amd64.blobs.keys()].map((digest) => `blob ${digest}`);
    expect(destination.writes.filter((write) => had.includes(write))).toEqual([]);
    expect(destination.writes).not.toContain(`manifest ${amd64.root.digest}`);
    expect(replica.changed).toBe(true);
  });

  test('claims each digest once, however often and early it is asked for', async () => {
    const destination = new MemoryDestination('region');
    const replica = replicaOf(destination, graph);
    const blobs = blobsOf(amd64.root);
    await Promise.all([
      ...blobs.map((blob) => replica.copy(blob)),
      ...blobs.map((blob) => replica.copy(blob)),
      replica.copy(descriptorOf(graph.root)),
      replica.copy(descriptorOf(graph.root)),
    ]);
    expect(new Set(destination.writes).size).toBe(destination.writes.length);
  });

  test('keeps to the number of uploads beside each other', async () => {
    const layers = Array.from({ length: 12 }, (_, position) => `layer ${position}`);
    const large = imageOf('linux/amd64', { layers });
    const destination = new MemoryDestination('region');
    let [running, most] = [0, 0];
    destination.before = async (operation) => {
      if (!operation.startsWith('blob')) return;
      running += 1;
      most = Math.max(most, running);
      await turn();
      running -= 1;
    };
    await replicaOf(destination, large, 3).copy(descriptorOf(large.root));
    expect(most).toBe(3);
  });

  test('uploads the largest of the blobs that wait first', async () => {
    const layers = ['a', 'ccc', 'bb', 'eeeee', 'dddd'];
    const image = imageOf('linux/amd64', { layers });
    const destination = new MemoryDestination('region');
    await replicaOf(destination, image, 1).copy(descriptorOf(image.root));
    const uploaded = destination.writes.filter((write) => write.startsWith('blob'));
    const largestFirst = blobsOf(image.root).toSorted((one, other) => other.size - one.size);
    expect(uploaded).toEqual(largestFirst.map(({ digest }) => `blob ${digest}`));
  });

  test('tells of every byte that moves', async () => {
    const moved = new Map<Digest, number>();
    const ended: Digest[] = [];
    const replica = new Replica(new MemoryDestination('region'), sourceOf(amd64), {
      uploads: 1,
      observer: {
        started: (_, { digest }) => moved.set(digest, 0),
        moved: (_, { digest }, bytes) => moved.set(digest, (moved.get(digest) ?? 0) + bytes),
        finished: (_, { digest }) => ended.push(digest),
        repairs: () => undefined,
      },
    });
    await replica.copy(descriptorOf(amd64.root));
    expect([...moved]).toEqual(
      expect.arrayContaining(blobsOf(amd64.root).map(({ digest, size }) => [digest, size])),
    );
    expect(ended.toSorted()).toEqual([...amd64.blobs.keys()].toSorted());
  });
});

describe('asking ahead', () => {
  test('asks for a manifest and for those below it beside each other, and the copy not again', async () => {
    const destination = new MemoryDestination('region', amd64);
    const questions = [...graph.manifests.keys()].map((digest) => `has ${digest}`);
    const all = Promise.withResolvers<void>();
    destination.before = (operation) => {
      if (!operation.startsWith('has')) return undefined;
      // None is answered before all have come.
      if (destination.operations.length === questions.length) all.resolve();
      return all.promise;
    };
    const replica = replicaOf(destination, graph);
    replica.ask(graph.root);
    await replica.copy(descriptorOf(graph.root));
    const asked = destination.operations.filter((operation) => operation.startsWith('has'));
    expect(asked.toSorted()).toEqual(questions.toSorted());
    expect(destination.manifests.size).toBe(graph.manifests.size);
  });

  test('that fails is no failure: the copy asks again', async () => {
    const destination = new MemoryDestination('region', graph);
    destination.before = () => {
      throw new Error('is down');
    };
    const replica = replicaOf(destination, graph);
    replica.ask(graph.root);
    await turn();
    destination.before = () => undefined;
    await replica.copy(descriptorOf(graph.root));
    expect(destination.writes).toEqual([]);
  });
});

describe('copying what stands below a manifest', () => {
  test('writes all but the manifest itself, which is written when it is copied', async () => {
    const destination = new MemoryDestination('region');
    const replica = replicaOf(destination, graph);
    await replica.copyBelow(descriptorOf(graph.root));
    const below = [...graph.manifests.keys()].filter((digest) => digest !== graph.root.digest);
    expect([...destination.manifests.keys()].toSorted()).toEqual(below.toSorted());
    expect(destination.blobs.size).toBe(graph.blobs.size);
    const before = destination.operations.length;
    await replica.copy(descriptorOf(graph.root));
    expect(destination.operations.slice(before)).toEqual([`manifest ${graph.root.digest}`]);
  });

  test('does nothing where the manifest is held', async () => {
    const destination = new MemoryDestination('region', graph);
    const source = new MemoryDestination('source', graph);
    const replica = new Replica(destination, source, { uploads: 6, observer: SILENT });
    await replica.copyBelow(descriptorOf(graph.root));
    expect(destination.operations).toEqual([`has ${graph.root.digest}`]);
    expect(source.operations).toEqual([]);
    expect(replica).toMatchObject({ sent: 0, changed: false });
  });

  test('that fails writes no manifest above what failed', async () => {
    const destination = new MemoryDestination('region');
    destination.before = (operation) => {
      if (operation.startsWith('blob')) throw refused('DENIED', 'no');
    };
    const replica = replicaOf(destination, graph);
    await expect(replica.copyBelow(descriptorOf(graph.root))).rejects.toThrow(/DENIED/);
    expect(destination.manifests.size).toBe(0);
  });
});

describe('copying from another source', () => {
  test('takes what the source of the rest does not have, and counts what is sent', async () => {
    const destination = new MemoryDestination('region');
    const replica = replicaOf(destination, amd64);
    await replica.copy(descriptorOf(amd64.root));
    const before = replica.sent;
    await replica.copyFrom(sourceOf(graph), descriptorOf(graph.root));
    expect(destination.manifests.has(graph.root.digest)).toBe(true);
    const had = new Set(amd64.blobs.keys());
    const more = [...graph.blobs].filter(([digest]) => !had.has(digest)).map(([, { length }]) => length);
    expect(replica.sent - before).toBe(more.reduce((sum, length) => sum + length, 0));
  });

  test('changes what was not changed before only if it writes something', async () => {
    const replica = replicaOf(new MemoryDestination('region', amd64), amd64);
    await replica.copyFrom(sourceOf(amd64), descriptorOf(amd64.root));
    expect(replica.changed).toBe(false);
    await replica.copyFrom(sourceOf(arm64), descriptorOf(arm64.root));
    expect(replica.changed).toBe(true);
  });

  test('that fails counts what was sent nevertheless', async () => {
    const destination = new MemoryDestination('region');
    destination.before = (operation) => {
      if (operation === `manifest ${amd64.root.digest}`) throw refused('DENIED', 'not allowed', 403);
    };
    const replica = replicaOf(destination, arm64);
    await expect(replica.copyFrom(sourceOf(amd64), descriptorOf(amd64.root))).rejects.toThrow('not allowed');
    expect(replica.sent).toBe([...amd64.blobs.values()].reduce((sum, { length }) => sum + length, 0));
  });
});

describe('a copy that fails', () => {
  test('writes no manifest above what failed, and ends only when nothing runs any more', async () => {
    const [first] = blobsOf(amd64.root);
    const destination = new MemoryDestination('region');
    let running = 0;
    destination.before = async (operation) => {
      if (operation === `blob ${first?.digest}`) throw refused('DENIED', 'no');
      running += 1;
      for (let turns = 0; turns < 5; turns += 1) await turn();
      running -= 1;
    };
    await expect(replicaOf(destination, graph).copy(descriptorOf(graph.root))).rejects.toThrow(/DENIED/);
    expect(running).toBe(0);
    expect(destination.manifests.has(amd64.root.digest)).toBe(false);
    expect(destination.manifests.has(graph.root.digest)).toBe(false);
  });

  test('begins anew when it is asked for again', async () => {
    const destination = new MemoryDestination('region');
    let failing = true;
    destination.before = (operation) => {
      if (failing && operation.startsWith('blob')) throw refused('TOOMANYREQUESTS', 'later', 429);
    };
    const replica = replicaOf(destination, graph);
    await expect(replica.copy(descriptorOf(graph.root))).rejects.toThrow(/later/);
    failing = false;
    await replica.copy(descriptorOf(graph.root));
    expect(destination.manifests.has(graph.root.digest)).toBe(true);
  });

  test('is told when the source lacks a part', async () => {
    const blobs = new Map([...amd64.blobs].slice(1));
    const replica = replicaOf(new MemoryDestination('region'), { ...amd64, blobs });
    await expect(replica.copy(descriptorOf(amd64.root))).rejects.toThrow(/source does not have sha256:/);
  });
});

describe('a destination that would not take some manifests', () => {
  /** One that would take none of these, each for two reasons. */
  function refusing(graphs: readonly Graph[], holds?: Graph): MemoryDestination {
    const digests = graphs.map(({ root }) => root.digest);
    const destination = new MemoryDestination('region', holds);
    destination.refusals = ({ digest }) => (digests.includes(digest) ? ['one reason', 'another'] : []);
    return destination;
  }

  test('is given nothing, and the error has all reasons of all of them', async () => {
    const destination = refusing([amd64, graph]);
    const copying = replicaOf(destination, graph).copyBelow(descriptorOf(graph.root));
    const error: unknown = await copying.catch((reason: unknown) => reason);
    if (!(error instanceof ManifestRefusedError)) throw error;
    expect(error.refused).toEqual(
      [graph, amd64].map(({ root }) => ({ digest: root.digest, reasons: ['one reason', 'another'] })),
    );
    expect(error.message).toBe(
      `the registry would refuse this image, so that it was not pushed there: ${graph.root.digest}: one reason; another; ${amd64.root.digest}: one reason; another`,
    );
    expect(destination.writes).toEqual([]);
    expect(destination.operations.every((operation) => operation.startsWith('has '))).toBe(true);
  });

  test('takes what goes with those that it holds already', async () => {
    const destination = refusing([amd64], amd64);
    await replicaOf(destination, graph).copy(descriptorOf(graph.root));
    expect(destination.manifests.size).toBe(graph.manifests.size);
  });

  test('is told of a manifest once, however many indexes list it', async () => {
    const listed = { ...descriptorOf(graph.root), platform: amd64.listed.platform };
    const outer = indexOf([amd64, { ...graph, listed }]);
    const destination = refusing([amd64]);
    await expect(replicaOf(destination, outer).copy(descriptorOf(outer.root))).rejects.toMatchObject({
      refused: [{ digest: amd64.root.digest }],
    });
    expect(destination.writes).toEqual([]);
  });

  test('may have blobs that came ahead of their manifest, but no manifest', async () => {
    const destination = refusing([amd64]);
    const replica = replicaOf(destination, graph);
    await Promise.all(blobsOf(arm64.root).map((blob) => replica.copy(blob)));
    await expect(replica.copy(descriptorOf(graph.root))).rejects.toThrow(ManifestRefusedError);
    expect(destination.blobs.size).toBe(blobsOf(arm64.root).length);
    expect(destination.manifests.size).toBe(0);
  });

  test('is looked at anew when a manifest could not be read', async () => {
    const destination = new MemoryDestination('region');
    const source = new MemoryDestination('source', graph);
    let failing = true;
    source.before = (operation) => {
      if (failing && operation === `read ${amd64.root.digest}`) throw new Error('is down');
    };
    const replica = new Replica(destination, source, { uploads: 6, observer: SILENT });
    await expect(replica.copy(descriptorOf(graph.root))).rejects.toThrow('is down');
    expect(destination.writes).toEqual([]);
    failing = false;
    await replica.copy(descriptorOf(graph.root));
    expect(destination.manifests.size).toBe(graph.manifests.size);
  });
});
