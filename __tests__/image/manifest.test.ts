import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { digestOf } from '../../src/image/digest.ts';
import {
  blobsOf,
  childrenOf,
  describe as descriptorOf,
  MAX_MANIFEST_BYTES,
  ManifestError,
  parseManifest,
  platformFromConfig,
  platformsOf,
} from '../../src/image/manifest.ts';
import { DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST } from '../../src/image/mediaTypes.ts';
import { graphs } from '../support/graphs.ts';
import { attestationOf, blobOf, imageOf, indexOf, manifestOf, OCI_CONFIG, utf8 } from '../support/images.ts';

const amd64 = imageOf('linux/amd64');
const arm64 = imageOf('linux/arm64');

function parseText(text: string, declared?: string) {
  return parseManifest(utf8(text), declared);
}

describe('reading a manifest', () => {
  test('both families are read, images and indexes', () => {
    const docker = imageOf('linux/amd64', { docker: true });
    expect(parseManifest(amd64.root.bytes).mediaType).toBe(OCI_MANIFEST);
    expect(parseManifest(docker.root.bytes).mediaType).toBe(DOCKER_MANIFEST);
    expect(parseManifest(indexOf([amd64]).root.bytes)).toMatchObject({ kind: 'index', mediaType: OCI_INDEX });
    expect(parseManifest(indexOf([docker]).root.bytes)).toMatchObject({
      kind: 'index',
      mediaType: DOCKER_LIST,
    });
  });

  test('the bytes stay as they came, with fields that nobody knows and their white space', () => {
    fc.assert(
      fc.property(graphs, ({ root }) => {
        const read = parseManifest(root.bytes, root.mediaType);
        expect(read.bytes).toBe(root.bytes);
        expect(read.digest).toBe(digestOf(root.bytes));
      }),
    );
  });

  test('its size is in bytes, not in characters', () => {
    const root = imageOf('linux/amd64', { fields: { annotations: { author: 'Jürgen 🐳' } } }).root;
    const text = new TextDecoder().decode(root.bytes);
    expect(descriptorOf(root).size).toBe(Buffer.byteLength(text));
    expect(descriptorOf(root).size).toBe(text.length + 3);
  });

  test('a manifest that does not say its type has the one that it was given as, or that its shape tells', () => {
    const { config, layers } = JSON.parse(new TextDecoder().decode(amd64.root.bytes));
    const image = JSON.stringify({ schemaVersion: 2, config, layers });
    expect(parseText(image).mediaType).toBe(OCI_MANIFEST);
    expect(parseText(image, `${DOCKER_MANIFEST}; charset=utf-8`).mediaType).toBe(DOCKER_MANIFEST);
    expect(parseText('{"schemaVersion":2,"manifests":[]}').mediaType).toBe(OCI_INDEX);
    expect(parseText(image, 'application/json').mediaType).toBe(OCI_MANIFEST);
  });

  test.each([
    ['something that is not JSON', 'hello', undefined, /not JSON in UTF-8/],
    ['a list', '[]', undefined, /not a valid a?/],
    [
      'two types at once',
      `{"mediaType":"${OCI_INDEX}","manifests":[]}`,
      DOCKER_LIST,
      /calls itself .* given as/,
    ],
    ['schema version 1', '{"schemaVersion":1,"fsLayers":[]}', undefined, /schema version 1.*rebuild/],
    [
      'a type that is none of images',
      '{"mediaType":"application/vnd.x","layers":[]}',
      undefined,
      /vnd\.x cannot be copied/,
    ],
    ['no shape at all', '{"schemaVersion":2}', undefined, /unknown cannot be copied/],
    ['an image without config', `{"mediaType":"${OCI_MANIFEST}","layers":[]}`, undefined, /config/],
    [
      'a digest that is a path',
      `{"manifests":[{"mediaType":"${OCI_MANIFEST}","size":1,"digest":"sha256:../../etc/passwd"}]}`,
      undefined,
      /manifests\.0\.digest: must be a digest/,
    ],
    [
      'a negative size',
      `{"manifests":[{"mediaType":"${OCI_MANIFEST}","size":-1,"digest":"sha256:${'a'.repeat(64)}"}]}`,
      undefined,
      /manifests\.0\.size/,
    ],
  ])('%s is refused', (_, text, declared, words) => {
    expect(() => parseText(text, declared)).toThrow(ManifestError);
    expect(() => parseText(text, declared)).toThrow(words);
  });

  test('bytes that are not UTF-8 are refused', () => {
    expect(() => parseManifest(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d))).toThrow(/UTF-8/);
  });

  test('more bytes than ECR takes are refused', () => {
    const at = `{"manifests":[],"x":"${'.'.repeat(MAX_MANIFEST_BYTES)}`;
    const fits = `${at.slice(0, MAX_MANIFEST_BYTES - 2)}"}`;
    expect(parseText(fits).bytes.byteLength).toBe(MAX_MANIFEST_BYTES);
    expect(() => parseText(`${fits} `)).toThrow(/over the limit/);
  });

  test('any bytes are either a manifest or refused as none', () => {
    const inputs = fc.oneof(fc.uint8Array(), fc.json().map(utf8), fc.string().map(utf8));
    fc.assert(
      fc.property(inputs, (bytes) => {
        try {
          expect(parseManifest(bytes).bytes).toBe(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(ManifestError);
        }
      }),
    );
  });
});

describe('what a manifest refers to', () => {
  test('an image needs its config and its layers, each once', () => {
    const { root, blobs } = imageOf('linux/amd64', { layers: ['one', 'two', 'one'] });
    expect(
      blobsOf(root)
        .map(({ digest }) => digest)
        .toSorted(),
    ).toEqual([...blobs.keys()].toSorted());
    expect(childrenOf(root)).toEqual([]);
  });

  test('layers that their publisher keeps are not needed', () => {
    const foreign = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';
    const kept = 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip';
    const config = blobOf(utf8('{}'), OCI_CONFIG);
    const layers = [blobOf(utf8('a'), foreign), blobOf(utf8('b'), kept)];
    expect(blobsOf(manifestOf({ mediaType: OCI_MANIFEST, config, layers }, OCI_MANIFEST))).toEqual([config]);
  });

  test('an index needs its children and no blobs', () => {
    const { root } = indexOf([amd64, arm64, amd64]);
    expect(childrenOf(root).map(({ digest }) => digest)).toEqual([amd64.root.digest, arm64.root.digest]);
    expect(blobsOf(root)).toEqual([]);
  });

  test('the platforms of an index are those that a runtime can pick', () => {
    const { root } = indexOf([arm64, amd64, attestationOf(arm64)]);
    if (root.kind !== 'index') throw new Error('not an index');
    expect(platformsOf(root)).toEqual([arm64.listed.platform, amd64.listed.platform]);
  });
});

describe('the platform in an image config', () => {
  test('is taken with variant and OS version', () => {
    const platform = { os: 'windows', architecture: 'arm', variant: 'v7', 'os.version': '10.0' };
    expect(platformFromConfig(utf8(JSON.stringify({ ...platform, rootfs: {} })))).toEqual(platform);
  });

  test.each(['{}', '{"os":"linux"}', '{"os":"","architecture":"amd64"}', 'nonsense', '{"os":7}'])(
    'is missed in %s',
    (config) => {
      expect(() => platformFromConfig(utf8(config))).toThrow(ManifestError);
    },
  );
});
