import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ATTESTED_DIGEST, type Descriptor, isCompanion } from '../../src/image/descriptor.ts';
import { digestOf } from '../../src/image/digest.ts';
import { composeIndex } from '../../src/image/index.ts';
import { ManifestError } from '../../src/image/manifest.ts';
import { DOCKER_LIST, OCI_INDEX, OCI_MANIFEST } from '../../src/image/mediaTypes.ts';
import { attestationOf, imageOf, indexOf, utf8 } from '../support/images.ts';

const amd64 = imageOf('linux/amd64');
const arm64 = imageOf('linux/arm64');
const text = ({ bytes }: { bytes: Uint8Array }) => new TextDecoder().decode(bytes);

/** Children as builders leave them: few digests, so that some are repeated, under platforms that may differ. */
const children: fc.Arbitrary<Descriptor[]> = fc.array(
  fc
    .record({
      digest: fc.nat({ max: 5 }),
      attests: fc.option(fc.nat({ max: 5 })),
      architecture: fc.constantFrom('amd64', 'arm64', 'arm', 'x86_64'),
      version: fc.constantFrom(undefined, '10.0.1', '10.0.2'),
      annotations: fc.option(fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 })),
    })
    .map(({ digest, attests, architecture, version, annotations }): Descriptor => {
      const of = (seed: number) => digestOf(utf8(`child ${seed}`));
      const base = { mediaType: OCI_MANIFEST, digest: of(digest), size: digest };
      if (attests !== null) {
        const about = { ...annotations, [ATTESTED_DIGEST]: of(attests) };
        return { ...base, platform: { os: 'unknown', architecture: 'unknown' }, annotations: about };
      }
      const platform = { os: 'linux', architecture, ...(version && { 'os.version': version }) };
      return { ...base, platform, ...(annotations && { annotations }) };
    }),
  { minLength: 1, maxLength: 12 },
);

describe('composing an index', () => {
  test('gives the same bytes in whatever order the children came', () => {
    const inAnyOrder = children.chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
    );
    fc.assert(
      fc.property(inAnyOrder, fc.dictionary(fc.string(), fc.string()), ([all, shuffled], annotations) => {
        const reversed = Object.fromEntries(Object.entries(annotations).toReversed());
        expect(text(composeIndex(shuffled, reversed))).toBe(text(composeIndex(all, annotations)));
      }),
      { numRuns: 500 },
    );
  });

  test('lists every digest once, and the images before the attestations', () => {
    fc.assert(
      fc.property(children, (all) => {
        const { manifests } = composeIndex(all);
        const digests = manifests.map(({ digest }) => digest);
        expect(new Set(digests)).toEqual(new Set(all.map(({ digest }) => digest)));
        expect(digests).toHaveLength(new Set(digests).size);
        const flags = manifests.map((child) => Number(isCompanion(child)));
        expect(flags).toEqual(flags.toSorted());
      }),
    );
  });

  test('keeps the attestations, in the order of the images that they speak of', () => {
    const [one, other] = [attestationOf(amd64), attestationOf(arm64)];
    const index = composeIndex([other.listed, arm64.listed, one.listed, amd64.listed]);
    expect(index.manifests).toEqual([amd64.listed, arm64.listed, one.listed, other.listed]);
  });

  test('writes platforms in normal form', () => {
    const child = { ...arm64.listed, platform: { os: 'linux', architecture: 'aarch64', variant: 'v8' } };
    expect(composeIndex([child]).manifests[0]?.platform).toEqual({ os: 'linux', architecture: 'arm64' });
  });

  test('keeps the OS version and features by which Windows hosts choose', () => {
    const platform = {
      os: 'windows',
      architecture: 'amd64',
      'os.version': '10.0.20348.1970',
      'os.features': ['win32k'],
    };
    expect(composeIndex([{ ...amd64.listed, platform }]).manifests[0]?.platform).toEqual(platform);
  });

  test('says the OCI type, with the annotations that were asked for', () => {
    const body = JSON.parse(text(composeIndex([amd64.listed], { b: '2', a: '1' })));
    expect(body).toMatchObject({ schemaVersion: 2, mediaType: OCI_INDEX, annotations: { a: '1', b: '2' } });
    expect(JSON.parse(text(composeIndex([amd64.listed])))).not.toHaveProperty('annotations');
  });

  test('makes a Docker manifest list of Docker images', () => {
    const docker = ['linux/amd64', 'linux/arm64'].map((each) => imageOf(each, { docker: true }).listed);
    expect(composeIndex(docker).mediaType).toBe(DOCKER_LIST);
    expect(() => composeIndex(docker, { a: '1' })).toThrow(/a Docker manifest list has no annotations/);
  });

  test.each<[string, Descriptor[], RegExp]>([
    ['nothing', [], /at least one image/],
    [
      'images of both families',
      [amd64.listed, imageOf('linux/arm64', { docker: true }).listed],
      /mix Docker and OCI/,
    ],
    ['an index', [{ ...amd64.listed, mediaType: indexOf([amd64]).root.mediaType }], /is itself an index/],
    [
      'an image without a platform',
      [{ mediaType: OCI_MANIFEST, digest: amd64.root.digest, size: 3 }],
      /has no platform/,
    ],
  ])('refuses %s', (_, all, words) => {
    expect(() => composeIndex(all)).toThrow(ManifestError);
    expect(() => composeIndex(all)).toThrow(words);
  });
});
