import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ECR_BEHAVIOUR } from '../../emulator/behaviour.ts';
import { EcrError } from '../../emulator/errors.ts';
import { pushImage } from '../../emulator/state/push.ts';
import { Repository } from '../../emulator/state/repository.ts';
import { BlobStore } from '../../src/distribution/server/blobStore.ts';
import { ecrRefusals } from '../../src/ecr/manifestRules.ts';
import type { Descriptor } from '../../src/image/descriptor.ts';
import { digestOf } from '../../src/image/digest.ts';
import {
  blobsOf,
  childrenOf,
  describe as descriptorOf,
  type Manifest,
  ManifestError,
  parseManifest,
} from '../../src/image/manifest.ts';
import { isIndexType, isManifestType, OCI_INDEX, OCI_MANIFEST } from '../../src/image/mediaTypes.ts';
import { ManifestRefusedError } from '../../src/release/refused.ts';
import { Replica } from '../../src/release/replicate.ts';
import { emulate, openEmulated } from '../support/emulated.ts';
import { makeFolder } from '../support/folder.ts';
import { attestationOf, blobOf, imageOf, indexOf, OCI_LAYER, utf8 } from '../support/images.ts';
import { SILENT, sourceOf } from '../support/memory.ts';

const amd64 = imageOf('linux/amd64');
const arm64 = imageOf('linux/arm64');
/** https://github.com/opencontainers/image-spec/blob/main/manifest.md#guidance-for-an-empty-descriptor */
const EMPTY = blobOf(utf8('{}'), 'application/vnd.oci.empty.v1+json');
const layer = blobOf(utf8('layer'), OCI_LAYER);
const MiB = 1024 * 1024;

/** An image whose manifest has these fields, instead of others or besides them. */
const image = (fields: Readonly<Record<string, unknown>>) => imageOf('linux/amd64', { fields }).root;
/** An index of two images, of which the second is listed with these fields. */
const listing = (fields: Readonly<Record<string, unknown>>) =>
  indexOf([amd64, { ...arm64, listed: { ...arm64.listed, ...fields } }]).root;

describe('a manifest that ECR takes', () => {
  test.each<[string, Manifest]>([
    ['an image', amd64.root],
    ['an image of the Docker family', imageOf('linux/arm64', { docker: true }).root],
    [
      'an index with attestations and annotations',
      indexOf([amd64, attestationOf(amd64)], { annotations: { a: 'b' } }).root,
    ],
    ['a list of the Docker family', indexOf([imageOf('linux/arm64', { docker: true })]).root],
    [
      'an artifact with an empty config that is attached to an image',
      image({
        artifactType: 'application/vnd.example.sbom.v1+json',
        config: EMPTY,
        layers: [{ ...layer, annotations: { 'org.opencontainers.image.title': 'sbom.json' } }],
        subject: descriptorOf(amd64.root),
      }),
    ],
    ['a layer as large as it may be', image({ layers: [{ ...layer, size: 52_000 * MiB }] })],
    [
      'a platform with all that it may have',
      listing({
        platform: {
          os: 'windows',
          architecture: 'arm64',
          variant: 'v8',
          'os.version': '10',
          'os.features': ['a'],
        },
      }),
    ],
  ])('is %s', (_, manifest) => {
    expect(ecrRefusals(manifest)).toEqual([]);
  });
});

describe('a manifest that ECR refuses', () => {
  test.each<[string, Manifest, RegExp[]]>([
    [
      'features of a platform',
      listing({ platform: { os: 'linux', architecture: 'arm64', features: ['sse4'] } }),
      [/^manifests\[1\]\.platform\.features is a field that ECR does not take: build the image anew/],
    ],
    [
      'the platform of a subject',
      image({ subject: { ...descriptorOf(amd64.root), platform: amd64.listed.platform } }),
      [/^subject\.platform is a field that ECR does not take: attach this .* leaves it out$/],
    ],
    [
      'the platform of a config, and a field of nobody',
      image({ config: { ...EMPTY, platform: amd64.listed.platform }, 'x-extra': 1 }),
      [/^config\.platform is a field/, /^x-extra is a field/],
    ],
    [
      'types with parameters',
      image({
        artifactType: 'application/vnd.dev.sigstore.bundle+json;version=0.2',
        layers: [{ ...layer, mediaType: 'text/plain; charset=utf-8' }],
      }),
      [
        /^artifactType is "application\/vnd\.dev\.sigstore\.bundle\+json;version=0\.2", but must be a media type without parameters: /,
        /^layers\[0\]\.mediaType is "text\/plain; charset=utf-8", but must be a media type/,
      ],
    ],
    [
      'annotations that are no texts, or no mapping',
      image({ annotations: { build: 7, 'org.example.flag': true }, layers: [{ ...layer, urls: 'none' }] }),
      [
        /^annotations\.build is 7, but must be a text: write it in quotes/,
        /^annotations\["org\.example\.flag"\] is true, but must be a text/,
        /^layers\[0\]\.urls is "none", but must be a list of texts/,
      ],
    ],
    ['a mapping that is none', image({ annotations: null }), [/^annotations is null, but must be a mapping/]],
    ['another schema version', image({ schemaVersion: 1 }), [/^schemaVersion is 1, but must be 2: /]],
    ['no schema version', image({ schemaVersion: undefined }), [/^schemaVersion is missing, but must be 2/]],
    [
      'blobs without a byte',
      image({
        config: { ...EMPTY, size: 0 },
        layers: [layer, { ...blobOf(utf8('other'), OCI_LAYER), size: 0 }],
      }),
      [/^config is empty, but ECR takes no blob of 0 bytes: build/, /^layers\[1\] is empty/],
    ],
    [
      'a layer that is too large',
      image({ layers: [{ ...layer, size: 52_000 * MiB + 1 }] }),
      [/^layers\[0\] has 52001 MiB, but ECR takes 52000 MiB at the most: make several layers of it$/],
    ],
    [
      'an index in an index',
      listing({ mediaType: OCI_INDEX }),
      [/^manifests\[1\] is an index itself, .*: put the images of both into one index$/],
    ],
    [
      "a build cache's layer in an index",
      listing({ mediaType: OCI_LAYER }),
      [
        /^manifests\[1\] is "application\/vnd\.oci\.image\.layer\.v1\.tar\+gzip", .*"image-manifest=true" to "cache-to"/,
      ],
    ],
  ])('for %s is told why and what to do', (_, manifest, reasons) => {
    const told = ecrRefusals(manifest);
    expect(told).toHaveLength(reasons.length);
    for (const [position, reason] of reasons.entries()) expect(told[position]).toMatch(reason);
  });

  test('for its length cannot even be read', () => {
    const long = { annotations: { long: 'x'.repeat(4 * MiB) } };
    expect(() => image(long)).toThrow(ManifestError);
  });

  test('for more than fifty things is told fifty, and how many more there are', () => {
    const fields = Object.fromEntries(Array.from({ length: 60 }, (_, position) => [`x-${position}`, 1]));
    const told = ecrRefusals(image(fields));
    expect(told).toHaveLength(51);
    expect(told.at(-1)).toBe('and 10 more of the kind');
  });

  test('with a value that is long is told the beginning of it', () => {
    const [told] = ecrRefusals(image({ artifactType: `a/${'b'.repeat(300)}` }));
    expect(told?.length).toBeLessThan(250);
  });
});

/** A manifest's JSON, and any part of it that is an object. */
type Json = Record<string, unknown>;

const KEYS = [
  ...['mediaType', 'digest', 'size', 'urls', 'annotations', 'data', 'artifactType', 'platform', 'features'],
  ...['os', 'architecture', 'os.version', 'os.features', 'variant', 'schemaVersion', 'subject', 'x-unknown'],
];
const VALUES: readonly unknown[] = [
  ...[0, 1, 2, 52_000 * MiB, 52_000 * MiB + 1, -1, 1.5, null, true, '', 'text', 'bm9uZQ=='],
  ...[
    [],
    ['a'],
    [1],
    {},
    { a: 'b' },
    { a: 1 },
    amd64.listed.platform,
    descriptorOf(amd64.root),
    amd64.listed,
  ],
  ...[
    OCI_INDEX,
    OCI_MANIFEST,
    OCI_LAYER,
    'no type',
    'a/b;c=d',
    '/b',
    `a/${'b'.repeat(127)}`,
    `a/${'b'.repeat(128)}`,
  ],
  digestOf(utf8('another')),
  'application/vnd.oci.image.layer.nondistributable.v1.tar',
];

const valid: fc.Arbitrary<Json> = fc
  .constantFrom(
    amd64.root,
    imageOf('linux/arm64', { docker: true }).root,
    image({ artifactType: 'a/b', annotations: { a: 'b' }, subject: descriptorOf(arm64.root), config: EMPTY }),
    indexOf([amd64, arm64, attestationOf(amd64)], { annotations: { a: 'b' } }).root,
  )
  .map(({ bytes }) => JSON.parse(new TextDecoder().decode(bytes)));

/** Manifests that were valid once: fields were taken out, added or changed. */
const changed = fc
  .tuple(
    valid,
    fc.array(
      fc.record({
        at: fc.nat(),
        change: fc.oneof(
          fc.record({ key: fc.constantFrom(...KEYS), value: fc.constantFrom(...VALUES) }),
          fc.record({ nth: fc.nat() }),
        ),
      }),
      { maxLength: 3 },
    ),
  )
  .map(([original, changes]) => {
    const json = structuredClone(original);
    for (const { at, change } of changes) {
      const parts = partsOf(json);
      const part = parts[at % parts.length] ?? json;
      const keys = Object.keys(part);
      if ('key' in change) part[change.key] = structuredClone(change.value);
      else delete part[keys[change.nth % keys.length] ?? ''];
    }
    return utf8(JSON.stringify(json));
  });

/** All objects in a JSON. */
function partsOf(json: unknown): Json[] {
  if (Array.isArray(json)) return json.flatMap(partsOf);
  return isJson(json) ? [json, ...Object.values(json).flatMap(partsOf)] : [];
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null;
}

describe('the rules and the emulator, which know nothing of each other,', () => {
  /** A repository of the emulator's that holds all that a manifest may refer to. */
  function repositoryFor(store: BlobStore, manifest: Manifest): Repository {
    const behaviour = { ...ECR_BEHAVIOUR, requireMediaType: false };
    const place = { name: 'app', account: '123456789012', region: 'us-east-1' };
    const repository = new Repository(place, { behaviour, now: () => 0, store });
    for (const { digest, size } of blobsOf(manifest)) repository.addLayer(digest, size);
    const isImage = ({ mediaType }: Descriptor) => isManifestType(mediaType) && !isIndexType(mediaType);
    for (const { digest } of childrenOf(manifest).filter(isImage)) {
      const held = { manifest: amd64.root, artifactType: undefined, annotations: undefined };
      repository.images.set(digest, { ...held, digest, pushedAt: 0 });
    }
    return repository;
  }

  function emulatorRefuses(store: BlobStore, manifest: Manifest): boolean {
    const push = {
      bytes: manifest.bytes,
      mediaType: manifest.mediaType,
      tag: 'v1',
      whenThere: 'accept',
    } as const;
    try {
      pushImage(repositoryFor(store, manifest), push);
      return false;
    } catch (error) {
      if (!(error instanceof EcrError)) throw error;
      return true;
    }
  }

  test('agree on what is taken', async () => {
    const store = new BlobStore(await makeFolder());
    const counts = { taken: 0, refused: 0 };
    fc.assert(
      fc.property(changed, fc.constantFrom(OCI_MANIFEST, OCI_INDEX), (bytes, declared) => {
        let manifest: Manifest;
        try {
          manifest = parseManifest(bytes, declared);
        } catch {
          // Such a manifest is not copied at all.
          return;
        }
        const reasons = ecrRefusals(manifest);
        counts[reasons.length > 0 ? 'refused' : 'taken'] += 1;
        expect({ reasons, refused: emulatorRefuses(store, manifest) }).toEqual({
          reasons,
          refused: reasons.length > 0,
        });
      }),
      { numRuns: 3_000 },
    );
    expect(Math.min(counts.taken, counts.refused)).toBeGreaterThan(100);
  });
});

describe('an image with manifests that ECR would refuse', () => {
  const odd = imageOf('linux/arm64', { fields: { 'x-extra': 1, annotations: { build: 7 } } });
  const platform = { ...odd.listed.platform, features: ['sse4'] };
  const graph = indexOf([amd64, { ...odd, listed: { ...odd.listed, platform } }]);

  test('is refused with all reasons at once, before any request that writes', async () => {
    const emulator = await emulate();
    const [region] = await openEmulated({ regions: ['us-east-1'] });
    if (!region) throw new Error('one region');
    const replica = new Replica(region, sourceOf(graph), { uploads: 2, observer: SILENT });
    const error: unknown = await replica.copy(descriptorOf(graph.root)).catch((reason: unknown) => reason);
    if (!(error instanceof ManifestRefusedError)) throw error;
    expect(error.message).toMatch(
      new RegExp(
        `${graph.root.digest}: manifests\\[1\\]\\.platform\\.features is a .*; ${odd.root.digest}: annotations\\.build is 7, .*; x-extra is a `,
      ),
    );
    const v2 = emulator.requests.filter(({ operation }) => operation === undefined);
    expect(new Set(v2.map(({ method }) => method))).toEqual(new Set(['HEAD']));
  });

  test('would have been refused by the registry when its blobs were there', async () => {
    const emulator = await emulate();
    const [region] = await openEmulated({ regions: ['us-east-1'] });
    if (!region) throw new Error('one region');
    const anything = { ...region, refusals: () => [] };
    const replica = new Replica(anything, sourceOf(graph), { uploads: 2, observer: SILENT });
    await expect(replica.copy(descriptorOf(graph.root))).rejects.toThrow(/UNSUPPORTED: .*'ImageManifest'/);
    expect(emulator.requests.some(({ method, path }) => method === 'POST' && path.includes('uploads'))).toBe(
      true,
    );
  });
});
