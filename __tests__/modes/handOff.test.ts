import { describe, expect, test } from '@jest/globals';
import { describe as descriptorOf, type Manifest, platformsOf } from '../../src/image/manifest.ts';
import { formatPlatform } from '../../src/image/platform.ts';
import type { Values } from '../inputs/read.ts';
import { openEmulated, REGIONS } from '../support/emulated.ts';
import { attestationOf, imageOf, indexOf, sociOf } from '../support/images.ts';
import { statesOf } from '../support/services.ts';
import { OTHER_REPOSITORY, startFanIn } from './fanIn.ts';

const amd64 = imageOf('linux/amd64');
const arm64 = imageOf('linux/arm64');
const attestation = attestationOf(arm64);
const attested = indexOf([arm64, attestation]);
const [one = '', two = '', three = ''] = REGIONS;

const PUBLISHED = REGIONS.map(() => 'published');
const BOTH = 'linux/amd64,linux/arm64';
const TAGS: Values = { legs: 'tags', tags: 'v1,latest' };

/** What a tag shows in each region. */
async function shown(tag: string): Promise<(Manifest | undefined)[]> {
  return Promise.all((await openEmulated()).map((destination) => destination.tagged(tag)));
}

const childrenOf = (manifest: Manifest | undefined) =>
  manifest?.kind === 'index' ? manifest.manifests.map(({ digest }) => digest) : [];

/** The images and attestations of both legs, in their order in the index. */
const CHILDREN = [amd64, arm64, attestation].map(({ root }) => root.digest);

describe('legs by tags', () => {
  test('are found by the stitch, and give the same image as by artifacts', async () => {
    const fanIn = await startFanIn();
    await fanIn.build(amd64, TAGS);
    await fanIn.build(attested, TAGS);
    const outcome = await fanIn.stitch({ ...TAGS, platforms: BOTH });
    expect(statesOf(outcome)).toEqual(PUBLISHED);
    for (const tag of ['v1', 'latest']) {
      expect((await shown(tag)).map(childrenOf)).toEqual(REGIONS.map(() => CHILDREN));
    }
    await fanIn.build(amd64);
    await fanIn.build(attested);
    expect((await fanIn.stitch({ tags: 'v2' })).digest).toBe(outcome.digest);
  });

  test('keep the SOCI indexes by which nodes start before the layers are there', async () => {
    const fanIn = await startFanIn();
    const soci = [amd64, arm64].map(sociOf);
    for (const [position, image] of [amd64, arm64].entries()) {
      const own = soci[position];
      await fanIn.build(indexOf(own ? [image, own] : [image]), TAGS);
    }
    await fanIn.stitch({ ...TAGS, platforms: BOTH });
    const wanted = [amd64, arm64, ...soci].map(({ root }) => root.digest);
    expect((await shown('v1')).map(childrenOf)).toEqual(REGIONS.map(() => wanted));
  });

  test('say whose they are, and leave no record among the artifacts', async () => {
    const fanIn = await startFanIn();
    const place = { 'job-index': '1', 'job-total': '2' };
    await fanIn.build(attested, { ...TAGS, ...place }, { runAttempt: 3, call: 'release' });
    expect(await fanIn.legs()).toEqual([]);
    for (const manifest of [...(await shown('v1-arm64')), ...(await shown('latest-arm64'))]) {
      expect(childrenOf(manifest)).toEqual([arm64.root.digest, attestation.root.digest]);
      expect(JSON.parse(new TextDecoder().decode(manifest?.bytes)).annotations).toEqual({
        'dev.ecr-multiarch.schema': 'ecr-multiarch/leg/v1',
        'dev.ecr-multiarch.repository': 'team/app',
        'dev.ecr-multiarch.run-id': '7',
        'dev.ecr-multiarch.run-attempt': '3',
        'dev.ecr-multiarch.job': 'build',
        'dev.ecr-multiarch.job-index': '1',
        'dev.ecr-multiarch.job-total': '2',
        'dev.ecr-multiarch.call': 'release',
        'dev.ecr-multiarch.builder': 'oci-layout',
        'dev.ecr-multiarch.root': attested.root.digest,
      });
    }
  });

  test('are a tag for each platform of a job that built several', async () => {
    const fanIn = await startFanIn();
    const template = { 'platform-tags': '{tag}.{os}.{arch}' };
    await fanIn.build(indexOf([amd64, arm64, attestation]), { ...TAGS, ...template });
    expect((await shown('v1.linux.amd64')).map(childrenOf)).toEqual(REGIONS.map(() => [amd64.root.digest]));
    const outcome = await fanIn.stitch({ legs: 'tags', platforms: BOTH, ...template });
    expect(childrenOf((await shown('v1'))[0])).toEqual(CHILDREN);
    expect(statesOf(outcome)).toEqual(PUBLISHED);
  });

  test('of an earlier attempt of the run count, and are moved by a later one', async () => {
    const fanIn = await startFanIn();
    await fanIn.build(amd64, TAGS);
    await fanIn.build(imageOf('linux/arm64', { layers: ['first try'] }), TAGS);
    await fanIn.build(attested, TAGS, { runAttempt: 2 });
    await fanIn.stitch({ legs: 'tags', platforms: BOTH }, { runAttempt: 2 });
    expect(childrenOf((await shown('v1'))[0])).toEqual(CHILDREN);
  });

  test('are all taken back when one region refuses one of them', async () => {
    const fanIn = await startFanIn({
      fault: ({ region, method, path }) =>
        region === two && method === 'PUT' && path.endsWith('/manifests/latest-arm64')
          ? { status: 403, code: 'DENIED', message: 'not today' }
          : undefined,
    });
    await fanIn.build(arm64, TAGS);
    for (const tag of ['v1-arm64', 'latest-arm64']) {
      expect(await shown(tag)).toEqual([undefined, undefined, undefined]);
    }
  });

  test('may be in some regions, and in none that is still to be created', async () => {
    const fanIn = await startFanIn({ repositories: [] });
    for (const region of [one, two]) fanIn.emulator.createRepository('team/app', {}, [region]);
    await fanIn.build(amd64, { ...TAGS, regions: one });
    await fanIn.build(arm64, { ...TAGS, regions: two });
    const outcome = await fanIn.stitch({ ...TAGS, platforms: BOTH, 'create-repository': 'true' });
    expect(statesOf(outcome)).toEqual(PUBLISHED);
    expect(new Set((await shown('v1')).map((index) => index?.digest))).toEqual(new Set([outcome.digest]));
  });

  test('cannot be made of media types of Docker, which have no annotations', async () => {
    const fanIn = await startFanIn();
    await expect(fanIn.build(imageOf('linux/arm64', { docker: true }), TAGS)).rejects.toThrow(
      /^input "legs": "tags": the leg cannot be put under a tag .*Docker manifest list.*"legs: artifact"/,
    );
    expect(fanIn.writes()).toEqual([]);
  });
});

describe('legs by digest', () => {
  test('are what build steps have put out, be it an image or an index of it and what attests it', async () => {
    const fanIn = await startFanIn();
    const outputs = {
      first: await fanIn.build(amd64, { legs: 'none' }),
      second: await fanIn.build(attested, { legs: 'none' }),
    };
    const legs = JSON.stringify({ build: { result: 'success', outputs }, lint: { result: 'success' } });
    expect(statesOf(await fanIn.stitch({ legs }))).toEqual(PUBLISHED);
    expect((await shown('v1')).map(childrenOf)).toEqual(REGIONS.map(() => CHILDREN));
    const map = JSON.stringify({ 'linux/arm64/v8': outputs.second, 'linux/x86_64': outputs.first });
    expect(statesOf(await fanIn.stitch({ legs: map }))).toEqual(REGIONS.map(() => 'unchanged'));
  });

  test('may be in different regions, which get what they lack from each other', async () => {
    const fanIn = await startFanIn();
    const map = {
      'linux/amd64': await fanIn.build(amd64, { legs: 'none', regions: one }),
      'linux/arm64': await fanIn.build(attested, { legs: 'none', regions: three }),
    };
    const outcome = await fanIn.stitch({ legs: JSON.stringify(map) });
    expect(statesOf(outcome)).toEqual(PUBLISHED);
    expect(outcome.results.map(({ sent }) => sent > 0)).toEqual([true, true, true]);
  });
});

describe('legs that are read from the regions', () => {
  test.each<[string, Values, (digest: string) => Values]>([
    ['by tags', TAGS, () => ({ ...TAGS, platforms: 'linux/amd64' })],
    ['by digest', { legs: 'none' }, (digest) => ({ legs: JSON.stringify({ 'linux/amd64': digest }) })],
  ])('%s, and cannot be, are told of with the region and what to do', async (_, build, stitch) => {
    let broken = false;
    const fanIn = await startFanIn({
      fault: ({ region, method, path }) =>
        broken && region === two && method !== 'PUT' && path.includes('/manifests/')
          ? { status: 403, code: 'DENIED', message: 'not today' }
          : undefined,
    });
    const digest = await fanIn.build(amd64, build);
    broken = true;
    const before = fanIn.writes().length;
    await expect(fanIn.stitch(stitch(digest))).rejects.toThrow(
      new RegExp(`^${two}: team/app: .*403.*\\(allow ecr:BatchGetImage on `),
    );
    expect(fanIn.writes()).toHaveLength(before);
  });
});

describe('legs among artifacts', () => {
  test('of several images in one run are those of their own', async () => {
    const fanIn = await startFanIn();
    const other = imageOf('linux/amd64', { layers: ['other'] });
    await fanIn.build(amd64);
    await fanIn.build(arm64);
    await fanIn.build(other, { repository: OTHER_REPOSITORY });
    await fanIn.stitch();
    const outcome = await fanIn.stitch({ repository: OTHER_REPOSITORY });
    expect(childrenOf((await shown('v1'))[0])).toEqual([amd64.root.digest, arm64.root.digest]);
    expect(JSON.parse(outcome.metadata).manifests).toMatchObject([{ digest: other.root.digest }]);
  });

  test('of a job for each platform and region are one image, which every region gets whole', async () => {
    const fanIn = await startFanIn();
    const jobs = [amd64, attested].flatMap((built) => [one, two].map((regions) => ({ built, regions })));
    for (const [index, { built, regions }] of jobs.entries()) {
      await fanIn.build(built, { regions, 'job-index': String(index), 'job-total': '4' });
    }
    const outcome = await fanIn.stitch();
    expect(statesOf(outcome)).toEqual(PUBLISHED);
    expect((await shown('v1')).map(childrenOf)).toEqual(REGIONS.map(() => CHILDREN));
    expect(outcome.results.map(({ sent }) => sent > 0)).toEqual([false, false, true]);
    for (const platform of ['linux/amd64', 'linux/arm64']) {
      expect(fanIn.said).toContain(
        `${three}: no job has built ${platform} for it: it is copied from ${one}, ${two}`,
      );
    }
    expect(fanIn.said.filter((line) => line.includes('no job has built'))).toHaveLength(2);
  });

  test('of a job for each platform and region may say different things of one image: one of them goes everywhere', async () => {
    const fanIn = await startFanIn();
    const said = imageOf('linux/amd64', {
      layers: ['{"predicate":"built in another region"}'],
      config: { os: 'unknown', architecture: 'unknown' },
    });
    const { digest, size } = descriptorOf(said.root);
    const elsewhere = indexOf([arm64, { ...said, listed: { ...attestation.listed, digest, size } }]);
    await fanIn.build(attested, { regions: one, 'job-index': '0', 'job-total': '2' });
    await fanIn.build(elsewhere, { regions: two, 'job-index': '1', 'job-total': '2' });
    const outcome = await fanIn.stitch();
    expect(statesOf(outcome)).toEqual(PUBLISHED);
    const [index, ...others] = await shown('v1');
    const [first, speaks, ...more] = childrenOf(index);
    expect([first, more]).toEqual([arm64.root.digest, []]);
    expect([attestation.root.digest, said.root.digest]).toContain(speaks);
    for (const other of others) expect(other?.digest).toBe(index?.digest);
  });

  test('of two calls of a workflow are told apart by a stitch in each of them', async () => {
    const fanIn = await startFanIn();
    const debug = imageOf('linux/arm64', { layers: ['debug'] });
    await fanIn.build(arm64, {}, { call: 'release' });
    await fanIn.build(debug, {}, { call: 'debug' });
    const outcome = await fanIn.stitch({ tags: 'v1-debug' }, { call: 'debug' });
    expect(JSON.parse(outcome.metadata).manifests).toMatchObject([{ digest: debug.root.digest }]);
    expect(fanIn.said).toContain(
      'job build of attempt 1 is left out: it belongs to another call of this reusable workflow',
    );
  });

  test('of two Windows versions are two platforms', async () => {
    const fanIn = await startFanIn();
    const versions = ['10.0.20348.1', '10.0.26100.1'];
    for (const version of versions) {
      await fanIn.build(imageOf('windows/amd64', { layers: [version], config: { 'os.version': version } }));
    }
    await fanIn.stitch({ platforms: 'windows/amd64' });
    const [index] = await shown('v1');
    expect(index?.kind === 'index' && platformsOf(index).map(formatPlatform)).toEqual(
      versions.map((version) => `windows(${version})/amd64`),
    );
  });
});

describe('tags of single platforms', () => {
  const TEMPLATE: Values = { 'platform-tags': '{tag}-{arch}{-variant}' };

  test('are written beside the others, each an index of an image and what attests it', async () => {
    const fanIn = await startFanIn();
    await fanIn.build(amd64);
    await fanIn.build(attested);
    const outcome = await fanIn.stitch({ tags: 'v1,latest', ...TEMPLATE });
    expect(statesOf(outcome)).toEqual(PUBLISHED);
    for (const tag of ['v1', 'latest']) {
      expect((await shown(tag)).map((index) => index?.digest)).toEqual(REGIONS.map(() => outcome.digest));
      expect((await shown(`${tag}-amd64`)).map(childrenOf)).toEqual(REGIONS.map(() => [amd64.root.digest]));
      expect((await shown(`${tag}-arm64`)).map(childrenOf)).toEqual(
        REGIONS.map(() => [arm64.root.digest, attestation.root.digest]),
      );
    }
    const before = fanIn.writes().length;
    expect(statesOf(await fanIn.stitch({ tags: 'v1,latest', ...TEMPLATE }))).toEqual(
      REGIONS.map(() => 'unchanged'),
    );
    expect(fanIn.writes()).toHaveLength(before);
  });

  test('stay those by which the legs were found, and are written beside further tags', async () => {
    const fanIn = await startFanIn();
    for (const built of [amd64, attested]) await fanIn.build(built, { legs: 'tags', tags: 'v1' });
    const before = (await shown('v1-arm64')).map((index) => index?.digest);
    await fanIn.stitch({ ...TAGS, ...TEMPLATE, platforms: BOTH });
    for (const tag of ['v1-arm64', 'latest-arm64']) {
      expect((await shown(tag)).map((index) => index?.digest)).toEqual(before);
    }
    expect(statesOf(await fanIn.stitch({ ...TAGS, ...TEMPLATE, platforms: BOTH }))).toEqual(
      REGIONS.map(() => 'unchanged'),
    );
  });

  test('are taken back with the others when one region refuses one of them', async () => {
    let broken = false;
    const fanIn = await startFanIn({
      fault: ({ region, method, path }) =>
        broken && region === three && method === 'PUT' && path.endsWith('/manifests/v1-arm64')
          ? { status: 403, code: 'DENIED', message: 'not today' }
          : undefined,
    });
    await fanIn.build(amd64);
    const earlier = await fanIn.stitch(TEMPLATE);
    await fanIn.build(arm64);
    broken = true;
    expect(statesOf(await fanIn.stitch(TEMPLATE))).toEqual(['held back', 'held back', 'failed']);
    expect((await shown('v1')).map((index) => index?.digest)).toEqual(REGIONS.map(() => earlier.digest));
    expect((await shown('v1-amd64')).map(childrenOf)).toEqual(REGIONS.map(() => [amd64.root.digest]));
    expect(await shown('v1-arm64')).toEqual([undefined, undefined, undefined]);
  });

  test('that two of the platforms would share are refused before anything is written', async () => {
    const fanIn = await startFanIn();
    for (const variant of ['v6', 'v7']) await fanIn.build(imageOf(`linux/arm/${variant}`));
    const before = fanIn.writes().length;
    await expect(fanIn.stitch({ 'platform-tags': '{tag}-{arch}' })).rejects.toThrow(
      /"v1-arm" would be the tag of linux\/arm\/v6 and linux\/arm\/v7/,
    );
    expect(fanIn.writes()).toHaveLength(before);
  });

  test('that are immutable are refused beforehand where they have to be replaced', async () => {
    const fanIn = await startFanIn({ repositories: [] });
    fanIn.emulator.createRepository('team/app', { imageTagMutability: 'IMMUTABLE' });
    await fanIn.build(amd64);
    const before = fanIn.writes().length;
    await expect(fanIn.stitch({ ...TEMPLATE, 'if-tag-exists': 'replace' })).rejects.toThrow(
      /is immutable in/,
    );
    expect(fanIn.writes()).toHaveLength(before);
    const inputs = { ...TAGS, 'if-tag-exists': 'replace', platforms: 'linux/amd64' };
    await expect(fanIn.build(amd64, inputs)).rejects.toThrow(/"v1-amd64" is immutable in/);
  });
});
