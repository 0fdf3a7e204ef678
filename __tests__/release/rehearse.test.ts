import { describe, expect, test } from '@jest/globals';
import { type Named, type Rehearsal, rehearse } from '../../src/release/rehearse.ts';
import { imageOf, indexOf } from '../support/images.ts';

const amd64 = imageOf('linux/amd64');
const arm64 = imageOf('linux/arm64');
const graph = indexOf([amd64, arm64]);

function named(name: string, refusals: Named['refusals'] = () => []): Named {
  return { name, image: `${name}.example/app`, refusals };
}

/** Rehearses what would be released as `v1`, 1500 milliseconds after the start. */
function run(named: readonly Named[], more: Partial<Rehearsal> = {}) {
  return rehearse(
    {
      root: graph.root,
      platforms: ['linux/amd64', 'linux/arm64'],
      tags: ['v1'],
      startedAt: 0,
      named,
      read: async () => [...graph.manifests.values()],
      explain: (error, { name }) => `in ${name}: ${error.message}`,
      ...more,
    },
    () => 1500,
  );
}

describe('a rehearsal', () => {
  test('says of each destination what it would show, and that nothing was sent', async () => {
    const beside = new Map([['v1-arm64', arm64.root]]);
    expect(await run([named('one'), named('two')], { beside })).toEqual(
      ['one', 'two'].map((name) => ({
        destination: name,
        image: `${name}.example/app`,
        state: 'not pushed',
        digest: graph.root.digest,
        tags: { v1: graph.root.digest, 'v1-arm64': arm64.root.digest },
        platforms: ['linux/amd64', 'linux/arm64'],
        sent: 0,
        reused: 0,
        seconds: 1.5,
      })),
    );
  });

  test('fails for a destination that would refuse a manifest, and says why, for that one alone', async () => {
    const strict = named('strict', ({ digest }) =>
      digest === amd64.root.digest ? ['it is too tall', 'it is too wide'] : [],
    );
    const [failed, other] = await run([strict, named('other')]);
    expect(failed).toMatchObject({
      state: 'failed',
      tags: {},
      error: expect.stringMatching(
        `^in strict: .*would refuse this image.*: ${amd64.root.digest}: it is too tall; it is too wide$`,
      ),
    });
    expect(other).toMatchObject({ state: 'not pushed' });
    expect(other).not.toHaveProperty('error');
  });

  test('looks at the root, and at what would be tagged beside it, though they were not read', async () => {
    const seen: string[] = [];
    const watching = named('one', ({ digest }) => {
      seen.push(digest);
      return [];
    });
    await run([watching], { beside: new Map([['v1-arm64', arm64.root]]), read: async () => [] });
    expect(seen).toEqual([graph.root.digest, arm64.root.digest]);
  });

  test('fails as a whole when the content is not whole', async () => {
    const read = async () => Promise.reject(new Error('the layout lacks a layer'));
    await expect(run([named('one')], { read })).rejects.toThrow('the layout lacks a layer');
  });
});
