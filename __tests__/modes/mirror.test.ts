import { describe, expect, test } from '@jest/globals';
import { parsePlatform } from '../../src/image/platform.ts';
import { parseReference } from '../../src/image/reference.ts';
import type { MirrorInputs } from '../../src/inputs/inputs.ts';
import { runMirror } from '../../src/modes/mirror.ts';
import { Problems } from '../../src/problems.ts';
import { emulate, openEmulated, REGIONS } from '../support/emulated.ts';
import { attestationOf, type Graph, imageOf, indexOf, sociOf, utf8 } from '../support/images.ts';
import { serveGraph } from '../support/registry.ts';
import { EVERYWHERE, servicesWith, statesOf } from '../support/services.ts';

const amd64 = imageOf('linux/amd64');
const arm64 = imageOf('linux/arm64');
const attestation = attestationOf(arm64);
const graph = indexOf([arm64, amd64, attestation], { annotations: { by: 'upstream' } });

function mirrorOf(source: string, more: Partial<MirrorInputs> = {}): MirrorInputs {
  return {
    mode: 'mirror',
    target: EVERYWHERE,
    platforms: [],
    tags: ['1.29'],
    source: parseReference(source),
    referrers: false,
    ...more,
  };
}

/** What the tag shows in each region, byte for byte. */
async function shown(tag = '1.29') {
  const destinations = await openEmulated();
  const manifests = await Promise.all(destinations.map((destination) => destination.tagged(tag)));
  return manifests.map((manifest) => manifest && Buffer.from(manifest.bytes));
}

async function mirror(image: Graph, more: Partial<MirrorInputs> = {}) {
  const upstream = await serveGraph(image, '1.29');
  const outcome = await runMirror(mirrorOf(`${upstream.repository}:1.29`, more), await servicesWith());
  return { upstream, outcome };
}

describe('mirroring', () => {
  test('copies an image whole and byte for byte into every region, and reads each part once', async () => {
    await emulate();
    const { upstream, outcome } = await mirror(graph);
    expect(outcome.digest).toBe(graph.root.digest);
    expect(statesOf(outcome)).toEqual(['published', 'published', 'published']);
    expect(await shown()).toEqual(REGIONS.map(() => Buffer.from(graph.root.bytes)));
    const read = upstream.requests.map(({ path }) => path);
    expect(new Set(read).size).toBe(read.length);
    const bytes = [...graph.blobs.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
    expect(outcome.results.map(({ sent, reused }) => [sent, reused])).toEqual(REGIONS.map(() => [bytes, 0]));
  });

  test('again reads no more than the tag, and writes nothing', async () => {
    await emulate();
    await mirror(graph);
    const { upstream, outcome } = await mirror(graph);
    expect(statesOf(outcome)).toEqual(['unchanged', 'unchanged', 'unchanged']);
    expect(upstream.requests.map(({ path }) => path)).toEqual(['/v2/upstream/app/manifests/1.29']);
  });

  test('takes a single image too', async () => {
    await emulate();
    const { outcome } = await mirror(amd64);
    expect(outcome.results[0]?.platforms).toEqual(['linux/amd64']);
    expect(await shown()).toEqual(REGIONS.map(() => Buffer.from(amd64.root.bytes)));
  });

  test('by digest takes that image, whatever the tag shows', async () => {
    await emulate();
    const upstream = await serveGraph(graph, '1.29');
    const source = `${upstream.repository}:1.29@${amd64.root.digest}`;
    const outcome = await runMirror(mirrorOf(source), await servicesWith());
    expect(outcome.digest).toBe(amd64.root.digest);
  });

  test('keeps the platforms that are asked for, with what attests them', async () => {
    await emulate();
    const { outcome } = await mirror(graph, { platforms: [parsePlatform('linux/arm64/v8')] });
    expect(outcome.results[0]?.platforms).toEqual(['linux/arm64']);
    const index = JSON.parse(outcome.metadata);
    expect(index.manifests.map(({ digest }: { digest: string }) => digest)).toEqual([
      arm64.root.digest,
      attestation.root.digest,
    ]);
  });

  test('keeps the SOCI index of a platform that is asked for, and no other', async () => {
    await emulate();
    const soci = [amd64, arm64].map(sociOf);
    const source = indexOf([amd64, arm64, ...soci]);
    const { outcome } = await mirror(source, { platforms: [parsePlatform('linux/arm64')] });
    expect(outcome.results[0]?.platforms).toEqual(['linux/arm64']);
    const index = JSON.parse(outcome.metadata);
    expect(index.manifests.map(({ digest }: { digest: string }) => digest)).toEqual([
      arm64.root.digest,
      soci[1]?.root.digest,
    ]);
  });

  test('keeps all Windows versions of a platform that is asked for without one', async () => {
    await emulate();
    const windows = ['10.0.20348.1', '10.0.26100.1'].map((version) => {
      const image = imageOf('windows/amd64', { config: { 'os.version': version } });
      const platform = { ...image.listed.platform, 'os.version': version };
      return { ...image, listed: { ...image.listed, platform } };
    });
    const platforms = [parsePlatform('windows/amd64')];
    const { outcome } = await mirror(indexOf([amd64, ...windows]), { platforms });
    expect(outcome.results[0]?.platforms).toEqual([
      'windows(10.0.20348.1)/amd64',
      'windows(10.0.26100.1)/amd64',
    ]);
  });

  test('without platforms copies an index with two images of one platform as it is, and tells of them', async () => {
    await emulate();
    const twins = indexOf([amd64, imageOf('linux/amd64', { layers: ['twin'] })]);
    const upstream = await serveGraph(twins, '1.29');
    const services = await servicesWith();
    const told: string[] = [];
    services.log.info = (line) => told.push(line);
    const outcome = await runMirror(mirrorOf(`${upstream.repository}:1.29`), services);
    expect(outcome.digest).toBe(twins.root.digest);
    expect(told.filter((line) => line.includes('several images of linux/amd64'))).toHaveLength(1);
  });

  test('of a platform that is there once leaves several images of another one aside', async () => {
    await emulate();
    const twins = indexOf([arm64, amd64, imageOf('linux/amd64', { layers: ['twin'] })]);
    const { outcome } = await mirror(twins, { platforms: [parsePlatform('linux/arm64')] });
    expect(outcome.results[0]?.platforms).toEqual(['linux/arm64']);
  });

  test('takes a single image of exactly the platform that is asked for, as it is', async () => {
    await emulate();
    const { outcome } = await mirror(amd64, { platforms: [parsePlatform('linux/x86_64')] });
    expect(outcome.digest).toBe(amd64.root.digest);
    expect(outcome.results[0]?.platforms).toEqual(['linux/amd64']);
    expect(await shown()).toEqual(REGIONS.map(() => Buffer.from(amd64.root.bytes)));
  });

  test('of all platforms keeps the digest', async () => {
    await emulate();
    const platforms = ['linux/amd64', 'linux/arm64'].map(parsePlatform);
    expect((await mirror(graph, { platforms })).outcome.digest).toBe(graph.root.digest);
  });
});

describe('a source that cannot be mirrored', () => {
  const problem = async (run: Promise<unknown>, words: RegExp) => {
    await expect(run).rejects.toThrow(Problems);
    await expect(run).rejects.toThrow(words);
    expect(await shown()).toEqual([undefined, undefined, undefined]);
  };

  test('has no such image', async () => {
    await emulate();
    const upstream = await serveGraph(graph, '1.29');
    const run = runMirror(mirrorOf(`${upstream.repository}:1.30`), await servicesWith());
    await problem(run, /^input "source": 127\.0\.0\.1:\d+ has no image .*upstream\/app:1\.30$/);
  });

  test('has no such repository', async () => {
    await emulate();
    const upstream = await serveGraph(graph, '1.29');
    const run = runMirror(mirrorOf(`${new URL(upstream.url).host}/other:1.29`), await servicesWith());
    await problem(run, /cannot be read: .*NAME_UNKNOWN.*log in with docker\/login-action/);
  });

  test('lacks a platform', async () => {
    await emulate();
    const platforms = ['linux/arm64', 'linux/s390x'].map(parsePlatform);
    await problem(
      mirror(graph, { platforms }),
      /^input "platforms": .*:1\.29 has no linux\/s390x: it has linux\/arm64, linux\/amd64: name platforms of these, or leave "platforms" out$/,
    );
  });

  test('has several images of a platform that is asked for', async () => {
    await emulate();
    const twin = imageOf('linux/amd64', { layers: ['twin'] });
    for (const wanted of [['linux/amd64'], ['linux/amd64', 'linux/arm64']]) {
      await problem(
        mirror(indexOf([arm64, amd64, twin]), { platforms: wanted.map(parsePlatform) }),
        new RegExp(
          `^input "platforms": \\S+/upstream/app:1\\.29 has several images of linux/amd64 \\(${amd64.root.digest} and ${twin.root.digest}\\), .*: name the one that you mean in "source", by its digest, or leave "platforms" out`,
        ),
      );
    }
  });

  test.each([
    ['an empty index', indexOf([]), /is an index of nothing: /],
    [
      'an index of attestations alone',
      indexOf([attestation]),
      /is an index of attestations and the like alone, without the images that they speak of: /,
    ],
  ])('is %s, whether or not platforms are asked for', async (_, empty, words) => {
    await emulate();
    for (const platforms of [[], [parsePlatform('linux/arm64')]]) {
      const run = mirror(empty, { platforms });
      await problem(run, words);
      await problem(
        run,
        /^input "source": \S+\/upstream\/app:1\.29 .* name another tag or digest, or have it pushed anew$/,
      );
    }
  });

  test('is an image whose config cannot be read', async () => {
    await emulate();
    const broken = imageOf('linux/amd64', { config: 'no JSON' });
    await problem(
      mirror(broken),
      new RegExp(
        `^input "source": \\S+/upstream/app:1\\.29 cannot be read: ${broken.root.digest}: its config sha256:\\w+ cannot be used: the image config is not JSON in UTF-8; `,
      ),
    );
  });

  test('is a single image of which another platform is asked', async () => {
    await emulate();
    for (const wanted of [['linux/arm64'], ['linux/amd64', 'linux/arm64']]) {
      await problem(
        mirror(amd64, { platforms: wanted.map(parsePlatform) }),
        /^input "platforms": .* has no linux\/arm64: it is a single image of linux\/amd64: name that platform, or leave "platforms" out$/,
      );
    }
  });

  test.each<[string, Graph, RegExp]>([
    [
      'a malformed manifest',
      { ...graph, root: { ...graph.root, bytes: utf8('{}') } },
      /not a valid application\/\S+: manifests: .*; name another tag or digest in "source", or have it built and pushed anew$/,
    ],
    [
      'an index in which another one stands beside images',
      indexOf([
        amd64,
        {
          ...arm64,
          listed: { ...arm64.listed, mediaType: graph.root.mediaType, digest: graph.root.digest },
        },
      ]),
      /itself an index; an index takes images; name another tag or digest in "source", or have it built and pushed anew$/,
    ],
    [
      'no manifest that it lists',
      { ...graph, manifests: new Map() },
      /does not have sha256:\w+; the source is not whole: have it pushed anew, or name another tag or digest in "source"$/,
    ],
    [
      'another manifest than the one that it lists',
      {
        ...indexOf([amd64, arm64]),
        manifests: new Map([[arm64.root.digest, { ...arm64.root, bytes: amd64.root.bytes }]]),
      },
      /gave a manifest of digest sha256:\w+; run the job again; if it stays so, the source is damaged, or something before it changes the bytes: have it pushed anew$/,
    ],
    [
      'no config',
      { ...amd64, blobs: new Map() },
      /answered 404: BLOB_UNKNOWN.*; the source is not whole: have it pushed anew, or name another tag or digest in "source"$/,
    ],
  ])('gives %s, which has nothing to do with access', async (_, image, words) => {
    await emulate();
    const platforms = image.root.kind === 'index' ? [parsePlatform('linux/arm64')] : [];
    const run = mirror(image, { platforms, target: { ...EVERYWHERE, push: false } });
    await problem(run, /^input "source": \S+\/upstream\/app:1\.29 cannot be read: /);
    await problem(run, words);
  });

  test('lacks a part: no region shows the tag', async () => {
    await emulate();
    const { outcome } = await mirror({ ...graph, blobs: amd64.blobs });
    expect(statesOf(outcome)).toEqual(['failed', 'failed', 'failed']);
    for (const { error } of outcome.results) {
      expect(error).toMatch(
        /^input "source": \S+\/upstream\/app:1\.29 cannot be read: GET \S+ answered 404: BLOB_UNKNOWN[^;]*; the source is not whole: have it pushed anew, or name another tag or digest in "source"$/,
      );
    }
    expect(await shown()).toEqual([undefined, undefined, undefined]);
  });

  test('lacks a manifest: no region shows the tag, and each says that of the source', async () => {
    await emulate();
    const manifests = new Map([...graph.manifests].filter(([digest]) => digest !== arm64.root.digest));
    const { outcome } = await mirror({ ...graph, manifests });
    for (const { error } of outcome.results) {
      expect(error).toMatch(/^input "source": .* does not have sha256:\w+; the source is not whole: /);
    }
    expect(await shown()).toEqual([undefined, undefined, undefined]);
  });

  test('says another size of a layer than it has, which every region holds: no region shows the tag', async () => {
    await emulate();
    const layers = ['layer'];
    const plain = imageOf('linux/amd64', { layers });
    await mirror(plain, { tags: ['plain'] });
    const { config, layers: parts = [] } = plain.root.kind === 'image' ? plain.root : { config: undefined };
    const fields = { config, layers: parts.map((part) => ({ ...part, size: 9 })) };
    const { outcome } = await mirror(imageOf('linux/amd64', { layers, fields }));
    expect(statesOf(outcome)).toEqual(['failed', 'failed', 'failed']);
    expect(outcome.results[0]?.error).toMatch(/^input "source": .* gave 5 bytes for sha256:\w+, which has 9/);
    expect(await shown()).toEqual([undefined, undefined, undefined]);
  });

  test('gives damaged content: no region shows the tag', async () => {
    await emulate();
    const blobs = new Map(
      [...graph.blobs].map(([digest, { byteLength }]) => [digest, Buffer.alloc(byteLength)]),
    );
    const { outcome } = await mirror({ ...graph, blobs });
    expect(statesOf(outcome)).toEqual(['failed', 'failed', 'failed']);
    const errors = new Set(outcome.results.map(({ error }) => error));
    expect([...errors]).toEqual([
      expect.stringMatching(
        /^input "source": 127\.0\.0\.1:.* cannot be read: .* gave content of digest .*; run the job/,
      ),
    ]);
    expect(await shown()).toEqual([undefined, undefined, undefined]);
  });
});
