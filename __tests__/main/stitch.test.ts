import { describe, expect, test } from '@jest/globals';
import { REGIONS, startCloud, type TestCloud } from './cloud.ts';
import { legInputs, TARGET } from './layouts.ts';
import { each, statesOf } from './results.ts';
import { runStep } from './step.ts';

const STITCH = { ...TARGET, mode: 'stitch', tags: 'v1' };

/** Builds legs for these platforms, one job each, all of them of one matrix. */
async function buildLegs(
  cloud: TestCloud,
  platforms: readonly string[],
  jobs = platforms.length,
): Promise<void> {
  for (const [position, platform] of platforms.entries()) {
    const place = { 'job-index': String(position), 'job-total': String(jobs) };
    const { errors } = await runStep({ ...(await legInputs(platform)), ...place }, cloud.job('build'));
    expect(errors).toEqual([]);
  }
}

describe('stitch', () => {
  test('publishes the legs of the run as one index in every region', async () => {
    const cloud = await startCloud();
    await buildLegs(cloud, ['linux/amd64', 'linux/arm64']);
    const { errors, outputs, summary, leftovers } = await runStep(STITCH, cloud.job('stitch'));
    expect(errors).toEqual([]);
    const index = JSON.parse(outputs.get('metadata') ?? '');
    expect(index.manifests.map(({ platform }: { platform: unknown }) => platform)).toEqual([
      { architecture: 'amd64', os: 'linux' },
      { architecture: 'arm64', os: 'linux' },
    ]);
    expect(await cloud.shown('v1')).toEqual(REGIONS.map(() => outputs.get('digest')));
    expect(summary).toContain('linux/amd64, linux/arm64');
    expect(leftovers).toEqual([]);
  });

  test('that is run again is unchanged and writes nothing', async () => {
    const cloud = await startCloud();
    await buildLegs(cloud, ['linux/amd64', 'linux/arm64']);
    const first = await runStep(STITCH, cloud.job('stitch'));
    const before = cloud.writes().length;
    const second = await runStep(STITCH, cloud.job('stitch', 2));
    expect(second.errors).toEqual([]);
    expect(statesOf(first.outputs.get('results'))).toEqual(each(REGIONS, 'published'));
    expect(statesOf(second.outputs.get('results'))).toEqual(each(REGIONS, 'unchanged'));
    expect(second.outputs.get('digest')).toBe(first.outputs.get('digest'));
    expect(cloud.writes()).toHaveLength(before);
  });

  test('gives a region that no leg went to all that it lacks', async () => {
    const cloud = await startCloud();
    const [first = '', ...others] = REGIONS;
    const { errors } = await runStep(
      { ...(await legInputs('linux/amd64')), regions: others.join() },
      cloud.job('build'),
    );
    expect(errors).toEqual([]);
    const stitched = await runStep(STITCH, cloud.job('stitch'));
    expect(stitched.errors).toEqual([]);
    expect(statesOf(stitched.outputs.get('results'))[first]).toBe('published');
    expect(await cloud.shown('v1')).toEqual(REGIONS.map(() => stitched.outputs.get('digest')));
  });

  test('takes the legs of a re-run instead of those of the attempt before', async () => {
    const cloud = await startCloud();
    for (const attempt of [1, 2]) {
      const inputs = await legInputs('linux/amd64', { layers: [`attempt ${attempt}`] });
      await runStep(inputs, cloud.job('build', attempt));
    }
    const { errors, outputs } = await runStep(STITCH, cloud.job('stitch', 2));
    expect(errors).toEqual([]);
    const second = await runStep(
      { ...(await legInputs('linux/amd64', { layers: ['attempt 2'] })), legs: 'none' },
      cloud.job('build', 2),
    );
    const index = JSON.parse(outputs.get('metadata') ?? '');
    expect(index.manifests.map(({ digest }: { digest: unknown }) => digest)).toEqual([
      second.outputs.get('digest'),
    ]);
  });

  test.each<[what: string, build: (cloud: TestCloud) => Promise<void>, inputs: object, error: RegExp]>([
    ['there are no legs', async () => {}, {}, /no leg of "team\/app" was found in this run.*needs: build/s],
    [
      'a platform that is asked for has no leg',
      (cloud) => buildLegs(cloud, ['linux/amd64']),
      { platforms: 'linux/amd64,linux/arm64' },
      /^linux\/arm64 is missing: no leg of this run built it.*check that its build job ran/s,
    ],
    [
      'a job of the matrix left no leg',
      (cloud) => buildLegs(cloud, ['linux/amd64'], 2),
      {},
      /^the job "build" has 2 jobs in its matrix, but 1 left a leg/,
    ],
  ])('when %s it says what to do, and writes nothing', async (_, build, inputs, error) => {
    const cloud = await startCloud();
    await build(cloud);
    const before = cloud.writes().length;
    const ran = await runStep({ ...STITCH, ...inputs }, cloud.job('stitch'));
    expect(ran.errors).toEqual([expect.stringMatching(error)]);
    expect(cloud.writes()).toHaveLength(before);
    expect(ran.leftovers).toEqual([]);
  });

  test('creates no repository when there is nothing to publish in it', async () => {
    const cloud = await startCloud({ repository: false });
    const ran = await runStep({ ...STITCH, 'create-repository': 'true' }, cloud.job('stitch'));
    expect(ran.errors).toEqual([expect.stringMatching(/^no leg of "team\/app" was found/)]);
    expect(cloud.emulator.requests.filter(({ operation }) => operation === 'CreateRepository')).toEqual([]);
  });
});
