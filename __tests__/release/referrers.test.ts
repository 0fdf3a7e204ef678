import { describe, expect, test } from '@jest/globals';
import type { Descriptor } from '../../src/image/descriptor.ts';
import { type Digest, hexOf } from '../../src/image/digest.ts';
import { describe as descriptorOf, type Manifest, ManifestError } from '../../src/image/manifest.ts';
import { OCI_INDEX } from '../../src/image/mediaTypes.ts';
import { findReferrers, type ReferrerSource } from '../../src/release/referrers.ts';
import { attestationOf, type Graph, imageOf, indexOf, manifestOf } from '../support/images.ts';
import { MemoryDestination, sourceOf } from '../support/memory.ts';
import { run, states } from './running.ts';

const amd64 = imageOf('linux/amd64');
const arm64 = imageOf('linux/arm64');
const attestation = attestationOf(amd64);
const graph = indexOf([amd64, arm64, attestation]);

/** Something that refers to a manifest. */
function referrerOf(subject: Manifest, name = 'signature'): Graph {
  return imageOf('linux/amd64', {
    layers: [`${name} of ${subject.digest}`],
    fields: { artifactType: `application/vnd.example.${name}`, subject: descriptorOf(subject) },
  });
}

function all(graphs: readonly Graph[]): Graph {
  return {
    root: graph.root,
    manifests: new Map(graphs.flatMap(({ manifests }) => [...manifests])),
    blobs: new Map(graphs.flatMap(({ blobs }) => [...blobs])),
  };
}

interface Listing extends ReferrerSource {
  /** What it was asked to list. */
  readonly asked: Digest[];
  /** What it was asked to read. */
  readonly read: Digest[];
}

/** A source that lists what refers to what, as it does, or as a test says. */
function listing(
  graphs: readonly Graph[],
  tags: Readonly<Record<string, Manifest>> = {},
  lists: Readonly<Record<string, readonly Descriptor[]>> = {},
): Listing {
  const content = all([graph, ...graphs]);
  const source = sourceOf(content);
  const [asked, read]: Digest[][] = [[], []];
  return {
    name: 'there',
    asked: asked ?? [],
    read: read ?? [],
    async manifest(descriptor) {
      read?.push(descriptor.digest);
      return source.manifest(descriptor);
    },
    async referrers(subject) {
      asked?.push(subject);
      const own = [...content.manifests.values()].filter((each) => each.subject?.digest === subject);
      return lists[subject] ?? own.map(descriptorOf);
    },
    tagged: async (tag) => tags[tag],
  };
}

const digestsOf = (manifests: Iterable<Manifest>) => [...manifests].map(({ digest }) => digest);

describe('what refers to an image', () => {
  test('is found at the root, at its images, and at what was found, but not at what is part of it', async () => {
    const signature = referrerOf(graph.root);
    const report = referrerOf(arm64.root, 'report');
    const signed = referrerOf(report.root);
    const source = listing([signature, report, signed]);
    const found = await findReferrers(graph.root, source);
    expect(digestsOf(found.manifests).toSorted()).toEqual(
      digestsOf([signature.root, report.root, signed.root]).toSorted(),
    );
    const order = digestsOf(found.manifests);
    expect(order.indexOf(report.root.digest)).toBeLessThan(order.indexOf(signed.root.digest));
    expect(source.asked).toContain(amd64.root.digest);
    expect(source.asked).not.toContain(attestation.root.digest);
  });

  test('is found once, with the bytes of its blobs counted once', async () => {
    const [one, two] = ['one', 'two'].map((name) =>
      imageOf('linux/amd64', {
        layers: ['the same'],
        fields: { subject: descriptorOf(graph.root), annotations: { name } },
      }),
    );
    const graphs = [one, two].flatMap((each) => each ?? []);
    const found = await findReferrers(graph.root, listing(graphs));
    expect(found.manifests).toHaveLength(2);
    const blobs = new Map(graphs.flatMap((each) => [...each.blobs]));
    expect(found.bytes).toBe([...blobs.values()].reduce((sum, { byteLength }) => sum + byteLength, 0));
  });

  test('is found under the tags of cosign, with what refers to that', async () => {
    const signature = imageOf('linux/amd64', { layers: ['cosign'] });
    const timestamp = referrerOf(signature.root, 'timestamp');
    const tag = `sha256-${hexOf(arm64.root.digest)}.sig`;
    const found = await findReferrers(graph.root, listing([signature, timestamp], { [tag]: signature.root }));
    expect([...found.tagged].map(([name, { digest }]) => [name, digest])).toEqual([
      [tag, signature.root.digest],
    ]);
    expect(digestsOf(found.manifests)).toEqual([timestamp.root.digest]);
  });

  test('may be an index', async () => {
    const child = imageOf('linux/amd64', { layers: ['child'] });
    const index = indexOf([child], { subject: descriptorOf(graph.root) });
    const found = await findReferrers(graph.root, listing([index]));
    expect(digestsOf(found.manifests)).toEqual([index.root.digest]);
    expect(found.bytes).toBe([...child.blobs.values()].reduce((sum, { byteLength }) => sum + byteLength, 0));
  });

  test('is nothing where nothing refers to it', async () => {
    expect(await findReferrers(graph.root, listing([]))).toMatchObject({ manifests: [], bytes: 0 });
  });
});

describe('what is said to refer to an image', () => {
  const lists = (listed: readonly Descriptor[]) => ({ [graph.root.digest]: listed });

  test.each<[what: string, listed: readonly Descriptor[], words: RegExp, graphs?: readonly Graph[]]>([
    [
      'refers to nothing',
      [descriptorOf(arm64.root)],
      /among what refers to sha256:\w+, but it refers to nothing$/,
    ],
    [
      'refers to another image',
      [descriptorOf(referrerOf(amd64.root).root)],
      new RegExp(`but it refers to ${amd64.root.digest}$`),
      [referrerOf(amd64.root)],
    ],
    [
      'cannot be copied',
      [{ ...descriptorOf(amd64.root), mediaType: 'application/vnd.oci.artifact.manifest.v1+json' }],
      /but it is no image and no index/,
    ],
    ['is not there', [descriptorOf(referrerOf(graph.root, 'gone').root)], /does not have sha256/],
  ])('is refused when it %s', async (_, listed, words, graphs = []) => {
    await expect(findReferrers(graph.root, listing(graphs, {}, lists(listed)))).rejects.toThrow(words);
  });

  test('is refused when it is too much, before it is read', async () => {
    const listed = Array.from({ length: 501 }, (_, each) =>
      descriptorOf(referrerOf(graph.root, `x${each}`).root),
    );
    const source = listing([], {}, lists(listed));
    await expect(findReferrers(graph.root, source)).rejects.toThrow(
      /more than 500 manifests refer to this image/,
    );
    expect(source.read).toEqual([]);
  });

  test('is refused when it is too much for all images together', async () => {
    const listed = Array.from({ length: 200 }, (_, each) =>
      descriptorOf(referrerOf(graph.root, `x${each}`).root),
    );
    const each = Object.fromEntries([graph, amd64, arm64].map(({ root }) => [root.digest, listed]));
    await expect(findReferrers(graph.root, listing([], {}, each))).rejects.toThrow(ManifestError);
  });

  test('is refused when it stands too high', async () => {
    const tower: Graph[] = [];
    for (let height = 0; height < 5; height += 1) tower.push(referrerOf(tower.at(-1)?.root ?? graph.root));
    expect((await findReferrers(graph.root, listing(tower.slice(0, 4)))).manifests).toHaveLength(4);
    await expect(findReferrers(graph.root, listing(tower))).rejects.toThrow(/more than 4 high/);
  });

  test('is refused when it is too large', async () => {
    const huge = manifestOf(
      {
        schemaVersion: 2,
        mediaType: amd64.root.mediaType,
        config: { mediaType: 'application/json', digest: amd64.root.digest, size: 5 * 1024 ** 3 },
        layers: [],
        subject: descriptorOf(graph.root),
      },
      amd64.root.mediaType,
    );
    const graphs = [{ root: huge, manifests: new Map([[huge.digest, huge]]), blobs: new Map() }];
    await expect(findReferrers(graph.root, listing(graphs))).rejects.toThrow(/more than \d+ bytes/);
  });

  test('is refused when it holds an index in an index', async () => {
    const inner = indexOf([amd64]);
    const root = manifestOf(
      {
        schemaVersion: 2,
        mediaType: OCI_INDEX,
        manifests: [descriptorOf(inner.root)],
        subject: descriptorOf(graph.root),
      },
      OCI_INDEX,
    );
    const outer = { root, manifests: new Map([[root.digest, root]]), blobs: new Map() };
    await expect(findReferrers(graph.root, listing([inner, outer]))).rejects.toThrow(/holds another index/);
  });
});

describe('a release with what refers to it', () => {
  const signature = referrerOf(graph.root);
  const signed = referrerOf(signature.root, 'timestamp');
  const content = all([graph, signature, signed]);
  const plan = { platforms: ['linux/amd64', 'linux/arm64'], referrers: [signature.root, signed.root] };

  test('has it in every region before a tag is written in any, each after what it refers to', async () => {
    const regions = ['one', 'two'].map((name) => new MemoryDestination(name));
    const written: string[] = [];
    for (const region of regions) {
      region.before = (operation) => {
        if (operation === 'tag v1') {
          for (const each of regions) {
            for (const { digest } of plan.referrers) written.push(String(each.manifests.has(digest)));
          }
        }
      };
    }
    expect(states(await run(regions, plan, content))).toEqual(['published', 'published']);
    expect(new Set(written)).toEqual(new Set(['true']));
    for (const { writes } of regions) {
      const order = [graph.root, signature.root, signed.root].map(({ digest }) =>
        writes.indexOf(`manifest ${digest}`),
      );
      expect(order).toEqual(order.toSorted((one, other) => one - other));
      expect(order).not.toContain(-1);
    }
  });

  test('shows nothing anywhere when one region cannot take it', async () => {
    const regions = ['one', 'two'].map((name) => new MemoryDestination(name));
    const [, two] = regions;
    if (two) {
      two.before = (operation) => {
        if (operation === `manifest ${signed.root.digest}`) throw new Error('it broke');
      };
    }
    expect(states(await run(regions, plan, content))).toEqual(['held back', 'failed']);
    for (const { tags } of regions) expect([...tags.keys()]).toEqual([]);
  });

  test('is not sent where one of them would be refused', async () => {
    const region = new MemoryDestination('one');
    region.refusals = ({ digest }) => (digest === signed.root.digest ? ['it has a field'] : []);
    const [result] = await run([region], plan, content);
    expect(result?.error).toContain(`${signed.root.digest}: it has a field`);
    expect(region.writes).toEqual([]);
  });
});
