import { describe, expect, test } from '@jest/globals';
import { composeIndex } from '../../src/image/index.ts';
import type { Manifest } from '../../src/image/manifest.ts';
import { withManifests } from '../../src/release/content.ts';
import type { ReleasePlan } from '../../src/release/plan.ts';
import { indexOf } from '../support/images.ts';
import { MemoryDestination, refused, sourceOf } from '../support/memory.ts';
import { amd64, arm64, graph, run, states } from './running.ts';

const ofArm64 = composeIndex([arm64.listed], { made: 'now' });
const beside = new Map<string, Manifest>([
  ['v1-amd64', amd64.root],
  ['v1-arm64', ofArm64],
]);
const source = withManifests(sourceOf(graph), new Map([[ofArm64.digest, ofArm64]]));
const runBeside = (all: readonly MemoryDestination[], plan: Partial<ReleasePlan> = {}) =>
  run(all, { beside, ...plan }, graph, source);

const shown = ({ tags }: MemoryDestination) => Object.fromEntries(tags);
const RELEASED = { v1: graph.root.digest, 'v1-amd64': amd64.root.digest, 'v1-arm64': ofArm64.digest };

describe('what is released under other tags beside the root', () => {
  test('is shown everywhere, and the results are those of the root', async () => {
    const all = [new MemoryDestination('one'), new MemoryDestination('two', amd64)];
    expect(await runBeside(all)).toMatchObject([
      { state: 'published', digest: graph.root.digest },
      { state: 'published', digest: graph.root.digest },
    ]);
    expect(all.map(shown)).toEqual([RELEASED, RELEASED]);
  });

  test('that is shown already changes nothing', async () => {
    const destination = new MemoryDestination('one');
    await runBeside([destination]);
    const before = destination.writes.length;
    expect(states(await runBeside([destination]))).toEqual(['unchanged']);
    expect(destination.writes).toHaveLength(before);
  });

  test('is taken back with the root when one tag cannot be written in one region', async () => {
    const all = [new MemoryDestination('one'), new MemoryDestination('two')];
    const [one, two] = all;
    one?.hold(indexOf([amd64]), 'v1-arm64');
    if (two) {
      two.before = (operation) => {
        if (operation === 'tag v1-arm64') throw refused('DENIED', 'not this one', 403);
      };
    }
    expect(states(await runBeside(all))).toEqual(['held back', 'failed']);
    expect(all.map(shown)).toEqual([{ 'v1-arm64': indexOf([amd64]).root.digest }, {}]);
  });

  test('is not shown when the root cannot be', async () => {
    const destination = new MemoryDestination('one');
    destination.hold(indexOf([amd64]), 'v1');
    destination.immutable.add('v1');
    const [result] = await runBeside([destination]);
    expect(result?.error).toMatch(/the tag "v1" is immutable/);
    expect(shown(destination)).toEqual({ v1: indexOf([amd64]).root.digest });
  });

  test('may be all that is shown', async () => {
    const destination = new MemoryDestination('one');
    expect(await runBeside([destination], { tags: [] })).toMatchObject([
      { state: 'published', digest: graph.root.digest },
    ]);
    expect(shown(destination)).toEqual({ 'v1-amd64': amd64.root.digest, 'v1-arm64': ofArm64.digest });
    expect(destination.manifests.has(graph.root.digest)).toBe(true);
  });

  test('stays what it is where existing tags are kept, each by itself', async () => {
    const all = [new MemoryDestination('one'), new MemoryDestination('two')];
    const earlier = indexOf([arm64], { annotations: { made: 'earlier' } });
    all[0]?.hold(earlier, 'v1-arm64');
    const said: string[] = [];
    expect(await run(all, { beside, ifTagExists: 'keep', said }, graph, source)).toMatchObject([
      { state: 'published', digest: graph.root.digest },
      { state: 'published', digest: graph.root.digest },
    ]);
    const kept = { ...RELEASED, 'v1-arm64': earlier.root.digest };
    expect(all.map(shown)).toEqual([kept, kept]);
    expect(said.filter((line) => line.startsWith('the tag'))).toEqual([
      `the tag "v1-arm64" shall show ${earlier.root.digest}, which exists, rather than ${ofArm64.digest} (if-tag-exists: keep)`,
    ]);
  });

  test('counts as the same where it has the same image, whatever the root has', async () => {
    const destination = new MemoryDestination('one');
    const earlier = indexOf([arm64], { annotations: { made: 'earlier' } });
    destination.hold(earlier, 'v1-arm64');
    destination.hold(indexOf([amd64]), 'v1');
    await runBeside([destination], { ifTagExists: 'same-images' });
    expect(shown(destination)).toEqual({ ...RELEASED, 'v1-arm64': earlier.root.digest });
  });
});
