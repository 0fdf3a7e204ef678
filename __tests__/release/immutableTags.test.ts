import { describe, expect, test } from '@jest/globals';
import type { Emulator } from '../../emulator/emulator.ts';
import type { RepositorySettings } from '../../emulator/state/settings.ts';
import type { Fault } from '../../emulator/traffic.ts';
import { childrenOf } from '../../src/image/manifest.ts';
import type { TagPolicy } from '../../src/release/plan.ts';
import { emulate, openEmulated, REGIONS, REPOSITORY } from '../support/emulated.ts';
import { attestationOf, type Graph, imageOf, indexOf } from '../support/images.ts';
import { amd64, arm64, platforms, run, states } from './running.ts';

const IMMUTABLE: Partial<RepositorySettings> = { imageTagMutability: 'IMMUTABLE' };
const [FIRST = '', ...REST] = REGIONS;

/** A build: the same two images each time, and what attests that they were built in this run. */
function built(when: string): Graph {
  const attestation = attestationOf(amd64);
  const dated = imageOf('linux/amd64', {
    layers: [`{"predicate":"built in ${when}"}`],
    config: { os: 'unknown', architecture: 'unknown' },
  });
  const { mediaType, digest, size } = dated.listed;
  return indexOf([amd64, arm64, { ...dated, listed: { ...attestation.listed, mediaType, digest, size } }]);
}

const first = built('the first run');
const again = built('the second run');
const another = indexOf([imageOf('linux/amd64', { layers: ['another'] }), arm64]);

/** A registry whose repositories have these settings, in all regions or by region. */
async function startWith(
  settings: Partial<RepositorySettings> | ((region: string) => Partial<RepositorySettings>),
  fault?: Fault,
): Promise<Emulator> {
  const emulator = await emulate({ repositories: [], ...(fault && { fault }) });
  for (const region of REGIONS) {
    const own = typeof settings === 'function' ? settings(region) : settings;
    emulator.createRepository(REPOSITORY, own, [region]);
  }
  return emulator;
}

async function publish(graph: Graph, ifTagExists: TagPolicy = 'fail', regions: readonly string[] = REGIONS) {
  return run(await openEmulated({ regions }), { platforms, ifTagExists }, graph);
}

async function shown(tag = 'v1') {
  const destinations = await openEmulated();
  return Promise.all(destinations.map(async (each) => (await each.tagged(tag))?.digest));
}

const tagWrites = ({ requests }: Emulator, since = 0) =>
  requests
    .slice(since)
    .filter(({ method, path }) => /^(PUT|DELETE)$/.test(method) && path.endsWith('/manifests/v1'));

/** Requests of the distribution API that change something, and calls of the API that do. */
const writes = ({ requests }: Emulator, since = 0) =>
  requests
    .slice(since)
    .filter(({ method, operation }) =>
      operation ? /^(Put|Batch(Delete|Put)|Create|Initiate)/.test(operation) : !/^(GET|HEAD)$/.test(method),
    );

const everywhere = (graph: Graph) => REGIONS.map(() => graph.root.digest);

describe('a second run under an immutable tag', () => {
  test('with the same content sends nothing, and asks as little as under any tag', async () => {
    const counts = [];
    for (const settings of [IMMUTABLE, {}]) {
      const emulator = await startWith(settings);
      expect(states(await publish(first))).toEqual(['published', 'published', 'published']);
      const before = emulator.requests.length;
      expect(states(await publish(first))).toEqual(['unchanged', 'unchanged', 'unchanged']);
      expect(writes(emulator, before)).toEqual([]);
      const asked = emulator.requests.slice(before).filter(({ path }) => path.startsWith('/v2/'));
      // The index, three that it lists, and the tag.
      expect(asked).toHaveLength(REGIONS.length * 5);
      counts.push(asked.length);
    }
    expect(counts[0]).toBe(counts[1]);
  });

  test('with the same images, attested anew, succeeds with same-images, and writes no tag', async () => {
    const emulator = await startWith(IMMUTABLE);
    await publish(first);
    const before = emulator.requests.length;
    const results = await publish(again, 'same-images');
    expect(again.root.digest).not.toBe(first.root.digest);
    expect(states(results)).toEqual(['unchanged', 'unchanged', 'unchanged']);
    expect(results.map(({ digest }) => digest)).toEqual(everywhere(first));
    expect(tagWrites(emulator, before)).toEqual([]);
    expect(await shown()).toEqual(everywhere(first));
  });

  test('with the same images, attested anew, is an error otherwise, which points to same-images', async () => {
    const emulator = await startWith(IMMUTABLE);
    await publish(first);
    const before = emulator.requests.length;
    const results = await publish(again);
    expect(states(results)).toEqual(['failed', 'failed', 'failed']);
    expect(results.map(({ error }) => error)).toEqual(
      REGIONS.map((region) =>
        expect.stringMatching(
          new RegExp(
            `^in ${region}: the tag "v1" is immutable and shows ${first.root.digest}, not ${again.root.digest}: .*"if-tag-exists: same-images"`,
          ),
        ),
      ),
    );
    expect(tagWrites(emulator, before)).toEqual([]);
  });

  test('with other images is an error with same-images, too', async () => {
    await startWith(IMMUTABLE);
    await publish(first);
    expect(states(await publish(another, 'same-images'))).toEqual(['failed', 'failed', 'failed']);
    expect(await shown()).toEqual(everywhere(first));
  });
});

describe('regions that do not show the same', () => {
  test('come to show the image that one of them shows, with all that it refers to, children first', async () => {
    const emulator = await startWith(IMMUTABLE);
    await publish(first, 'fail', [FIRST]);
    const before = emulator.requests.length;
    const results = await publish(again, 'same-images');
    expect(states(results)).toEqual(['unchanged', 'published', 'published']);
    expect(results.map(({ digest }) => digest)).toEqual(everywhere(first));
    expect(await shown()).toEqual(everywhere(first));
    for (const region of REST) {
      const paths = emulator.requests
        .slice(before)
        .filter((each) => each.region === region && each.method === 'PUT')
        .map(({ path }) => path.split('/').at(-1));
      const index = paths.indexOf(first.root.digest);
      for (const { digest } of childrenOf(first.root)) {
        expect(paths.indexOf(digest)).toBeGreaterThanOrEqual(0);
        expect(paths.indexOf(digest)).toBeLessThan(index);
      }
      expect(paths.indexOf('v1')).toBe(paths.length - 1);
    }
  });

  test('are left alone when one of them would have to move an immutable tag', async () => {
    const emulator = await startWith((region) => (region === FIRST ? IMMUTABLE : {}));
    await publish(first);
    const before = emulator.requests.length;
    expect(states(await publish(another))).toEqual(['failed', 'held back', 'held back']);
    expect(tagWrites(emulator, before)).toEqual([]);
  });

  test('are moved where the tag is one that the rule of the repository does not hold for', async () => {
    await startWith({
      imageTagMutability: 'IMMUTABLE_WITH_EXCLUSION',
      imageTagMutabilityExclusionFilters: [{ filterType: 'WILDCARD', filter: 'v*' }],
    });
    await publish(first, 'fail', [FIRST]);
    expect(states(await publish(another))).toEqual(['published', 'published', 'published']);
    expect(await shown()).toEqual(everywhere(another));
  });

  test('get what is kept', async () => {
    await startWith({});
    await publish(first, 'fail', [FIRST]);
    expect(states(await publish(another, 'keep'))).toEqual(['unchanged', 'published', 'published']);
    expect(await shown()).toEqual(everywhere(first));
  });
});

describe('an immutable tag', () => {
  const broken: Fault = ({ region, method, path }) =>
    region !== FIRST && method === 'PUT' && path.endsWith('/manifests/v1')
      ? { status: 403, code: 'DENIED', message: 'not today' }
      : undefined;

  test('that was free is removed again when another region fails, and what it showed is held', async () => {
    await startWith(IMMUTABLE, broken);
    expect(states(await publish(first))).toEqual(['held back', 'failed', 'failed']);
    expect(await shown()).toEqual([undefined, undefined, undefined]);
    const [destination] = await openEmulated({ regions: [FIRST] });
    expect(await destination?.hasManifest(first.root.digest)).toBe(true);
  });

  test('of which nobody may know is attempted, and the refusal of the registry is told', async () => {
    const blind: Fault = ({ operation }) =>
      operation === 'DescribeRepositories'
        ? { status: 400, code: 'AccessDeniedException', message: 'not authorized' }
        : undefined;
    const emulator = await startWith(IMMUTABLE, blind);
    await publish(first);
    const before = emulator.requests.length;
    const results = await publish(another);
    expect(states(results)).toEqual(['failed', 'failed', 'failed']);
    expect(results[0]?.error).toMatch(/the tag "v1" is immutable and shows sha256:\w+, not sha256:\w+/);
    expect(tagWrites(emulator, before)).toHaveLength(REGIONS.length);
    expect(states(await publish(again, 'same-images'))).toEqual(['unchanged', 'unchanged', 'unchanged']);
    expect(await shown()).toEqual(everywhere(first));
  });
});
