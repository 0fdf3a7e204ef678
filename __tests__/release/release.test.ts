import { describe, expect, test } from '@jest/globals';
import { MissingContentError } from '../../src/release/content.ts';
import { releasedDigest } from '../../src/release/result.ts';
import { imageOf } from '../support/images.ts';
import { MemoryDestination, refused, turn } from '../support/memory.ts';
import { amd64, BYTES, bytesOf, graph, platforms, run, states } from './running.ts';

describe('a release', () => {
  test('shows the tags everywhere, and says of every region what was sent', async () => {
    const all = [new MemoryDestination('one'), new MemoryDestination('two', amd64)];
    const results = await run(all);
    const had = bytesOf(amd64);
    expect(results).toEqual([
      {
        destination: 'one',
        image: 'one.example/app',
        state: 'published',
        digest: graph.root.digest,
        tags: { v1: graph.root.digest },
        platforms,
        sent: BYTES,
        reused: 0,
        seconds: 1.5,
      },
      expect.objectContaining({ destination: 'two', state: 'published', sent: BYTES - had, reused: had }),
    ]);
    expect(all.map(({ tags }) => tags.get('v1'))).toEqual([graph.root.digest, graph.root.digest]);
  });

  test('writes no tag before every region holds everything', async () => {
    const all = ['one', 'two', 'three'].map((name) => new MemoryDestination(name));
    for (const destination of all) {
      destination.before = (operation) => {
        if (!operation.startsWith('tag ')) return;
        expect(all.every(({ manifests }) => manifests.has(graph.root.digest))).toBe(true);
      };
    }
    expect(states(await run(all))).toEqual(['published', 'published', 'published']);
  });

  test('reads what the tags show when the slowest region is as far as the others', async () => {
    const [quick, slow] = [new MemoryDestination('quick'), new MemoryDestination('slow')];
    let behind = graph.blobs.size;
    slow.before = async (operation) => {
      if (!operation.startsWith('blob ')) return;
      for (let turns = 0; turns < 100; turns += 1) await turn();
      behind -= 1;
    };
    quick.before = (operation) => {
      if (operation.startsWith('tagged ')) expect(behind).toBe(0);
    };
    expect(states(await run([quick, slow]))).toEqual(['published', 'published']);
  });

  test('that is there already changes nothing', async () => {
    const destination = new MemoryDestination('one');
    destination.hold(graph, 'v1');
    expect(await run([destination])).toMatchObject([{ state: 'unchanged', sent: 0, reused: BYTES }]);
    expect(destination.writes).toEqual([]);
  });

  test('without tags lands by digest', async () => {
    const all = [new MemoryDestination('one'), new MemoryDestination('two', graph)];
    expect(states(await run(all, { tags: [] }))).toEqual(['landed', 'unchanged']);
    expect(all.flatMap(({ tags }) => [...tags])).toEqual([]);
  });

  test('of a single image has the platforms that were read from its config', async () => {
    const result = await run([new MemoryDestination('one')], { platforms: ['linux/amd64'] }, amd64);
    expect(result).toMatchObject([{ digest: amd64.root.digest, platforms: ['linux/amd64'] }]);
  });

  test('does not fail because its bytes cannot be counted', async () => {
    const countBytes = async () => {
      throw new Error('the source is gone');
    };
    expect(await run([new MemoryDestination('one')], { countBytes })).toMatchObject([
      { state: 'published', sent: BYTES, reused: 0 },
    ]);
  });
});

describe('when one region fails to take the content', () => {
  test('because it would refuse a manifest, that is told, and nothing was sent there', async () => {
    const all = ['one', 'two'].map((name) => new MemoryDestination(name));
    const [, strict] = all;
    if (strict) strict.refusals = () => ['it is odd: build it anew'];
    const results = await run(all);
    expect(results).toMatchObject([
      { state: 'held back', sent: BYTES },
      {
        state: 'failed',
        sent: 0,
        error: expect.stringMatching(/^in two: .*sha256:\w{64}: it is odd: build it anew/),
      },
    ]);
    expect(strict?.writes).toEqual([]);
  });

  test('no region shows a tag, and the others hold the content', async () => {
    const all = ['one', 'two', 'three'].map((name) => new MemoryDestination(name));
    const [one, two, three] = all;
    if (!one || !two || !three) throw new Error('three regions');
    two.before = (operation) => {
      if (operation.startsWith('blob')) throw refused('DENIED', 'not allowed', 403);
    };
    const results = await run(all);
    expect(states(results)).toEqual(['held back', 'failed', 'held back']);
    expect(results[1]?.error).toMatch(/^in two: .*DENIED: not allowed$/);
    expect(results[0]).not.toHaveProperty('error');
    expect(all.flatMap(({ tags }) => [...tags])).toEqual([]);
    expect([one, three].every(({ manifests }) => manifests.has(graph.root.digest))).toBe(true);
  });

  test('a release by digest has landed in the others', async () => {
    const all = [new MemoryDestination('one'), new MemoryDestination('two')];
    if (all[1]) all[1].hasManifest = async () => Promise.reject(new Error('gone'));
    expect(states(await run(all, { tags: [] }))).toEqual(['landed', 'failed']);
  });
});

describe('what the tags show', () => {
  test('is read when everything below the root is there, beside the write of the root', async () => {
    const destination = new MemoryDestination('one');
    const root = `manifest ${graph.root.digest}`;
    const read = Promise.withResolvers<void>();
    const written = Promise.withResolvers<void>();
    destination.before = (operation) => {
      if (operation.startsWith('tagged')) {
        expect(destination.blobs.size).toBe(graph.blobs.size);
        expect(destination.manifests.size).toBeGreaterThanOrEqual(graph.manifests.size - 1);
        read.resolve();
        return written.promise;
      }
      if (operation !== root) return undefined;
      written.resolve();
      return read.promise;
    };
    expect(states(await run([destination]))).toEqual(['published']);
  });

  test('is read once where it is right already, and nothing else is', async () => {
    const destination = new MemoryDestination('one');
    for (const tag of ['v1', 'latest']) destination.hold(graph, tag);
    expect(states(await run([destination], { tags: ['v1', 'latest'] }))).toEqual(['unchanged']);
    const read = destination.operations.filter((operation) => /^(read|tagged) /.test(operation));
    expect(read.toSorted()).toEqual(['tagged latest', 'tagged v1']);
  });

  test('is read back where it had to be written', async () => {
    const [one, two] = [new MemoryDestination('one', graph), new MemoryDestination('two')];
    two.hold(graph, 'v1');
    expect(states(await run([one, two]))).toEqual(['published', 'unchanged']);
    const readings = [one, two].map(({ operations }) => operations.filter((each) => each === 'tagged v1'));
    expect(readings.map(({ length }) => length)).toEqual([2, 1]);
  });

  test('does not matter without tags: the digest is read back, held before or not', async () => {
    const all = [new MemoryDestination('one'), new MemoryDestination('two', graph)];
    await run(all, { tags: [] });
    for (const { operations } of all) {
      expect(operations.filter((operation) => /^(read|tagged) /.test(operation))).toEqual([
        `read ${graph.root.digest}`,
      ]);
    }
  });

  test('last, before it was written, is put back, though somebody moved it while the content was copied', async () => {
    const [moved, refusing] = [new MemoryDestination('one'), new MemoryDestination('two')];
    const [earlier, theirs] = ['earlier', 'theirs'].map((layer) =>
      imageOf('linux/amd64', { layers: [layer] }),
    );
    if (!earlier || !theirs) throw new Error('two images');
    moved.hold(earlier, 'v1');
    moved.before = (operation) => {
      if (operation.startsWith('blob')) moved.hold(theirs, 'v1');
    };
    refusing.before = (operation) => {
      if (operation === 'tag v1') throw refused('TAG_INVALID', 'taken');
    };
    expect(states(await run([moved, refusing]))).toEqual(['held back', 'failed']);
    expect(moved.writes.filter((write) => write === 'tag v1')).toHaveLength(2);
    expect(moved.tags.get('v1')).toBe(theirs.root.digest);
  });

  test('cannot be read in one region: no tag is written anywhere, and the others hold the content', async () => {
    const all = [new MemoryDestination('one'), new MemoryDestination('two')];
    if (all[1]) {
      all[1].before = (operation) => {
        if (operation === 'tagged v1') throw refused('DENIED', 'not allowed', 403);
      };
    }
    expect(states(await run(all))).toEqual(['held back', 'failed']);
    expect(all.flatMap(({ tags }) => [...tags])).toEqual([]);
    expect(all[0]?.manifests.has(graph.root.digest)).toBe(true);
  });
});

test('a root that is being written when the tags cannot be read is written to its end', async () => {
  const destination = new MemoryDestination('one');
  destination.before = async (operation) => {
    if (operation === 'tagged v1') throw refused('DENIED', 'not allowed', 403);
    if (operation !== `manifest ${graph.root.digest}`) return;
    for (let turns = 0; turns < 20; turns += 1) await turn();
  };
  expect(states(await run([destination]))).toEqual(['failed']);
  expect(destination.writes).toContain(`manifest ${graph.root.digest}`);
});

test('when one region refuses the tag, the report says which, and that the others show what they did', async () => {
  const all = ['one', 'two'].map((name) => new MemoryDestination(name));
  if (all[1]) {
    all[1].before = (operation) => {
      if (operation === 'tag v1') throw refused('TAG_INVALID', 'taken');
    };
  }
  const results = await run(all);
  expect(states(results)).toEqual(['held back', 'failed']);
  expect(results[1]?.error).toMatch(/TAG_INVALID: taken/);
  expect(all.flatMap(({ tags }) => [...tags])).toEqual([]);
});

test('a region whose HEAD lies about the root is found out when it is read back, and given it', async () => {
  const liar = new MemoryDestination('liar');
  liar.hasManifest = async () => true;
  const results = await run([new MemoryDestination('one'), liar], { tags: [] });
  expect(states(results)).toEqual(['landed', 'landed']);
  expect(results[1]?.repaired).toContain(graph.root.digest);
  expect(liar.manifests.size).toBe(graph.manifests.size);
});

test('a region that does not keep what it was given fails, and the error says so', async () => {
  const [one, leaky] = [new MemoryDestination('one'), new MemoryDestination('leaky', graph)];
  leaky.manifest = async () => {
    throw new MissingContentError('leaky does not have it');
  };
  const results = await run([one, leaky], { tags: [] });
  expect(states(results)).toEqual(['landed', 'failed']);
  expect(results[1]?.error).toMatch(/could not be read back: leaky does not have it/);
});

test('a count that has no end keeps nobody from hearing what was published, once the release has to end', async () => {
  const controller = new AbortController();
  const held: string[] = [];
  const all = [new MemoryDestination('one'), new MemoryDestination('two')];
  const results = await run(all, {
    interruption: {
      signal: controller.signal,
      hold: async (work) => {
        held.push('begun');
        const result = await work();
        held.push('ended');
        return result;
      },
    },
    countBytes: () => {
      held.push('counting');
      controller.abort(new Error('too late'));
      return new Promise(() => {});
    },
  });
  expect(states(results)).toEqual(['published', 'published']);
  expect(results.map(({ error, reused }) => [error, reused])).toEqual(all.map(() => [undefined, 0]));
  expect(held).toEqual(['begun', 'counting', 'ended']);
});

test('the digest of a release is that of most regions, and of the first of those that come out even', async () => {
  const digests = [imageOf('linux/amd64'), imageOf('linux/arm64')].map(({ root }) => root.digest);
  const [one, other] = digests;
  const [result] = await run([new MemoryDestination('one')]);
  if (!one || !other || !result) throw new Error('two digests and a result');
  const results = (...each: (typeof one)[]) => each.map((digest) => ({ ...result, digest }));
  expect(releasedDigest(results(one, other, other))).toBe(other);
  expect(releasedDigest(results(other, one))).toBe(other);
  expect(releasedDigest([])).toBeUndefined();
});
