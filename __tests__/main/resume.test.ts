import { describe, expect, test } from '@jest/globals';
import * as z from 'zod/mini';
import type { RequestFacts } from '../../emulator/traffic.ts';
import { imageOf } from '../support/images.ts';
import { until } from '../support/memory.ts';
import { REGIONS, startCloud, type TestCloud } from './cloud.ts';
import { layoutInputs, legInputs, TARGET } from './layouts.ts';
import { startProcess } from './process.ts';
import { each } from './results.ts';
import { type Ran, runStep } from './step.ts';

const isLayer = ({ method, path }: RequestFacts) => method === 'PUT' && path.includes('/blobs/uploads/');
const SLOW = 'sa-east-1';

const LAYERS = ['one', 'two', 'three'].map((name) => Buffer.alloc(300_000, name));
const image = imageOf('linux/amd64', { layers: LAYERS });
const BYTES = [...image.blobs.values()].reduce((sum, { length }) => sum + length, 0);

/** The bytes that a step says it has sent, by region. */
function sentBy({ outputs }: Ran): Record<string, number> {
  const schema = z.array(z.looseObject({ destination: z.string(), sent: z.number() }));
  const results = z.parse(schema, JSON.parse(outputs.get('results') ?? '[]'));
  return Object.fromEntries(results.map(({ destination, sent }) => [destination, sent]));
}

/** The bytes of layers that came to a region and were taken. */
function taken({ emulator }: TestCloud, region: string): number {
  return emulator.requests
    .filter((request) => isLayer(request) && request.region === region && request.status === 201)
    .reduce((sum, { received }) => sum + received, 0);
}

const stitchInputs = { ...TARGET, mode: 'stitch', tags: 'v1', platforms: 'linux/amd64, linux/arm64' };

describe('a job that was killed half way', () => {
  /** Kills a leg when one region has some of its layers, and the others have all. */
  async function killedLeg() {
    let taken = 0;
    let isOver = false;
    const cloud = await startCloud({
      fault: (request) => {
        if (isOver || request.region !== SLOW || !isLayer(request)) return undefined;
        taken += 1;
        return taken > 2 ? new Promise<undefined>(() => {}) : undefined;
      },
    });
    const inputs = await layoutInputs(image);
    const running = await startProcess(inputs, cloud.job('build'));
    const count = (region: string) =>
      cloud.emulator.requests.filter(
        (request) => isLayer(request) && request.region === region && request.status === 201,
      ).length;
    await until(() => REGIONS.every((region) => count(region) === (region === SLOW ? 2 : image.blobs.size)));
    running.kill('SIGKILL');
    await running.ended;
    isOver = true;
    return { cloud, inputs };
  }

  test('leaves no leg, no tag and nothing that harms, and is done by running it again on any runner', async () => {
    const { cloud, inputs } = await killedLeg();
    const stitched = await runStep({ ...stitchInputs, platforms: 'linux/amd64' }, cloud.job('stitch'));
    expect(stitched.errors).toEqual([expect.stringMatching(/^no leg of "team\/app" was found in this run/)]);
    const again = await runStep(inputs, cloud.job('build', 2));
    expect(again.errors).toEqual([]);
    const final = await runStep({ ...stitchInputs, platforms: 'linux/amd64' }, cloud.job('stitch', 2));
    expect(final.errors).toEqual([]);
    expect(await cloud.shown('v1')).toEqual(REGIONS.map(() => final.outputs.get('digest')));
  });

  test('sends only what is missing when it is run again: each byte was sent to each region once in all', async () => {
    const { cloud, inputs } = await killedLeg();
    const before = taken(cloud, SLOW);
    expect(before).toBeGreaterThan(0);
    const again = await runStep(inputs, cloud.job('build', 2));
    expect(sentBy(again)).toEqual({ ...each(REGIONS, 0), [SLOW]: BYTES - before });
    for (const region of REGIONS) expect(taken(cloud, region)).toBe(BYTES);
  });
});

test('"re-run failed jobs" stitches the legs that are still good with those that were run again', async () => {
  let isBroken = true;
  const cloud = await startCloud({
    fault: (request) =>
      isBroken && isLayer(request) ? { status: 403, code: 'DENIED', message: 'no' } : undefined,
  });
  const broken = await runStep(await legInputs('linux/arm64'), cloud.job('build'));
  expect(broken.errors).toHaveLength(1);
  isBroken = false;
  const good = await runStep(await legInputs('linux/amd64'), cloud.job('build'));
  expect(good.errors).toEqual([]);
  const early = await runStep(stitchInputs, cloud.job('stitch'));
  expect(early.errors).toEqual([
    expect.stringMatching(/^linux\/arm64 is missing: no leg of this run built it/),
  ]);
  // The second attempt runs the failed jobs alone.
  expect((await runStep(await legInputs('linux/arm64'), cloud.job('build', 2))).errors).toEqual([]);
  const final = await runStep(stitchInputs, cloud.job('stitch', 2));
  expect(final.errors).toEqual([]);
  expect(await cloud.shown('v1')).toEqual(REGIONS.map(() => final.outputs.get('digest')));
});

test('a stitch that failed in one region writes no more than its tags when it is run again', async () => {
  let isBroken = false;
  const cloud = await startCloud({
    fault: ({ region, method, path }) =>
      isBroken && region === SLOW && method === 'PUT' && path.endsWith('/manifests/v1')
        ? { status: 403, code: 'DENIED', message: 'no' }
        : undefined,
  });
  await runStep(await legInputs('linux/amd64'), cloud.job('build'));
  await runStep(await legInputs('linux/arm64'), cloud.job('build'));
  isBroken = true;
  expect((await runStep(stitchInputs, cloud.job('stitch'))).errors).toHaveLength(1);
  isBroken = false;
  const before = cloud.writes().length;
  const again = await runStep(stitchInputs, cloud.job('stitch', 2));
  expect(again.errors).toEqual([]);
  expect(sentBy(again)).toEqual(each(REGIONS, 0));
  const written = cloud.writes().slice(before);
  expect(written.map(({ method, path }) => `${method} ${path.split('/').at(-1)}`)).toEqual(
    REGIONS.map(() => 'PUT v1'),
  );
});
