import { describe, expect, test } from '@jest/globals';
import { describe as descriptorOf } from '../../src/image/manifest.ts';
import { attestationOf, type Graph, imageOf, indexOf } from '../support/images.ts';
import { MemoryDestination, until } from '../support/memory.ts';
import { push } from '../support/push.ts';
import { start } from './ingest.ts';
import { exportLog } from './log.ts';

const amd64 = imageOf('linux/amd64');
const attestation = attestationOf(amd64);
const graph = indexOf([amd64, imageOf('linux/arm64'), attestation]);

const never = new Promise<never>(() => {});

function configsOf({ manifests }: Graph): string[] {
  return [...manifests.values()].flatMap((manifest) =>
    manifest.kind === 'image' ? [manifest.config.digest] : [],
  );
}

/** What the regions were asked, of the operations that begin with this word. */
function asked(word: string, ...destinations: MemoryDestination[]): string[] {
  return destinations.flatMap(({ operations }) =>
    operations.filter((operation) => operation.startsWith(`${word} `)),
  );
}

function names(digests: Iterable<string>, word: string): string[] {
  return [...digests].map((digest) => `${word} ${digest}`);
}

describe('where every region holds what the builder says it will push', () => {
  test('no blob is asked for, and the builder sends nothing but the configs', async () => {
    const all = ['one', 'two', 'three'].map((name) => new MemoryDestination(name, graph));
    const { ingest, replicas } = await start(...all);
    for (const line of exportLog(graph)) ingest.readLog(line);
    const sent = await push(ingest.reference, graph);
    await Promise.all(replicas.map((replica) => replica.copy(descriptorOf(graph.root))));
    expect(sent.toSorted()).toEqual(configsOf(graph).toSorted());
    expect(asked('stat', ...all)).toEqual([]);
    expect(all.flatMap(({ writes }) => writes)).toEqual([]);
  });

  test('each region is asked one question, and each manifest is read from one of them', async () => {
    const all = ['one', 'two', 'three'].map((name) => new MemoryDestination(name, graph));
    const { ingest } = await start(...all);
    for (const line of exportLog(graph)) ingest.readLog(line);
    await push(ingest.reference, graph);
    expect(asked('has', ...all)).toEqual(all.map(() => `has ${graph.root.digest}`));
    expect(asked('read', ...all).toSorted()).toEqual(names(graph.manifests.keys(), 'read').toSorted());
  });

  test('it is known for a single image, too', async () => {
    const region = new MemoryDestination('one', amd64);
    const { ingest } = await start(region);
    for (const line of exportLog(amd64)) ingest.readLog(line);
    expect(await push(ingest.reference, amd64)).toEqual(configsOf(amd64));
    expect(asked('stat', region)).toEqual([]);
  });
});

describe('where a region lacks the root', () => {
  test('the layers of an image that all hold are not asked for, once that is known', async () => {
    const [one, two] = [new MemoryDestination('one', graph), new MemoryDestination('two', amd64)];
    const built = indexOf([amd64, attestation]);
    const { ingest, base } = await start(one, two);
    for (const line of exportLog(built)) ingest.readLog(line);
    const [first] = attestation.blobs.keys();
    expect((await fetch(`${base}/blobs/${first}`, { method: 'HEAD' })).status).toBe(404);
    await until(() => asked('read', one, two).includes(`read ${amd64.root.digest}`));
    const sent = await push(ingest.reference, built);
    expect(sent.toSorted()).toEqual([...attestation.blobs.keys(), ...configsOf(amd64)].toSorted());
    const questions = asked('stat', one, two);
    for (const digest of amd64.blobs.keys()) expect(questions).not.toContain(`stat ${digest}`);
  });

  test('no blob waits for a farther region that never tells whether it has the root', async () => {
    const [near, far] = [new MemoryDestination('near'), new MemoryDestination('far')];
    far.before = (operation) => (operation.startsWith('has') ? never : undefined);
    const { ingest } = await start(near, far);
    for (const line of exportLog(graph)) ingest.readLog(line);
    expect(await push(ingest.reference, graph)).toHaveLength(graph.blobs.size);
  });

  test('one that cannot tell whether it has the root is one that lacks it', async () => {
    const [one, broken] = [new MemoryDestination('one', graph), new MemoryDestination('two', graph)];
    broken.before = (operation) => {
      if (operation.startsWith('has')) throw new Error('is down');
    };
    const { ingest } = await start(one, broken);
    for (const line of exportLog(graph)) ingest.readLog(line);
    await push(ingest.reference, graph);
    expect(asked('stat', one, broken)).not.toEqual([]);
  });

  test('a manifest that cannot be read is no help, and no failure', async () => {
    const region = new MemoryDestination('one', graph);
    region.before = (operation) => {
      if (operation.startsWith('read')) throw new Error('is down');
    };
    const { ingest } = await start(region);
    for (const line of exportLog(graph)) ingest.readLog(line);
    expect(await push(ingest.reference, graph)).toEqual([]);
    expect(asked('stat', region)).toHaveLength(graph.blobs.size);
  });
});

describe("without the builder's log", () => {
  test('each blob is asked for, after one moment for all of them', async () => {
    const image = imageOf('linux/amd64', {
      layers: Array.from({ length: 40 }, (_, each) => `layer ${each}`),
    });
    const region = new MemoryDestination('one', image);
    const { ingest } = await start(region);
    const began = performance.now();
    expect(await push(ingest.reference, image)).toEqual([]);
    // A moment for each blob would be ten seconds.
    expect(performance.now() - began).toBeLessThan(5000);
    expect(asked('stat', region)).toHaveLength(image.blobs.size);
    expect(asked('has', region)).toEqual([]);
  });

  test("a build's own output that looks like it is not believed", async () => {
    const region = new MemoryDestination('one', graph);
    const { ingest } = await start(region);
    for (const line of exportLog(graph)) ingest.readLog(line.replace('#39 ', '#12 0.415 '));
    await push(ingest.reference, graph);
    expect(asked('has', region)).toEqual([]);
    expect(asked('stat', region)).toHaveLength(graph.blobs.size);
  });
});
