import { describe, expect, test } from '@jest/globals';
import { Problems } from '../../src/problems.ts';
import type { Values } from '../inputs/read.ts';
import { openEmulated, REGIONS } from '../support/emulated.ts';
import { imageOf } from '../support/images.ts';
import { statesOf } from '../support/services.ts';
import { type FanIn, startFanIn } from './fanIn.ts';

const amd64 = imageOf('linux/amd64');
const arm64 = imageOf('linux/arm64');
const [one = '', two = '', three = ''] = REGIONS;
const BOTH = 'linux/amd64,linux/arm64';
const TAGS: Values = { legs: 'tags', tags: 'v1' };
const DENIED = { status: 403, code: 'DENIED', message: 'not today' };

/** Builds both legs, and gives what a stitch needs to find them. */
type HandOver = (fanIn: FanIn, inputs?: Values) => Promise<Values>;

const byTags: HandOver = async (fanIn, inputs = {}) => {
  for (const built of [amd64, arm64]) await fanIn.build(built, { ...TAGS, ...inputs });
  return { ...TAGS, platforms: BOTH };
};

const byDigest: HandOver = async (fanIn, inputs = {}) => {
  const [first, second] = [amd64, arm64].map(({ root }) => root.digest);
  for (const built of [amd64, arm64]) await fanIn.build(built, { legs: 'none', ...inputs });
  return { legs: JSON.stringify({ 'linux/amd64': first, 'linux/arm64': second }) };
};

/** The second region, whose manifests cannot be read while it is broken. */
async function startBreakable() {
  const second = { isBroken: () => false };
  const fanIn = await startFanIn({
    fault: ({ region, method, path }) =>
      region === two && method !== 'PUT' && path.includes('/manifests/') && second.isBroken()
        ? DENIED
        : undefined,
  });
  return { fanIn, second };
}

const isTold = ({ said }: FanIn) => said.some((line) => line.includes('no leg is read from there'));

describe.each<[string, HandOver]>([
  ['by tags', byTags],
  ['by digest', byDigest],
])('a stitch whose legs are found %s', (_, handOver) => {
  describe.each(['continue', 'warn'])('with "on-region-failure: %s"', (policy) => {
    test('publishes in the others where a region cannot be read, which fails', async () => {
      const { fanIn, second } = await startBreakable();
      const inputs = await handOver(fanIn);
      second.isBroken = () => true;
      const outcome = await fanIn.stitch({ ...inputs, 'on-region-failure': policy });
      expect(statesOf(outcome)).toEqual(['published', 'failed', 'published']);
      const told = fanIn.said.filter((line) => line.includes('no leg is read from there'));
      expect(told).toEqual([
        expect.stringMatching(
          new RegExp(
            `^${two}: team/app: .*403.*: no leg is read from there \\(on-region-failure: ${policy}\\)$`,
          ),
        ),
      ]);
      expect(fanIn.said.filter((line) => line.includes('no job has built'))).toEqual([]);
    });

    test('publishes everywhere where a region can be read again after that', async () => {
      const { fanIn, second } = await startBreakable();
      const inputs = await handOver(fanIn, { regions: `${one},${three}` });
      second.isBroken = () => !isTold(fanIn);
      const outcome = await fanIn.stitch({ ...inputs, 'on-region-failure': policy });
      expect(statesOf(outcome)).toEqual(REGIONS.map(() => 'published'));
      expect(isTold(fanIn)).toBe(true);
    });

    test('says why a region cannot be read where a leg may be there alone', async () => {
      const { fanIn, second } = await startBreakable();
      const inputs = await handOver(fanIn, { regions: two });
      second.isBroken = () => true;
      const before = fanIn.writes().length;
      const refusal = await fanIn.stitch({ ...inputs, 'on-region-failure': policy }).catch((error) => error);
      expect(refusal).toBeInstanceOf(Problems);
      expect(refusal instanceof Problems && refusal.problems).toEqual([
        expect.stringMatching(new RegExp(`^${two}: team/app: .*403`)),
      ]);
      expect(fanIn.writes()).toHaveLength(before);
    });
  });
});

describe.each<[string, HandOver]>([
  ['by tags', byTags],
  ['by digest', byDigest],
])('a region that never answers when legs are looked for %s', (_, handOver) => {
  /** A region that is silent from now on, when it is read from. */
  async function startSilent() {
    let isSilent = false;
    const fanIn = await startFanIn({
      fault: ({ region, method, path }) =>
        isSilent && region === two && method !== 'PUT' && path.includes('/manifests/')
          ? new Promise<undefined>(() => {})
          : undefined,
    });
    const inputs = await handOver(fanIn);
    isSilent = true;
    return { fanIn, stitch: (more: Values) => fanIn.stitch({ ...inputs, 'region-timeout': '1s', ...more }) };
  }
  const LATE = new RegExp(
    `^${two}: team/app: it did not tell which legs it holds within 1 s \\("region-timeout"\\)`,
  );

  test('is a reason to publish nowhere with "abort"', async () => {
    const { fanIn, stitch } = await startSilent();
    const before = fanIn.writes().length;
    const refusal = await stitch({}).catch((error) => error);
    expect(refusal instanceof Problems && refusal.problems).toEqual([expect.stringMatching(LATE)]);
    expect(fanIn.writes()).toHaveLength(before);
  });

  test('is gone on without with "continue", and fails', async () => {
    const { fanIn, stitch } = await startSilent();
    expect(statesOf(await stitch({ 'on-region-failure': 'continue' }))).toEqual([
      'published',
      'failed',
      'published',
    ]);
    expect(fanIn.said).toContainEqual(expect.stringMatching(LATE));
  });
});

test('a region that says that it has a leg and does not give it is no reason not to read it from another', async () => {
  let isBroken = false;
  const fanIn = await startFanIn({
    fault: ({ region, method, path }) =>
      isBroken && region === one && method === 'GET' && path.includes('/manifests/') ? DENIED : undefined,
  });
  const inputs = await byDigest(fanIn);
  isBroken = true;
  const outcome = await fanIn.stitch({ ...inputs, 'on-region-failure': 'continue' });
  expect(statesOf(outcome)).toEqual(['failed', 'published', 'published']);
});

describe('a region that still shows the leg of an earlier run', () => {
  /** The run 8, after the run 7, in which one region refuses the tag of a leg. */
  async function startSecondRun() {
    let isBroken = false;
    const fanIn = await startFanIn({
      fault: ({ region, method, path }) =>
        isBroken && region === two && method === 'PUT' && path.endsWith('/manifests/v1-arm64')
          ? DENIED
          : undefined,
    });
    await byTags(fanIn);
    await fanIn.stitch({ ...TAGS, platforms: BOTH });
    isBroken = true;
    const again = imageOf('linux/arm64', { layers: ['again'] });
    const run = { runId: '8' };
    await fanIn.build(amd64, TAGS, run);
    await fanIn.build(again, { ...TAGS, 'on-region-failure': 'warn' }, run);
    return {
      fanIn,
      stitch: (policy: string) =>
        fanIn.stitch({ ...TAGS, platforms: BOTH, 'on-region-failure': policy }, run),
    };
  }

  test.each(['continue', 'warn'])('gets that of this run from the others with "%s"', async (policy) => {
    const { fanIn, stitch } = await startSecondRun();
    const outcome = await stitch(policy);
    expect(statesOf(outcome)).toEqual(REGIONS.map(() => 'published'));
    expect(fanIn.said).toContain(
      `${two}: team/app: tag "v1-arm64" still shows a leg of the run 7: no leg is read from there (on-region-failure: ${policy})`,
    );
    const shown = await Promise.all((await openEmulated()).map((region) => region.tagged('v1')));
    expect(new Set(shown.map((index) => index?.digest))).toEqual(new Set([outcome.digest]));
  });

  test('is a reason to publish nowhere with "abort"', async () => {
    const { fanIn, stitch } = await startSecondRun();
    const before = fanIn.writes().length;
    await expect(stitch('abort')).rejects.toThrow(
      new RegExp(`tag "v1-arm64" in ${two} .* is of the run 7, but this is the run 8`),
    );
    expect(fanIn.writes()).toHaveLength(before);
  });
});
