import { link, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from '@jest/globals';
import { digestOf, hexOf } from '../../src/image/digest.ts';
import { blobsOf, describe as descriptorOf, platformsOf } from '../../src/image/manifest.ts';
import { LayoutError, openLayout } from '../../src/layout/layout.ts';
import type { Source } from '../../src/release/content.ts';
import { Replica } from '../../src/release/replicate.ts';
import { makeFolder } from '../support/folder.ts';
import { attestationOf, type Graph, imageOf, indexOf } from '../support/images.ts';
import { writeLayout } from '../support/layout.ts';
import { MemoryDestination, SILENT } from '../support/memory.ts';

const amd64 = imageOf('linux/amd64');
const arm64 = imageOf('linux/arm64');
const [config] = blobsOf(amd64.root);

async function layoutOf(graph: Graph, entries?: Parameters<typeof writeLayout>[2]): Promise<string> {
  const dir = await makeFolder();
  await writeLayout(dir, graph, entries);
  return dir;
}

function fileOf(dir: string, digest = config?.digest ?? amd64.root.digest): string {
  return join(dir, 'blobs', 'sha256', hexOf(digest));
}

describe('an OCI layout', () => {
  test('with one index has it as its root', async () => {
    const graph = indexOf([amd64, arm64, attestationOf(amd64)]);
    const { root, source } = await openLayout(await layoutOf(graph));
    expect(root).toEqual({ ...graph.root, bytes: Buffer.from(graph.root.bytes) });
    const destination = new MemoryDestination('region');
    await new Replica(destination, source, { uploads: 2, observer: SILENT }).copy(descriptorOf(root));
    expect(destination.manifests.size).toBe(4);
    expect(destination.blobs.size).toBe(graph.blobs.size);
  });

  test('with one image, listed with a platform and a name, has it as its root', async () => {
    const entry = { ...amd64.listed, annotations: { 'org.opencontainers.image.ref.name': 'latest' } };
    const { root } = await openLayout(await layoutOf(amd64, [entry]));
    expect(root).toMatchObject({ kind: 'image', digest: amd64.root.digest });
  });

  test('with one image under several names has it as its root', async () => {
    const entries = ['latest', 'v1'].map((name) => ({
      ...amd64.listed,
      annotations: { 'org.opencontainers.image.ref.name': name },
    }));
    const { root } = await openLayout(await layoutOf(amd64, entries));
    expect(root.digest).toBe(amd64.root.digest);
  });

  test('with one image a platform has an index of them as its root', async () => {
    const both = indexOf([amd64, arm64]);
    const { root, source } = await openLayout(await layoutOf(both, [arm64.listed, amd64.listed]));
    expect(root.kind === 'index' && platformsOf(root)).toEqual([
      amd64.listed.platform,
      arm64.listed.platform,
    ]);
    expect(await source.manifest(descriptorOf(root))).toBe(root);
    expect((await source.manifest(arm64.listed)).digest).toBe(arm64.root.digest);
  });

  test('of Docker media types is read too', async () => {
    const docker = imageOf('linux/amd64', { docker: true });
    const { root } = await openLayout(await layoutOf(docker));
    expect(root).toMatchObject({ kind: 'image', mediaType: docker.root.mediaType });
  });
});

describe('a folder that cannot be published', () => {
  test.each([
    ['oci-layout', /is not an OCI layout directory: oci-layout cannot be read/],
    ['index.json', /is not an OCI layout directory: index\.json cannot be read/],
  ])('lacks %s', async (name, words) => {
    const dir = await layoutOf(amd64);
    await rm(join(dir, name));
    await expect(openLayout(dir)).rejects.toThrow(LayoutError);
    await expect(openLayout(dir)).rejects.toThrow(words);
  });

  test('lists no image', async () => {
    await expect(openLayout(await layoutOf(amd64, []))).rejects.toThrow(/without an image/);
  });

  test('lists several images and not their platforms', async () => {
    const entries = [amd64.listed, descriptorOf(arm64.root)];
    await expect(openLayout(await layoutOf(indexOf([amd64, arm64]), entries))).rejects.toThrow(
      /2 images, not all with a platform/,
    );
  });

  test.each(['sha256:../../../etc/passwd', 'sha256:/etc/passwd', '../x', 'sha512:00'])(
    'names the digest "%s"',
    async (digest) => {
      const dir = await layoutOf(amd64);
      const entry = { ...descriptorOf(amd64.root), digest };
      await writeFile(join(dir, 'index.json'), JSON.stringify({ manifests: [entry] }));
      await expect(openLayout(dir)).rejects.toThrow(/must be a digest/);
    },
  );

  test('lacks the manifest that it lists', async () => {
    const dir = await layoutOf(amd64);
    await rm(fileOf(dir, amd64.root.digest));
    await expect(openLayout(dir)).rejects.toThrow(`lacks ${amd64.root.digest}`);
  });

  test('lists a manifest that is none', async () => {
    const bytes = Buffer.from('no JSON');
    const listed = { ...descriptorOf(amd64.root), digest: digestOf(bytes), size: bytes.byteLength };
    const dir = await layoutOf(amd64, [listed]);
    await writeFile(fileOf(dir, listed.digest), bytes);
    await expect(openLayout(dir)).rejects.toThrow(LayoutError);
    await expect(openLayout(dir)).rejects.toThrow(
      `${dir}: ${listed.digest}: the manifest is not JSON in UTF-8: write the layout anew, with an image or an index there`,
    );
  });

  test('lists a manifest of an impossible size', async () => {
    const dir = await layoutOf(amd64, [{ ...descriptorOf(amd64.root), size: 50_000_000 }]);
    await expect(openLayout(dir)).rejects.toThrow(/larger than a manifest may be/);
  });
});

describe('a blob of a layout', () => {
  /** Opens the layout, spoils it, and reads the image's config. */
  async function readSpoiled(spoil: (dir: string) => Promise<unknown>): Promise<Buffer> {
    const dir = await layoutOf(amd64);
    const { source } = await openLayout(dir);
    await spoil(dir);
    if (!config) throw new Error('the image has a config');
    return buffer(await source.blob(config));
  }

  /** What each of several readers that begin at once is refused with; there is one a region. */
  async function refusalsOf(dir: string, source: Source): Promise<readonly string[]> {
    if (!config) throw new Error('the image has a config');
    const readings = Array.from({ length: 3 }, async () => buffer(await source.blob(config)));
    const outcomes = await Promise.allSettled(readings);
    return outcomes.map((outcome) => {
      if (outcome.status === 'fulfilled') throw new Error('it was read');
      expect(outcome.reason).toBeInstanceOf(LayoutError);
      return String(outcome.reason.message).replaceAll(dir, 'DIR');
    });
  }

  test.each([
    ['shorter', -1],
    ['longer', 1],
  ])('that is %s than its descriptor says is refused alike by all that read it', async (_, more) => {
    const dir = await layoutOf(amd64);
    const { source } = await openLayout(dir);
    const size = config?.size ?? 0;
    await truncate(fileOf(dir), size + more);
    const words = `DIR has ${size + more} bytes for ${config?.digest}, which is to have ${size}: write the layout anew, whole`;
    expect(await refusalsOf(dir, source)).toEqual([words, words, words]);
  });

  test('that was read once, and is shorter afterwards, is refused as well', async () => {
    const dir = await layoutOf(amd64);
    const { source } = await openLayout(dir);
    if (!config) throw new Error('the image has a config');
    await buffer(await source.blob(config));
    await truncate(fileOf(dir), 3);
    await expect(source.blob(config)).rejects.toThrow(`has 3 bytes for ${config.digest}`);
  });

  test('that is right is read', async () => {
    expect((await readSpoiled(async () => undefined)).byteLength).toBe(config?.size);
  });

  test('that is damaged is refused', async () => {
    const damage = readSpoiled((dir) => writeFile(fileOf(dir), Buffer.alloc(config?.size ?? 0)));
    await expect(damage).rejects.toThrow(LayoutError);
    await expect(damage).rejects.toThrow(
      /gave content of digest sha256:\w+ for sha256:\w+: write the layout anew, whole$/,
    );
  });

  test('that is cut short is refused', async () => {
    await expect(readSpoiled((dir) => truncate(fileOf(dir), 3))).rejects.toThrow(/has 3 bytes/);
  });

  test('that is missing is refused', async () => {
    await expect(readSpoiled((dir) => rm(fileOf(dir)))).rejects.toThrow(/lacks sha256:.*ENOENT/);
  });

  test('that is a link is not followed, even to the right bytes', async () => {
    const elsewhere = await makeFolder();
    const replace = async (dir: string) => {
      await rename(fileOf(dir), join(elsewhere, 'config'));
      await symlink(join(elsewhere, 'config'), fileOf(dir));
    };
    await expect(readSpoiled(replace)).rejects.toThrow(/lacks sha256:.*ELOOP/);
  });

  test('that is a hard link, as build caches make them, is read', async () => {
    const elsewhere = join(await makeFolder(), 'config');
    const replace = async (dir: string) => {
      await rename(fileOf(dir), elsewhere);
      await link(elsewhere, fileOf(dir));
    };
    expect((await readSpoiled(replace)).byteLength).toBe(config?.size);
  });
});
