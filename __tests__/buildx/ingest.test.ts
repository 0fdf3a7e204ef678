import { request } from 'node:http';
import { networkInterfaces } from 'node:os';
import { describe, expect, test } from '@jest/globals';
import { startIngest } from '../../src/buildx/ingest.ts';
import { BlobStore } from '../../src/distribution/server/blobStore.ts';
import { describe as descriptorOf } from '../../src/image/manifest.ts';
import { Spool } from '../../src/release/spool.ts';
import { atEnd } from '../support/ends.ts';
import { makeFolder } from '../support/folder.ts';
import { attestationOf, blobOf, type Image, imageOf, indexOf, OCI_LAYER, utf8 } from '../support/images.ts';
import { MemoryDestination, turn, until } from '../support/memory.ts';
import { push } from '../support/push.ts';
import { start, startBefore, startWhile } from './ingest.ts';

const amd64 = imageOf('linux/amd64');
const graph = indexOf([amd64, imageOf('linux/arm64'), attestationOf(amd64)]);

const layer = utf8('a layer');

/** Uploads a blob without asking whether it is there; gives the status. */
async function uploadTo(base: string, content = layer): Promise<number> {
  const started = await fetch(`${base}/blobs/uploads/`, { method: 'POST' });
  const { digest } = blobOf(content, OCI_LAYER);
  const target = new URL(`${started.headers.get('location')}?digest=${digest}`, base);
  return (await fetch(target, { method: 'PUT', body: new Uint8Array(content) })).status;
}

const regions = () => ['one', 'two', 'three'].map((name) => new MemoryDestination(name));

describe('what a builder pushes', () => {
  test.each([false, true])(
    'reaches every region whole (in chunks: %s), and its root is known by the tag',
    async (chunked) => {
      const destinations = regions();
      const { ingest, replicas } = await start(...destinations);
      expect(ingest.root).toBeUndefined();
      await push(ingest.reference, graph, { chunked });
      const { root } = ingest;
      if (!root) throw new Error('no root was pushed');
      expect(Buffer.from(root.bytes)).toEqual(Buffer.from(graph.root.bytes));
      await Promise.all(replicas.map((replica) => replica.copy(descriptorOf(root))));
      for (const { blobs, manifests, writes } of destinations) {
        expect([...blobs.keys()].toSorted()).toEqual([...graph.blobs.keys()].toSorted());
        expect(manifests.size).toBe(graph.manifests.size);
        expect(new Set(writes).size).toBe(writes.length);
      }
    },
  );

  test('is taken whole where there is no region, and can be read here', async () => {
    const { ingest, base } = await start();
    const sent = await push(ingest.reference, graph);
    expect(sent.toSorted()).toEqual([...graph.blobs.keys()].toSorted());
    expect(ingest.root?.digest).toBe(graph.root.digest);
    for (const [digest, content] of graph.blobs) {
      const answer = await fetch(`${base}/blobs/${digest}`);
      expect(Buffer.from(await answer.arrayBuffer())).toEqual(Buffer.from(content));
    }
  });

  test('goes to the regions before any manifest has come', async () => {
    const destinations = regions();
    const { ingest } = await start(...destinations);
    await push(ingest.reference, amd64);
    await until(() => destinations.every(({ blobs }) => blobs.size === amd64.blobs.size));
    expect(destinations.flatMap(({ manifests }) => [...manifests])).toEqual([]);
  });

  test('goes to the regions while it still arrives', async () => {
    const content = Buffer.alloc(400_000, 'layer ');
    const { digest } = blobOf(content, OCI_LAYER);
    const arrived = new Map<string, number>();
    const destinations = regions();
    for (const destination of destinations) {
      destination.writeBlob = async (_, open) => {
        for await (const chunk of await open()) {
          arrived.set(destination.name, (arrived.get(destination.name) ?? 0) + chunk.length);
        }
        return 'sent';
      };
    }
    const { base } = await start(...destinations);
    const started = await fetch(`${base}/blobs/uploads/`, { method: 'POST' });
    const target = new URL(`${started.headers.get('location')}?digest=${digest}`, base);
    const upload = request(target, { method: 'PUT', headers: { 'content-length': content.length } });
    const answered = new Promise((resolve) => upload.once('response', resolve));
    upload.write(content.subarray(0, 200_000));
    await until(() => destinations.every(({ name }) => arrived.get(name) === 200_000));
    upload.end(content.subarray(200_000));
    expect(await answered).toMatchObject({ statusCode: 201 });
    await until(() => destinations.every(({ name }) => arrived.get(name) === 400_000));
  });

  test('keeps no region waiting for one that fails, and does not fail the push', async () => {
    const destinations = regions();
    const [broken, ...others] = destinations;
    if (broken) {
      broken.writeBlob = async () => Promise.reject(new Error('is down'));
    }
    const { ingest, replicas } = await start(...destinations);
    await push(ingest.reference, amd64);
    const outcomes = await Promise.allSettled(replicas.map((each) => each.copy(descriptorOf(amd64.root))));
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
    expect(others.every(({ manifests }) => manifests.has(amd64.root.digest))).toBe(true);
  });

  test('reaches the regions when the builder breaks an upload off and sends it again', async () => {
    const destinations = regions();
    const layer = Buffer.alloc(300_000, 'layer ');
    const image: Image = imageOf('linux/amd64', { layers: [layer] });
    const { ingest, replicas, base } = await start(...destinations);
    const started = await fetch(`${base}/blobs/uploads/`, { method: 'POST' });
    const { digest } = blobOf(layer, OCI_LAYER);
    const target = new URL(`${started.headers.get('location')}?digest=${digest}`, base);
    const upload = request(target, { method: 'PUT', headers: { 'content-length': layer.length } });
    upload.on('error', () => undefined);
    upload.write(layer.subarray(0, 100_000));
    await until(() => destinations.every(({ operations }) => operations.includes(`blob ${digest}`)));
    upload.destroy();
    await push(ingest.reference, image);
    await Promise.all(replicas.map((replica) => replica.copy(descriptorOf(image.root))));
    expect(destinations.every(({ manifests }) => manifests.has(image.root.digest))).toBe(true);
  });

  test('is taken at once, and goes to the other regions, though one takes its bytes very slowly', async () => {
    const layers = ['one', 'two', 'three'].map((layer) => Buffer.alloc(3_000_000, `layer ${layer} `));
    const image = imageOf('linux/amd64', { layers });
    const [slow, ...others] = regions();
    if (!slow) throw new Error('three regions');
    const began = new Set<string>();
    const stalled = Promise.withResolvers<void>();
    atEnd(stalled.resolve);
    slow.writeBlob = async ({ digest }, open) => {
      for await (const _ of await open()) {
        began.add(digest);
        await stalled.promise;
      }
      return 'sent';
    };
    const { ingest, replicas } = await start(slow, ...others);
    await push(ingest.reference, image);
    await Promise.all(replicas.slice(1).map((replica) => replica.copy(descriptorOf(image.root))));
    expect(others.every(({ manifests }) => manifests.has(image.root.digest))).toBe(true);
    await until(() => began.size === image.blobs.size);
    expect(slow.writes).toEqual([]);
  });

  test('that is damaged is refused', async () => {
    const { ingest } = await start(...regions());
    const blobs = new Map([...amd64.blobs.keys()].map((digest) => [digest, Buffer.from('damaged')]));
    await expect(push(ingest.reference, { ...amd64, blobs })).rejects.toThrow(/^400: .*DIGEST_INVALID/);
    expect(ingest.root).toBeUndefined();
  });
});

describe('asked whether a blob is there', () => {
  test('the regions answer: what all of them hold need not be sent', async () => {
    const { ingest } = await start(new MemoryDestination('one', amd64), new MemoryDestination('two', amd64));
    expect(await push(ingest.reference, amd64)).toEqual([]);
  });

  test('one region that lacks it is enough for it to be sent', async () => {
    const { ingest } = await start(new MemoryDestination('one', amd64), new MemoryDestination('two'));
    expect(await push(ingest.reference, amd64)).toHaveLength(amd64.blobs.size);
  });

  test('a region that cannot answer is one that lacks it', async () => {
    const broken = new MemoryDestination('two', amd64);
    broken.before = (operation) => {
      if (operation.startsWith('stat')) throw new Error('is down');
    };
    const { ingest } = await start(new MemoryDestination('one', amd64), broken);
    expect(await push(ingest.reference, amd64)).toHaveLength(amd64.blobs.size);
  });

  test('a region that could not answer is not waited for again: the builder sends what comes after, too', async () => {
    const [one, dark] = regions();
    if (!one || !dark) throw new Error('two regions');
    one.hold(graph);
    dark.before = (operation) => {
      if (operation.startsWith('stat')) throw new Error('silence');
    };
    const { base } = await start(one, dark);
    const asked = [...graph.blobs.keys()];
    const statuses: number[] = [];
    for (const digest of asked) {
      statuses.push((await fetch(`${base}/blobs/${digest}`, { method: 'HEAD' })).status);
    }
    expect(statuses).toEqual(asked.map(() => 404));
    expect(dark.operations.filter((each) => each.startsWith('stat'))).toHaveLength(1);
  });

  test('the first region that lacks it decides, though a farther one has not answered yet', async () => {
    const far = new MemoryDestination('far', amd64);
    far.before = (operation) => (operation.startsWith('stat') ? new Promise(() => {}) : undefined);
    const { ingest } = await start(far, new MemoryDestination('near'));
    expect(await push(ingest.reference, amd64)).toHaveLength(amd64.blobs.size);
  });

  test('what was sent before is there', async () => {
    const { ingest } = await start(...regions());
    await push(ingest.reference, amd64);
    expect(await push(ingest.reference, amd64)).toEqual([]);
  });
});

describe('before the regions are known', () => {
  const [digest = ''] = amd64.blobs.keys();

  test('the question whether a blob is there waits for them', async () => {
    const opening = Promise.withResolvers<void>();
    const { base } = await startBefore(opening.promise, new MemoryDestination('one', amd64));
    let answered = false;
    const asking = fetch(`${base}/blobs/${digest}`, { method: 'HEAD' }).finally(() => {
      answered = true;
    });
    // Other questions are answered meanwhile.
    expect((await fetch(`${base}/manifests/build`)).status).toBe(404);
    expect(answered).toBe(false);
    opening.resolve();
    expect((await asking).status).toBe(200);
  });

  test('a blob that comes is taken, and goes to them when they are', async () => {
    const opening = Promise.withResolvers<void>();
    const destinations = regions();
    const { base } = await startBefore(opening.promise, ...destinations);
    expect(await uploadTo(base)).toBe(201);
    opening.resolve();
    await until(() => destinations.every(({ blobs }) => blobs.has(blobOf(layer, OCI_LAYER).digest)));
  });

  test('a blob that one lacks which is open is taken, and all get ready for it when all are open', async () => {
    const opening = Promise.withResolvers<void>();
    const [near, far] = [new MemoryDestination('near'), new MemoryDestination('far')];
    const { ingest } = await startWhile(opening.promise, [
      { destination: near, opening: Promise.resolve() },
      { destination: far, opening: opening.promise },
    ]);
    expect(await push(ingest.reference, amd64)).toHaveLength(amd64.blobs.size);
    expect(near.operations.every((operation) => /^(stat|has) /.test(operation))).toBe(true);
    expect([far.operations, near.expected, far.expected]).toEqual([[], 0, 0]);
    opening.resolve();
    await until(() => [near, far].every(({ blobs }) => blobs.size === amd64.blobs.size));
    expect([near, far].every(({ expected }) => expected >= amd64.blobs.size)).toBe(true);
  });

  test('a blob that one has which is open waits for the others', async () => {
    const opening = Promise.withResolvers<void>();
    const { base } = await startWhile(opening.promise, [
      { destination: new MemoryDestination('near', amd64), opening: Promise.resolve() },
      { destination: new MemoryDestination('far'), opening: opening.promise },
    ]);
    const asking = fetch(`${base}/blobs/${digest}`, { method: 'HEAD' });
    const first = await Promise.race([asking, turn().then(() => 'nobody')]);
    expect(first).toBe('nobody');
    opening.resolve();
    expect((await asking).status).toBe(404);
  });

  test('a failure to open them keeps nobody waiting, and nothing goes to any of them', async () => {
    const opening = Promise.withResolvers<void>();
    const destinations = regions();
    const { ingest, base } = await startBefore(opening.promise, ...destinations);
    expect(await uploadTo(base)).toBe(201);
    const pushing = push(ingest.reference, amd64);
    opening.reject(new Error('no token'));
    // A rejection that goes unhandled fails the test.
    expect(await pushing).toHaveLength(amd64.blobs.size);
    expect(await uploadTo(base, utf8('another'))).toBe(201);
    expect(destinations.flatMap(({ operations }) => operations)).toEqual([]);
  });
});

describe('nobody else', () => {
  test('finds anything without the path, which is another one each time', async () => {
    const one = await start();
    const { origin } = new URL(one.base);
    const other = await start();
    expect(new URL(one.base).pathname).toMatch(/^\/v2\/[0-9a-f]{32}\/app$/);
    expect(new URL(one.base).pathname).not.toBe(new URL(other.base).pathname);
    for (const name of ['app', `${'0'.repeat(32)}/app`, new URL(other.base).pathname.slice(4)]) {
      const answers = [
        await fetch(`${origin}/v2/${name}/manifests/build`),
        await fetch(`${origin}/v2/${name}/blobs/uploads/`, { method: 'POST' }),
        await fetch(`${origin}/v2/${name}/tags/list`),
      ];
      expect(answers.map(({ status }) => status)).toEqual([404, 404, 404]);
    }
    expect([one.ingest.reached, other.ingest.reached]).toEqual([false, false]);
    await fetch(`${one.base}/blobs/${graph.root.digest}`, { method: 'HEAD' });
    expect(one.ingest.reached).toBe(true);
  });

  test('reaches it by another address of this machine', async () => {
    const { base } = await start();
    const addresses = Object.values(networkInterfaces())
      .flatMap((all) => all ?? [])
      .filter(({ family, internal }) => family === 'IPv4' && !internal)
      .map(({ address }) => address);
    for (const address of [...addresses, '127.0.0.2']) {
      const url = new URL(base);
      url.hostname = address;
      await expect(fetch(url)).rejects.toThrow();
    }
  });

  test('can delete what was pushed', async () => {
    const { ingest, base } = await start();
    await push(ingest.reference, amd64);
    expect((await fetch(`${base}/manifests/build`, { method: 'DELETE' })).status).toBe(405);
    expect(ingest.root?.digest).toBe(amd64.root.digest);
  });
});

test('an address that is none of this machine is told with the system code', async () => {
  const spool = new Spool(new BlobStore(await makeFolder()));
  const starting = startIngest({
    host: '192.0.2.1',
    name: 'app',
    spool,
    regions: [],
    replicas: Promise.resolve([]),
  });
  await expect(starting).rejects.toMatchObject({ code: 'EADDRNOTAVAIL' });
});
