import { describe, expect, test } from '@jest/globals';
import type { Source } from '../../src/release/content.ts';
import type { TagPolicy } from '../../src/release/plan.ts';
import { type Result, releasedDigest } from '../../src/release/result.ts';
import { attestationOf, type Graph, imageOf, indexOf } from '../support/images.ts';
import { MemoryDestination, refused } from '../support/memory.ts';
import { amd64, arm64, BYTES, bytesOf, graph, platforms, run, states } from './running.ts';

/** The release as it was built before: the same images, with what attests them. */
const twin = indexOf([amd64, arm64, attestationOf(amd64)]);
const another = indexOf([
  imageOf('linux/amd64', { layers: ['another', 'release'], config: { created: 'earlier' } }),
]);

interface Shown {
  /** What the region shows as `v1`, if anything. */
  readonly v1?: Graph;
  readonly immutable?: boolean;
}

/** Regions called one, two, three. */
function regions(...shown: readonly Shown[]): MemoryDestination[] {
  return shown.map(({ v1, immutable = false }, position) => {
    const destination = new MemoryDestination(['one', 'two', 'three'][position] ?? '');
    if (v1) destination.hold(v1, 'v1');
    if (immutable) destination.immutable.add('v1');
    return destination;
  });
}

const digests = (results: readonly Result[]) => results.map(({ digest }) => digest);
const shown = (all: readonly MemoryDestination[], tag = 'v1') => all.map(({ tags }) => tags.get(tag));
const tagWrites = (all: readonly MemoryDestination[]) =>
  all.map(({ writes }) => writes.filter((write) => /^(un)?tag /.test(write)));

describe('an immutable tag that shows another image', () => {
  test('is an error there, and no region is written to', async () => {
    const all = regions({ v1: another, immutable: true }, {}, { v1: another });
    const results = await run(all);
    expect(states(results)).toEqual(['failed', 'held back', 'held back']);
    expect(results[0]?.error).toMatch(
      new RegExp(
        `^in one: the tag "v1" is immutable and shows ${another.root.digest}, not ${graph.root.digest}: `,
      ),
    );
    expect(tagWrites(all)).toEqual([[], [], []]);
  });

  test('is told of all regions and tags at once, beside tags that cannot be read', async () => {
    const all = regions({ v1: another, immutable: true }, { v1: another, immutable: true }, {});
    all[0]?.immutable.add('v2');
    all[0]?.hold(another, 'v2');
    if (all[2]) {
      all[2].before = (operation) => {
        if (operation === 'tagged v1') throw refused('DENIED', 'not allowed', 403);
      };
    }
    const results = await run(all, { tags: ['v1', 'v2'] });
    expect(results.map(({ error }) => error)).toEqual([
      expect.stringMatching(/the tag "v1" is immutable .*; the tag "v2" is immutable/),
      expect.stringMatching(/^in two: the tag "v1" is immutable/),
      expect.stringMatching(/^in three: .*DENIED: not allowed/),
    ]);
    expect(tagWrites(all)).toEqual([[], [], []]);
  });

  test('is told of with what it shows, as the others are', async () => {
    const all = regions({ v1: another, immutable: true });
    all[0]?.hold(another, 'v2');
    const [result] = await run(all, { tags: ['v1', 'v2'] });
    expect(result?.state).toBe('failed');
    expect(result?.tags).toEqual({ v1: another.root.digest, v2: another.root.digest });
  });

  test('leaves a region unchanged that shows the release already', async () => {
    const all = regions({ v1: another, immutable: true }, { v1: graph });
    expect(states(await run(all))).toEqual(['failed', 'unchanged']);
  });

  test('of which nobody knew that it is immutable is refused by the registry, and all is put back', async () => {
    const all = regions({ v1: another, immutable: true }, { v1: another }, {});
    for (const destination of all) destination.tagRule = () => 'unknown';
    const results = await run(all);
    expect(states(results)).toEqual(['failed', 'held back', 'held back']);
    expect(results[0]?.error).toMatch(/the tag "v1" is immutable and shows sha256:\w+, not sha256:\w+/);
    expect(shown(all)).toEqual([another.root.digest, another.root.digest, undefined]);
  });
});

describe('the same images under a tag', () => {
  const ifTagExists: TagPolicy = 'same-images';

  test('are as good as the release, however they are attested: no tag is written', async () => {
    const all = regions({ v1: twin, immutable: true }, { v1: twin, immutable: true });
    const results = await run(all, { ifTagExists });
    expect(states(results)).toEqual(['unchanged', 'unchanged']);
    expect(digests(results)).toEqual([twin.root.digest, twin.root.digest]);
    expect(releasedDigest(results)).toBe(twin.root.digest);
    expect(results[0]?.platforms).toEqual(platforms);
    expect(tagWrites(all)).toEqual([[], []]);
    // What is shown there is not asked for again.
    expect(all.flatMap(({ operations }) => operations)).not.toContain(`has ${twin.root.digest}`);
  });

  test('are given to the regions that show nothing or something else, from one that shows them', async () => {
    const all = regions({}, { v1: twin, immutable: true }, { v1: another });
    const said: string[] = [];
    const results = await run(all, { ifTagExists, said });
    expect(states(results)).toEqual(['published', 'unchanged', 'published']);
    expect(digests(results)).toEqual(all.map(() => twin.root.digest));
    expect(shown(all)).toEqual(all.map(() => twin.root.digest));
    expect(
      all.every(({ manifests }) => [...twin.manifests.keys()].every((each) => manifests.has(each))),
    ).toBe(true);
    expect(said.filter((line) => line.startsWith('the tag'))).toEqual([
      `the tag "v1" shall show ${twin.root.digest}, which exists, rather than ${graph.root.digest} (if-tag-exists: same-images)`,
    ]);
  });

  test('stay where they are when they differ in what attests them, and no tag can be moved', async () => {
    const all = regions({ v1: twin, immutable: true }, { v1: graph, immutable: true });
    const released = indexOf([arm64, amd64]);
    const results = await run(all, { ifTagExists }, released);
    expect(states(results)).toEqual(['unchanged', 'unchanged']);
    expect(digests(results)).toEqual([twin.root.digest, graph.root.digest]);
    expect(tagWrites(all)).toEqual([[], []]);
  });

  test('are no help under a tag that shows others', async () => {
    const all = regions({ v1: another, immutable: true }, { v1: twin });
    const results = await run(all, { ifTagExists });
    expect(states(results)).toEqual(['failed', 'unchanged']);
    expect(results[0]?.error).toMatch(new RegExp(`shows ${another.root.digest}, not ${twin.root.digest}`));
  });
});

describe('a tag that is kept', () => {
  const ifTagExists: TagPolicy = 'keep';

  test('is copied whole to the regions that lack it, read once for all of them, and what is sent counts', async () => {
    const all = regions({}, { v1: another }, {});
    const upstreams: Source[] = [];
    const results = await run(all, {
      ifTagExists,
      relay: (upstream) => {
        upstreams.push(upstream);
        return upstream;
      },
    });
    expect(states(results)).toEqual(['published', 'unchanged', 'published']);
    expect(shown(all)).toEqual(all.map(() => another.root.digest));
    expect(results.map(({ sent }) => sent)).toEqual([
      BYTES + bytesOf(another),
      BYTES,
      BYTES + bytesOf(another),
    ]);
    expect(results[0]).toMatchObject({ digest: another.root.digest, platforms: ['linux/amd64'] });
    expect(upstreams.map(({ name }) => name)).toEqual(['two']);
    const parts = all[0]?.writes.filter((write) => !write.startsWith('tag ')) ?? [];
    expect(parts.indexOf(`manifest ${another.root.digest}`)).toBe(parts.length - 1);
  });

  test('is completed, from those that show it, where a region says it holds what it lacks of it', async () => {
    const all = regions({}, { v1: another });
    const [child] = [...another.manifests.keys()].filter((digest) => digest !== another.root.digest);
    if (all[0]) all[0].hasManifest = async (digest) => digest === child || digest === another.root.digest;
    const results = await run(all, { ifTagExists });
    expect(states(results)).toEqual(['published', 'unchanged']);
    expect(shown(all)).toEqual([another.root.digest, another.root.digest]);
    expect(results[0]?.sent).toBe(BYTES + bytesOf(another));
    expect(results[0]?.repaired?.toSorted()).toEqual([child, ...another.blobs.keys()].toSorted());
  });

  test('under two names is copied once', async () => {
    const all = regions({}, { v1: another });
    all[1]?.hold(another, 'latest');
    await run(all, { ifTagExists, tags: ['v1', 'latest'] });
    expect([shown(all, 'v1'), shown(all, 'latest')]).toEqual([
      [another.root.digest, another.root.digest],
      [another.root.digest, another.root.digest],
    ]);
    const writes = all[0]?.writes ?? [];
    expect(new Set(writes).size).toBe(writes.length);
  });

  test('stands beside one that is new, whose digest the result has', async () => {
    const all = regions({ v1: another }, { v1: another });
    const results = await run(all, { ifTagExists, tags: ['v1', 'v2'] });
    expect(states(results)).toEqual(['published', 'published']);
    expect([shown(all, 'v1'), shown(all, 'v2')]).toEqual([
      [another.root.digest, another.root.digest],
      [graph.root.digest, graph.root.digest],
    ]);
    expect(digests(results)).toEqual([graph.root.digest, graph.root.digest]);
  });

  test('and is a single image has platforms that nobody has read', async () => {
    const all = regions({ v1: amd64 });
    expect(await run(all, { ifTagExists })).toMatchObject([
      { state: 'unchanged', digest: amd64.root.digest, platforms: [] },
    ]);
  });

  test('and cannot be copied fails there, and no tag is written anywhere', async () => {
    const all = regions({}, { v1: another }, {});
    if (all[0]) {
      all[0].before = (operation) => {
        if (operation === `manifest ${another.root.digest}`) throw refused('DENIED', 'not allowed', 403);
      };
    }
    const results = await run(all, { ifTagExists });
    expect(states(results)).toEqual(['failed', 'unchanged', 'held back']);
    expect(results[0]?.error).toMatch(/^in one: .*DENIED: not allowed/);
    expect(tagWrites(all)).toEqual([[], [], []]);
  });

  test('and shows different images is an error in every region that has it', async () => {
    const all = regions({ v1: another }, { v1: twin }, {});
    const fine = imageOf('linux/s390x');
    all[0]?.hold(fine, 'v2');
    const results = await run(all, { ifTagExists, tags: ['v1', 'v2'] });
    expect(states(results)).toEqual(['failed', 'failed', 'held back']);
    for (const { error } of results.slice(0, 2)) {
      expect(error).toContain(`"v1" shows ${another.root.digest} in one, and ${twin.root.digest} in two`);
    }
    expect(tagWrites(all)).toEqual([[], [], []]);
    expect(all[2]?.manifests.has(fine.root.digest)).toBe(false);
  });

  test('is put back where it was copied to, when another region refuses it', async () => {
    const all = regions({ immutable: true }, { v1: another }, {});
    if (all[2]) {
      all[2].before = (operation) => {
        if (operation === 'tag v1') throw refused('DENIED', 'not allowed', 403);
      };
    }
    expect(states(await run(all, { ifTagExists }))).toEqual(['held back', 'unchanged', 'failed']);
    expect(shown(all)).toEqual([undefined, another.root.digest, undefined]);
    expect(all[0]?.manifests.has(another.root.digest)).toBe(true);
  });
});

test('a tag that shows something else than was decided for it when it is read back is a failure', async () => {
  const all = regions({}, { v1: another });
  const [liar] = all;
  if (!liar) throw new Error('two regions');
  liar.writeManifest = async (reference, content) => {
    await MemoryDestination.prototype.writeManifest.call(liar, reference, content);
    if (reference === 'v1') liar.hold(graph, 'v1');
  };
  const results = await run(all, { ifTagExists: 'keep' });
  expect(states(results)).toEqual(['failed', 'unchanged']);
  expect(results[0]?.error).toContain(
    `v1 shows ${graph.root.digest}, but ${another.root.digest} was published`,
  );
});
