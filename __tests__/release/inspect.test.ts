import { Readable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { blobsOf, describe as descriptorOf, ManifestError, parseManifest } from '../../src/image/manifest.ts';
import { OCI_INDEX } from '../../src/image/mediaTypes.ts';
import { inspectRoot } from '../../src/release/inspect.ts';
import { attestationOf, type Image, imageOf, indexOf, sociOf, utf8 } from '../support/images.ts';
import { sourceOf } from '../support/memory.ts';

const amd64 = imageOf('linux/amd64');
const arm64 = imageOf('linux/arm64');

/** An image, listed under another platform than its own. */
function listedAs(image: Image, platform: Image['listed']['platform']): Image {
  return { ...image, listed: { ...image.listed, platform } };
}

describe('looking into what was built', () => {
  test('an index has its images, with the platforms of their configs, and its attestations', async () => {
    const attestation = attestationOf(amd64);
    const graph = indexOf([amd64, arm64, attestation]);
    const { images, attestations } = await inspectRoot(graph.root, sourceOf(graph));
    expect(images.map(({ descriptor }) => descriptor)).toEqual([amd64.listed, arm64.listed]);
    expect(attestations).toEqual([attestation.listed]);
    const bytes = [...amd64.blobs.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
    expect(images[0]?.bytes).toBe(bytes);
  });

  test('a single image has the platform of its config', async () => {
    const { images, attestations } = await inspectRoot(arm64.root, sourceOf(arm64));
    expect(images.map(({ descriptor }) => descriptor)).toEqual([
      { ...descriptorOf(arm64.root), platform: { os: 'linux', architecture: 'arm64' } },
    ]);
    expect(attestations).toEqual([]);
  });

  test('an image that is listed under another platform than its own is refused', async () => {
    const graph = indexOf([listedAs(amd64, { os: 'linux', architecture: 'arm64' })]);
    const failure = inspectRoot(graph.root, sourceOf(graph));
    await expect(failure).rejects.toThrow(ManifestError);
    await expect(failure).rejects.toThrow(
      /is listed as linux\/arm64, but its own config says linux\/amd64: check the FROM --platform/,
    );
  });

  test('another variant is another platform', async () => {
    const v6 = imageOf('linux/arm/v6');
    const graph = indexOf([listedAs(v6, { os: 'linux', architecture: 'arm', variant: 'v7' })]);
    await expect(inspectRoot(graph.root, sourceOf(graph))).rejects.toThrow(/listed as linux\/arm\/v7/);
  });

  test('another spelling of the same platform is the same', async () => {
    const graph = indexOf([listedAs(arm64, { os: 'linux', architecture: 'aarch64', variant: 'v8' })]);
    const { images } = await inspectRoot(graph.root, sourceOf(graph));
    expect(images[0]?.descriptor.platform).toEqual({ os: 'linux', architecture: 'arm64' });
  });

  /** A source whose blobs break off in the middle so many times, by such a failure. */
  function breaking(times: number, failure: Error) {
    const source = sourceOf(arm64);
    let opened = 0;
    const blob: typeof source.blob = async (descriptor) => {
      opened += 1;
      if (opened > times) return source.blob(descriptor);
      return Readable.from(
        (async function* () {
          yield Buffer.from('{');
          throw failure;
        })(),
      );
    };
    return { ...source, blob };
  }

  test('a config that breaks off in the middle is read again, once', async () => {
    const reset = Object.assign(new Error('reset'), { code: 'ECONNRESET' });
    const { images } = await inspectRoot(arm64.root, breaking(1, reset));
    expect(images).toHaveLength(1);
    await expect(inspectRoot(arm64.root, breaking(2, reset))).rejects.toBe(reset);
  });

  test('a config that fails for good is not read again', async () => {
    const gone = new Error('gone');
    await expect(inspectRoot(arm64.root, breaking(1, gone))).rejects.toBe(gone);
  });

  test('an OS version is taken from the config', async () => {
    const windows = imageOf('windows/amd64', { config: { 'os.version': '10.0.20348.1' } });
    const graph = indexOf([windows]);
    const { images } = await inspectRoot(graph.root, sourceOf(graph));
    expect(images[0]?.descriptor.platform).toMatchObject({ os: 'windows', 'os.version': '10.0.20348.1' });
  });

  test('an image that an index lists without a platform is refused: no runtime would find it', async () => {
    const { platform: _, ...unlisted } = amd64.listed;
    const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [unlisted] };
    const root = parseManifest(utf8(JSON.stringify(index)));
    await expect(inspectRoot(root, sourceOf(amd64))).rejects.toThrow(/without a platform/);
  });

  test('a SOCI index speaks of an image, and is none itself', async () => {
    const soci = sociOf(arm64);
    const graph = indexOf([amd64, arm64, soci]);
    const { images, attestations } = await inspectRoot(graph.root, sourceOf(graph));
    expect(images.map(({ descriptor }) => descriptor.digest)).toEqual([amd64.root.digest, arm64.root.digest]);
    expect(attestations).toEqual([soci.listed]);
  });

  test('an index of attestations alone is refused', async () => {
    const graph = indexOf([attestationOf(amd64)]);
    await expect(inspectRoot(graph.root, sourceOf(graph))).rejects.toThrow(/holds no image/);
  });

  test('an index with several images of one platform is refused, and each such platform is told of', async () => {
    const twins = [
      imageOf('linux/amd64', { layers: ['twin'] }),
      imageOf('linux/arm64', { layers: ['twin'] }),
    ];
    const graph = indexOf([amd64, arm64, ...twins]);
    const [first, second] = twins.map(({ root }) => root.digest);
    await expect(inspectRoot(graph.root, sourceOf(graph))).rejects.toThrow(
      `${graph.root.digest} has several images of linux/amd64 (${amd64.root.digest} and ${first}) and of linux/arm64 (${arm64.root.digest} and ${second}), of which a runtime would take the first, whichever that is: leave one of each platform in it`,
    );
  });

  test('an index with two Windows versions has two platforms', async () => {
    const windows = ['10.0.20348.1', '10.0.26100.1'].map((version) =>
      imageOf('windows/amd64', { config: { 'os.version': version } }),
    );
    const graph = indexOf(windows);
    const { images } = await inspectRoot(graph.root, sourceOf(graph));
    expect(images).toHaveLength(2);
  });

  test('an index in an index is refused', async () => {
    const inner = indexOf([amd64]);
    const graph = indexOf([
      { ...amd64, listed: { ...descriptorOf(inner.root), platform: amd64.listed.platform } },
    ]);
    await expect(inspectRoot(graph.root, sourceOf(graph))).rejects.toThrow(/holds another index/);
  });

  test.each([
    ['that names no platform', '{"os":""}', 'the image config names no os and architecture'],
    ['that is not JSON', 'no JSON', 'the image config is not JSON in UTF-8'],
    ['that is an array', '[]', 'not a valid image config: the whole: '],
    ['that is too large', ' '.repeat(8 * 1024 * 1024 + 1), 'it has 8388609 bytes, and may have 8388608'],
  ])('a config %s is refused, with its digest and that of its image', async (_, text, why) => {
    const broken = imageOf('linux/amd64', { config: text });
    const [config] = blobsOf(broken.root);
    const failure = inspectRoot(broken.root, sourceOf(broken));
    await expect(failure).rejects.toThrow(ManifestError);
    await expect(failure).rejects.toThrow(
      `${broken.root.digest}: its config ${config?.digest} cannot be used: ${why}`,
    );
    await expect(failure).rejects.toThrow(/: build the image anew, with its os and architecture there$/);
  });
});
