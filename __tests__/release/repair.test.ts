import { describe, expect, test } from '@jest/globals';
import type { Digest } from '../../src/image/digest.ts';
import { describe as descriptorOf } from '../../src/image/manifest.ts';
import { Replica, type TransferObserver } from '../../src/release/replicate.ts';
import { type Graph, imageOf, indexOf } from '../support/images.ts';
import { MemoryDestination, refused, SILENT, sourceOf } from '../support/memory.ts';
import { bytesOf } from './running.ts';

const amd64 = imageOf('linux/amd64');
const arm64 = imageOf('linux/arm64');
const graph = indexOf([amd64, arm64]);

/** A destination that says it holds whatever it is asked for. */
class Liar extends MemoryDestination {
  override statBlob = async (): Promise<number> => 0;
  override hasManifest = async (digest: Digest): Promise<boolean> =>
    digest !== graph.root.digest || this.manifests.has(digest);
}

function replicaOf(destination: MemoryDestination, source: Graph = graph, said: string[] = []): Replica {
  const observer: TransferObserver = {
    ...SILENT,
    repairs: (name, { digest }) => said.push(`${name} ${digest}`),
  };
  return new Replica(destination, sourceOf(source), { uploads: 2, observer });
}

describe('a destination that lacks what it said that it holds', () => {
  test('is given it, children first, and all of it is told', async () => {
    const destination = new Liar('region');
    const said: string[] = [];
    const replica = replicaOf(destination, graph, said);
    await replica.copy(descriptorOf(graph.root));
    expect([...destination.manifests.keys()].toSorted()).toEqual([...graph.manifests.keys()].toSorted());
    expect([...destination.blobs.keys()].toSorted()).toEqual([...graph.blobs.keys()].toSorted());
    expect(new Set(destination.writes).size).toBe(destination.writes.length);
    expect(replica.sent).toBe(bytesOf(graph));
    const lacked = [amd64.root.digest, arm64.root.digest, ...graph.blobs.keys()].toSorted();
    expect(replica.repaired.toSorted()).toEqual(lacked);
    expect(said.toSorted()).toEqual(lacked.map((digest) => `region ${digest}`));
  });

  test('is given what it names alone, where it names something', async () => {
    const destination = new Liar('region', amd64);
    const replica = replicaOf(destination);
    await replica.copy(descriptorOf(graph.root));
    expect(destination.writes).not.toContain(`manifest ${amd64.root.digest}`);
    expect(replica.repaired).not.toContain(amd64.root.digest);
    expect(replica.repaired).toContain(arm64.root.digest);
  });

  test('is given all that it names at once, however many they are', async () => {
    const layers = Array.from({ length: 300 }, (_, position) => `layer ${position}`);
    const large = imageOf('linux/amd64', { layers });
    const destination = new Liar('region');
    let refusals = 0;
    const { writeManifest } = destination;
    destination.writeManifest = async (reference, content) => {
      const missing = [...large.blobs.keys()].filter((digest) => !destination.blobs.has(digest));
      if (missing.length === 0) return writeManifest.call(destination, reference, content);
      refusals += 1;
      throw refused('BLOB_UPLOAD_UNKNOWN', `Layers with digests '${missing.join(', ')}' do not exist`, 404);
    };
    destination.hasManifest = async () => false;
    await replicaOf(destination, large).copy(descriptorOf(large.root));
    expect(refusals).toBe(1);
    expect(destination.blobs.size).toBe(large.blobs.size);
  });

  test('is given all that was not sent just now, where it names nothing', async () => {
    const [config, ...layers] = amd64.blobs.keys();
    const destination = new MemoryDestination('region', amd64);
    destination.manifests.clear();
    const [lost] = layers;
    if (!config || !lost) throw new Error('an image has a config and layers');
    destination.blobs.delete(config);
    destination.blobs.delete(lost);
    destination.statBlob = async (digest) => (digest === config ? undefined : 0);
    const { writeManifest } = destination;
    destination.writeManifest = async (reference, content) =>
      writeManifest.call(destination, reference, content).catch(() => {
        throw refused('BLOB_UPLOAD_UNKNOWN', 'some layers are missing', 404);
      });
    const replica = replicaOf(destination, amd64);
    await replica.copy(descriptorOf(amd64.root));
    expect(replica.repaired.toSorted()).toEqual(layers.toSorted());
    expect(destination.writes.filter((write) => write === `blob ${config}`)).toHaveLength(1);
  });

  test('is given it for a tag as well', async () => {
    const destination = new Liar('region');
    await replicaOf(destination).write('v1', graph.root);
    expect(destination.tags.get('v1')).toBe(graph.root.digest);
    expect(destination.blobs.size).toBe(graph.blobs.size);
  });

  test('and goes on saying so is given each part once, and then fails with what it said', async () => {
    const destination = new MemoryDestination('region', amd64);
    destination.manifests.clear();
    destination.writeManifest = async () => {
      throw refused('BLOB_UPLOAD_UNKNOWN', 'some layers are missing', 404);
    };
    await expect(replicaOf(destination, amd64).copy(descriptorOf(amd64.root))).rejects.toThrow(
      /BLOB_UPLOAD_UNKNOWN: some layers are missing$/,
    );
    expect(destination.writes.toSorted()).toEqual(
      [...amd64.blobs.keys()].map((each) => `blob ${each}`).toSorted(),
    );
  });

  test('fails with both reasons when nobody else has it', async () => {
    const destination = new Liar('region');
    const source = { ...graph, blobs: new Map([...graph.blobs].slice(1)) };
    await expect(replicaOf(destination, source).copy(descriptorOf(graph.root))).rejects.toThrow(
      /BLOB_UNKNOWN: sha256:.*; it could not be given what it lacks: source does not have sha256:/,
    );
    expect(destination.manifests.has(graph.root.digest)).toBe(false);
  });

  test('and refuses for another reason is given nothing', async () => {
    const destination = new MemoryDestination('region', amd64);
    destination.manifests.clear();
    destination.writeManifest = async () => {
      throw refused('DENIED', 'not allowed', 403);
    };
    const replica = replicaOf(destination, amd64);
    await expect(replica.copy(descriptorOf(amd64.root))).rejects.toThrow(/DENIED/);
    expect(replica.repaired).toEqual([]);
    expect(destination.writes).toEqual([]);
  });
});
