import { describe, expect, test } from '@jest/globals';
import type { Emulator } from '../../emulator/emulator.ts';
import type { Fault, RequestFacts } from '../../emulator/traffic.ts';
import { summaryOf } from '../../src/github/report.ts';
import { describe as descriptorOf, platformsOf } from '../../src/image/manifest.ts';
import { formatPlatform, parsePlatform } from '../../src/image/platform.ts';
import type { StitchInputs } from '../../src/inputs/stitch.ts';
import { runStitch } from '../../src/modes/stitch.ts';
import { Problems } from '../../src/problems.ts';
import type { Leg } from '../../src/release/leg.ts';
import { Replica } from '../../src/release/replicate.ts';
import { countOf, emulate, openEmulated, REGIONS, REPOSITORY } from '../support/emulated.ts';
import { attestationOf, type Image, imageOf } from '../support/images.ts';
import { SILENT, sourceOf } from '../support/memory.ts';
import { EVERYWHERE, servicesWith, statesOf } from '../support/services.ts';

const amd64 = imageOf('linux/amd64');
const arm64 = imageOf('linux/arm64');
const attestation = attestationOf(arm64);

const inputs: StitchInputs = {
  mode: 'stitch',
  target: EVERYWHERE,
  platforms: [],
  tags: ['v1', 'latest'],
  legs: { by: 'artifact' },
  platformTags: undefined,
  annotations: {},
};

function legOf(image: Image, attestations: readonly Image[] = []): Leg {
  return {
    schema: 'ecr-multiarch/leg/v1',
    repository: REPOSITORY,
    runId: '7',
    runAttempt: 1,
    job: 'build',
    builder: 'default',
    root: image.root.digest,
    images: [{ descriptor: image.listed, bytes: 10 }],
    attestations: attestations.map(({ listed }) => listed),
    destinations: [],
  };
}

const legs = () => [legOf(arm64, [attestation]), legOf(amd64)];

/** Puts images into regions, as the build jobs have done. */
async function land(images: readonly Image[], regions = REGIONS): Promise<void> {
  for (const destination of await openEmulated({ regions })) {
    for (const image of images) {
      const replica = new Replica(destination, sourceOf(image), { uploads: 4, observer: SILENT });
      await replica.copy(descriptorOf(image.root));
    }
  }
}

/** What a tag shows in each region. */
async function shown(tag: string) {
  return Promise.all((await openEmulated()).map((destination) => destination.tagged(tag)));
}

const tagWrites = ({ requests }: Emulator) =>
  requests.filter(({ method, path }) => method === 'PUT' && /\/manifests\/(?!sha256:)/.test(path));

describe('stitching', () => {
  test('shows one index of all legs, with their attestations, under every tag in every region', async () => {
    await emulate();
    await land([amd64, arm64, attestation]);
    const outcome = await runStitch(inputs, await servicesWith({ left: legs() }));
    expect(statesOf(outcome)).toEqual(['published', 'published', 'published']);
    for (const tag of inputs.tags) {
      for (const index of await shown(tag)) {
        expect(index?.digest).toBe(outcome.digest);
        expect(index?.kind === 'index' && platformsOf(index).map(formatPlatform)).toEqual([
          'linux/amd64',
          'linux/arm64',
        ]);
        expect(index?.kind === 'index' && index.manifests.at(-1)?.digest).toBe(attestation.root.digest);
      }
    }
    expect(JSON.parse(outcome.metadata)).toMatchObject({ schemaVersion: 2 });
  });

  test('gives the same digest in whatever order the legs came', async () => {
    await emulate();
    await land([amd64, arm64, attestation]);
    const one = await runStitch(inputs, await servicesWith({ left: legs() }));
    const other = await runStitch(inputs, await servicesWith({ left: legs().toReversed() }));
    expect(other.digest).toBe(one.digest);
    expect(statesOf(other)).toEqual(['unchanged', 'unchanged', 'unchanged']);
  });

  test('sends no layer again', async () => {
    const emulator = await emulate();
    await land([amd64, arm64, attestation]);
    const before = countOf(emulator.requests, 'POST uploads');
    const outcome = await runStitch(inputs, await servicesWith({ left: legs() }));
    expect(countOf(emulator.requests, 'POST uploads')).toBe(before);
    expect(outcome.results.map(({ sent }) => sent)).toEqual([0, 0, 0]);
  });

  test('heals a region that lacks a leg, from one that has it', async () => {
    await emulate();
    await land([amd64, arm64, attestation], ['eu-west-1', 'sa-east-1']);
    await land([amd64], ['us-east-1']);
    const outcome = await runStitch(inputs, await servicesWith({ left: legs() }));
    expect(statesOf(outcome)).toEqual(['published', 'published', 'published']);
    const [healed] = await openEmulated({ regions: ['us-east-1'] });
    expect(await healed?.hasManifest(arm64.root.digest)).toBe(true);
    expect(outcome.results[0]?.sent).toBeGreaterThan(0);
  });

  test('tells of a region that lacks what its leg says is there, and of no other', async () => {
    await emulate();
    await land([amd64, arm64, attestation], ['eu-west-1', 'sa-east-1']);
    await land([amd64], ['us-east-1']);
    const [image] = (await openEmulated({ regions: ['us-east-1'] })).map((destination) => destination.image);
    if (!image) throw new Error('a region');
    const promised = legs().map((leg) => ({ ...leg, destinations: [image] }));
    const outcome = await runStitch(inputs, await servicesWith({ left: promised }));
    expect(statesOf(outcome)).toEqual(['published', 'published', 'published']);
    expect(outcome.results.map(({ repaired }) => repaired)).toEqual([
      [arm64.root.digest],
      undefined,
      undefined,
    ]);
    expect(summaryOf(outcome, 'Published')).toContain(`us-east-1 lacked ${arm64.root.digest}`);
  });

  test.each<[string, (facts: RequestFacts) => boolean]>([
    ['a manifest', ({ method, path }) => method === 'HEAD' && path.includes('/manifests/')],
    ['a layer', ({ method, path }) => method === 'HEAD' && path.includes('/blobs/')],
    ['anything', ({ method }) => method === 'HEAD'],
  ])('heals a region that says it holds %s, and does not', async (_, lies) => {
    const emulator = await emulate({
      fault: (facts) => {
        if (facts.region !== 'us-east-1') return undefined;
        // Without the API's word each layer is asked for with HEAD.
        if (facts.operation === 'BatchCheckLayerAvailability')
          return { status: 400, code: 'AccessDeniedException', message: 'no' };
        const isRoot = ![amd64, arm64, attestation].some(({ root }) => facts.path.endsWith(root.digest));
        const isBlob = facts.path.includes('/blobs/');
        return lies(facts) && (isBlob || !isRoot) ? { status: 200, code: '', message: '' } : undefined;
      },
    });
    await land([amd64, arm64, attestation], ['eu-west-1', 'sa-east-1']);
    const outcome = await runStitch(inputs, await servicesWith({ left: legs() }));
    expect(statesOf(outcome)).toEqual(['published', 'published', 'published']);
    expect(outcome.results.map(({ repaired = [] }) => repaired.length > 0)).toEqual([true, false, false]);
    const [index] = await shown('v1');
    expect(index?.digest).toBe(outcome.digest);
    // The emulator takes no manifest without all that it refers to.
    expect(emulator.requests.some(({ region, status }) => region === 'us-east-1' && status === 404)).toBe(
      true,
    );
  });

  test('puts annotations on the index', async () => {
    await emulate();
    await land([amd64, arm64, attestation]);
    const annotations = { 'org.opencontainers.image.version': '1.0' };
    const outcome = await runStitch({ ...inputs, annotations }, await servicesWith({ left: legs() }));
    expect(JSON.parse(outcome.metadata)).toMatchObject({ annotations });
  });
});

describe('nothing is pushed', () => {
  test.each<[string, Leg[], Partial<StitchInputs>, RegExp]>([
    [
      'a leg is missing',
      [legOf(amd64)],
      { platforms: [parsePlatform('linux/arm64')] },
      /linux\/arm64 is missing/,
    ],
    [
      'a platform was built twice',
      [legOf(amd64), { ...legOf(imageOf('linux/amd64', { layers: ['x'] })), job: 'other' }],
      {},
      /built more than once/,
    ],
    ['there are no legs', [], {}, /no leg of "team\/app" was found/],
  ])('when %s', async (_, left, more, words) => {
    const emulator = await emulate();
    const services = await servicesWith({ left });
    await expect(runStitch({ ...inputs, ...more }, services)).rejects.toThrow(Problems);
    await expect(runStitch({ ...inputs, ...more }, services)).rejects.toThrow(words);
    expect(emulator.requests.filter(({ method, operation }) => method !== 'GET' && !operation)).toEqual([]);
  });
});

describe('when one region fails', () => {
  /** Lands the legs, stitches an earlier release as `latest`, and then makes a region fail. */
  async function failing(fault: Fault) {
    let broken = false;
    const emulator = await emulate({ fault: (request) => (broken ? fault(request) : undefined) });
    await land([amd64, arm64, attestation]);
    const earlier = await runStitch(
      { ...inputs, tags: ['latest'] },
      await servicesWith({ left: [legOf(amd64)] }),
    );
    broken = true;
    const outcome = await runStitch(inputs, await servicesWith({ left: legs() }));
    broken = false;
    return { emulator, earlier, outcome };
  }

  test('to take the index, no tag is written anywhere', async () => {
    const { emulator, earlier, outcome } = await failing(({ region, method, path }) =>
      region === 'eu-west-1' && method === 'PUT' && path.includes('/manifests/')
        ? { status: 403, code: 'DENIED', message: 'not today' }
        : undefined,
    );
    expect(statesOf(outcome)).toEqual(['held back', 'failed', 'held back']);
    expect(outcome.results[1]?.error).toMatch(
      /^eu-west-1: team\/app: .*DENIED: not today \(allow ecr:PutImage on arn:/,
    );
    expect(tagWrites(emulator)).toHaveLength(3);
    expect((await shown('latest')).map((index) => index?.digest)).toEqual(REGIONS.map(() => earlier.digest));
    expect(await shown('v1')).toEqual([undefined, undefined, undefined]);
  });

  test('to take a tag, the tags of all regions are put back', async () => {
    const { earlier, outcome } = await failing(({ region, method, path }) =>
      region === 'sa-east-1' && method === 'PUT' && path.endsWith('/manifests/v1')
        ? { status: 400, code: 'TAG_INVALID', message: 'taken' }
        : undefined,
    );
    expect(statesOf(outcome)).toEqual(['held back', 'held back', 'failed']);
    expect(outcome.results[2]?.error).toMatch(/the tag is immutable and shows another image/);
    expect((await shown('latest')).map((index) => index?.digest)).toEqual(REGIONS.map(() => earlier.digest));
    expect(await shown('v1')).toEqual([undefined, undefined, undefined]);
  });

  test('for a while, the release gets through', async () => {
    const failed = new Set<string>();
    const { outcome } = await failing(({ region, method, path }) => {
      if (region !== 'eu-west-1' || failed.has(`${method} ${path}`)) return undefined;
      failed.add(`${method} ${path}`);
      return method === 'PUT' ? 'reset' : { status: 429, code: 'TOOMANYREQUESTS', message: 'Rate exceeded' };
    });
    expect(failed.size).toBeGreaterThan(2);
    expect(statesOf(outcome)).toEqual(['published', 'published', 'published']);
  });
});

describe('immutable tags', () => {
  test('that show the same image already are a success that writes nothing', async () => {
    const emulator = await emulate({ repositories: [] });
    emulator.createRepository(REPOSITORY, { imageTagMutability: 'IMMUTABLE' });
    await land([amd64, arm64, attestation]);
    const first = await runStitch(inputs, await servicesWith({ left: legs() }));
    const written = tagWrites(emulator).length;
    const again = await runStitch(inputs, await servicesWith({ left: legs() }));
    expect([statesOf(first), statesOf(again)]).toEqual([
      ['published', 'published', 'published'],
      ['unchanged', 'unchanged', 'unchanged'],
    ]);
    expect(tagWrites(emulator)).toHaveLength(written);
  });

  test('that show another image keep it, and no region shows the new one', async () => {
    const emulator = await emulate({ repositories: [] });
    emulator.createRepository(REPOSITORY, {}, ['us-east-1', 'sa-east-1']);
    emulator.createRepository(REPOSITORY, { imageTagMutability: 'IMMUTABLE' }, ['eu-west-1']);
    await land([amd64, arm64, attestation]);
    const first = await runStitch(inputs, await servicesWith({ left: [legOf(amd64)] }));
    const second = await runStitch(inputs, await servicesWith({ left: legs() }));
    expect(statesOf(second)).toEqual(['held back', 'failed', 'held back']);
    expect((await shown('v1')).map((image) => image?.digest)).toEqual(REGIONS.map(() => first.digest));
  });
});
