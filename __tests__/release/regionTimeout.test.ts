import { describe, expect, test } from '@jest/globals';
import { formatDuration } from '../../src/release/late.ts';
import { imageOf } from '../support/images.ts';
import { MemoryDestination, turn, until } from '../support/memory.ts';
import { graph, run, states } from './running.ts';

/** A region where an operation takes for ever, unless it is broken off. */
class Endless extends MemoryDestination {
  readonly reasons: Error[] = [];
  readonly #broken = Promise.withResolvers<never>();

  constructor(name: string, what: string) {
    super(name);
    this.#broken.promise.catch(() => undefined);
    this.before = (operation) => (operation.startsWith(what) ? this.#broken.promise : undefined);
  }

  override breakOff(reason: Error = new Error('broken off')): void {
    this.reasons.push(reason);
    this.#broken.reject(reason);
  }
}

describe('a region that takes longer than it may', () => {
  test.each(['has', 'stat', 'blob', 'manifest', 'tagged'])(
    'to answer to "%s" has failed: no tag is written anywhere, and nothing more is asked of it',
    async (what) => {
      const [one, endless] = [new MemoryDestination('one'), new Endless('endless', what)];
      const results = await run([one, endless], { regionTimeout: 1_000 });
      expect(states(results)).toEqual(['held back', 'failed']);
      expect(results[1]?.error).toMatch(/did not hold the whole image within 1 s \("region-timeout"\)/);
      expect(endless.reasons).toHaveLength(1);
      expect([one, endless].flatMap(({ tags }) => [...tags])).toEqual([]);
    },
  );

  test('does not keep the others, where they go on', async () => {
    const all = [new MemoryDestination('one'), new Endless('endless', 'blob'), new MemoryDestination('two')];
    const results = await run(all, { regionTimeout: 1_000, onRegionFailure: 'continue' });
    expect(states(results)).toEqual(['published', 'failed', 'published']);
    expect(all.map(({ tags }) => tags.get('v1'))).toEqual([graph.root.digest, undefined, graph.root.digest]);
  });

  test('to take an image that its tag is to keep has failed, and is asked for nothing more', async () => {
    const kept = imageOf('linux/amd64', { layers: ['kept'] });
    const one = new MemoryDestination('one', graph);
    one.hold(kept, 'v1');
    const [layer = ''] = [...kept.blobs.keys()].filter((digest) => !graph.blobs.has(digest));
    const endless = new Endless('endless', `blob ${layer}`);
    const results = await run([one, endless], { ifTagExists: 'keep', regionTimeout: 1_000 });
    expect(states(results)).toEqual(['unchanged', 'failed']);
    expect(results[1]?.error).toMatch(/within 1 s \("region-timeout"\)/);
    expect(endless.writes.filter((write) => write.endsWith(kept.root.digest))).toEqual([]);
    expect([...endless.tags]).toEqual([]);
  });

  test('to say what it lists under its tags is published all the same', async () => {
    const slow = new MemoryDestination('slow', graph);
    slow.describeTags = (_, how) => (how === 'once' ? new Promise(() => {}) : Promise.resolve(new Map()));
    const results = await run([slow], { regionTimeout: 1_000 });
    expect(states(results)).toEqual(['published']);
  });

  test('is not waited for when it ends in time', async () => {
    const destination = new Endless('one', 'nothing');
    expect(states(await run([destination], { regionTimeout: 60_000 }))).toEqual(['published']);
    expect(destination.reasons).toEqual([]);
  });
});

describe('a release that has to end', () => {
  const interrupted = () => {
    const controller = new AbortController();
    const interruption = { signal: controller.signal, hold: <T>(work: () => Promise<T>) => work() };
    return { controller, interruption, reason: new Error('the time is over') };
  };

  test('while content is copied fails in every region, and writes no tag', async () => {
    const { controller, interruption, reason } = interrupted();
    const all = [new MemoryDestination('one'), new Endless('endless', 'blob')];
    const running = run(all, { interruption });
    controller.abort(reason);
    const results = await running;
    expect(states(results)).toEqual(['failed', 'failed']);
    expect(results.map(({ error }) => error)).toEqual([
      'in one: the time is over',
      'in endless: the time is over',
    ]);
    expect(all.flatMap(({ tags }) => [...tags])).toEqual([]);
  });

  test('before it has begun copies nothing', async () => {
    const { controller, interruption, reason } = interrupted();
    controller.abort(reason);
    const destination = new MemoryDestination('one');
    expect(states(await run([destination], { interruption }))).toEqual(['failed']);
    expect(destination.writes).toEqual([]);
  });

  test('while the last region gets the root breaks off what would come next, too', async () => {
    const { controller, interruption, reason } = interrupted();
    const kept = imageOf('linux/amd64', { layers: ['kept'] });
    const lacking = [...kept.blobs.keys()].find((digest) => !graph.blobs.has(digest));
    const one = new Endless('one', `manifest ${graph.root.digest}`);
    const two = new MemoryDestination('two');
    two.hold(kept, 'v1');
    const three = new Endless('three', `blob ${lacking}`);
    const running = run([one, two, three], {
      interruption,
      ifTagExists: 'keep',
      onRegionFailure: 'continue',
    });
    const isCopied = (region: MemoryDestination) =>
      region.operations.includes('tagged v1') && region.manifests.has(graph.root.digest);
    await until(() => isCopied(two) && isCopied(three));
    await turn();
    controller.abort(reason);
    expect(states(await running)).toEqual(['failed', 'unchanged', 'held back']);
    expect(three.blobs.has(lacking ?? graph.root.digest)).toBe(false);
    expect(three.tags.size).toBe(0);
  });

  test('while tags are written puts them back', async () => {
    const { controller, interruption, reason } = interrupted();
    const [one, endless] = [new MemoryDestination('one'), new Endless('endless', 'tag ')];
    const { before } = endless;
    endless.before = (operation) => {
      if (operation === 'tag v1' && one.tags.has('v1')) controller.abort(reason);
      return before(operation);
    };
    const writeManifest = one.writeManifest.bind(one);
    one.writeManifest = async (reference, content) => {
      await writeManifest(reference, content);
      if (reference === 'v1') controller.abort(reason);
    };
    expect(states(await run([one, endless], { interruption }))).toEqual(['held back', 'failed']);
    expect([one, endless].flatMap(({ tags }) => [...tags])).toEqual([]);
  });

  test('waits for no region that falls silent for good while tags are written, and says of which nobody knows', async () => {
    const { controller, interruption, reason } = interrupted();
    const [one, silent] = [new MemoryDestination('one'), new MemoryDestination('silent')];
    let broken = Promise.withResolvers<never>();
    silent.breakOff = (why) => {
      broken.reject(why);
      broken = Promise.withResolvers();
    };
    silent.before = (operation) => {
      if (operation === 'tag v1') controller.abort(reason);
      return controller.signal.aborted ? broken.promise : undefined;
    };
    const results = await run([one, silent], { interruption, ending: { linger: 0, grace: 0 } });
    expect(states(results)).toEqual(['held back', 'failed']);
    expect(results[1]?.uncertain).toEqual(['v1']);
    expect([...one.tags]).toEqual([]);
  });
});

test.each([
  [0, '0 s'],
  [90_000, '1 min 30 s'],
  [1_200_000, '20 min'],
  [3_600_000, '1 h'],
  [5_405_000, '1 h 30 min 5 s'],
])('%p milliseconds are %p', (milliseconds, words) => {
  expect(formatDuration(milliseconds)).toBe(words);
});
