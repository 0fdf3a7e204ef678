import { describe, expect, test } from '@jest/globals';
import type { RequestFacts } from '../../emulator/traffic.ts';
import { REGIONS, startCloud } from './cloud.ts';
import { releaseInputs, TARGET } from './layouts.ts';
import { startProcess } from './process.ts';
import { each, statesOf } from './results.ts';
import { runStep } from './step.ts';

const SLOW = 'eu-west-1';

/** A region that never answers some requests. */
function endless(isEndless: (request: RequestFacts) => boolean) {
  return (request: RequestFacts) =>
    request.region === SLOW && isEndless(request) ? new Promise<undefined>(() => {}) : undefined;
}

const isTag = ({ method, path }: RequestFacts) => method === 'PUT' && path.endsWith('/manifests/v1');
const isLayer = ({ method, path }: RequestFacts) => method === 'PUT' && path.includes('/blobs/uploads/');

describe('a step that takes longer than it may', () => {
  test.each<[string, (request: RequestFacts) => boolean]>([
    ['a layer', isLayer],
    ['a tag', isTag],
  ])('with %s on its way breaks that off, and every region shows what it showed before', async (_, what) => {
    const cloud = await startCloud({ fault: endless(what) });
    const { errors, outputs, leftovers } = await runStep({ ...(await releaseInputs()), timeout: '8s' });
    expect(errors).toHaveLength(1);
    const lines = errors[0]?.split('\n') ?? [];
    expect(lines[0]).toMatch(/eu-west-1: team\/app: .*the step did not end within 8 s \("timeout"\)/);
    expect(lines.slice(1)).toEqual([
      `- now in ${REGIONS.filter((region) => region !== SLOW).join(', ')}: v1 shows nothing, as before`,
      `- now in ${SLOW}: v1 shows nothing`,
    ]);
    expect(statesOf(outputs.get('results'))).toEqual({ ...each(REGIONS, 'held back'), [SLOW]: 'failed' });
    expect(await cloud.shown('v1')).toEqual(REGIONS.map(() => undefined));
    expect(leftovers).toEqual([]);
  });

  test('with what the API says of the tags still to come is over, and the release stands', async () => {
    const cloud = await startCloud({ fault: endless(({ operation }) => operation === 'DescribeImages') });
    const inputs = { ...(await releaseInputs()), timeout: '4s' };
    const running = await startProcess(inputs, cloud.job('build'));
    const { code, stdout, outputs, leftovers } = await running.ended;
    expect([code, leftovers]).toEqual([0, []]);
    expect(stdout).toMatch(
      /^eu-west-1: team\/app: .*the step did not end within 4 s \("timeout"\).*: the results lack what the registry itself says of the tags$/m,
    );
    expect(outputs).not.toContain('"state":"failed"');
  });

  test('before there is anything to publish ends at once, with nothing published', async () => {
    const cloud = await startCloud({
      fault: endless(({ operation }) => operation === 'GetAuthorizationToken'),
    });
    const running = await startProcess({ ...(await releaseInputs()), timeout: '1s' }, cloud.job('build'));
    const { code, stdout, summary, leftovers } = await running.ended;
    expect([code, leftovers]).toEqual([1, []]);
    expect(stdout).toMatch(
      /^::error::the step did not end within 1 s \("timeout"\) while this was under way: opening eu-west-1: run the job again/m,
    );
    expect(summary).toMatch(/^### Nothing was published$/m);
    expect(cloud.writes()).toEqual([]);
  });

  test('tells what has failed already in a region while another one did not answer', async () => {
    const cloud = await startCloud({
      fault: (request) =>
        request.region === 'us-east-1' && request.operation === 'DescribeRepositories'
          ? { status: 400, code: 'AccessDeniedException', message: 'not authorized' }
          : endless(({ operation }) => operation === 'GetAuthorizationToken')(request),
    });
    const inputs = { ...(await releaseInputs()), 'create-repository': 'true', timeout: '2s' };
    const { stdout } = await (await startProcess(inputs, cloud.job('build'))).ended;
    expect(stdout).toMatch(
      /^::error::the step did not end within 2 s .*: opening eu-west-1 \(failed already: us-east-1: team\/app: .*not authorized.*\): run the job again/m,
    );
  });

  test('in the middle of a group of lines says so outside of it', async () => {
    const cloud = await startCloud({
      fault: endless(({ operation }) => operation === 'GetAuthorizationToken'),
    });
    const inputs = { ...TARGET, mode: 'stitch', tags: 'v1', timeout: '1s' };
    const { stdout } = await (await startProcess(inputs, cloud.job('stitch'))).ended;
    const told = [...stdout.matchAll(/^::(group|endgroup|error)::/gm)].map(([, command]) => command);
    expect(told).toEqual(['group', 'endgroup', 'error']);
  });

  test('that is wrong is refused before anything is done', async () => {
    await startCloud();
    const { errors } = await runStep({ ...(await releaseInputs()), timeout: '20', 'region-timeout': 'soon' });
    const advice = 'write a time with its unit, five days at the most, such as "90s", "20m" or "1h30m"';
    expect(errors[0]?.split('\n').toSorted()).toEqual([
      `- input "region-timeout": "soon": ${advice}`,
      `- input "timeout": "20": ${advice}`,
    ]);
  });
});

describe('a region that takes longer than it may', () => {
  test.each([
    ['a token', 'GetAuthorizationToken'],
    ['whether the repository is there', 'DescribeRepositories'],
  ])('to tell %s is one that failed, and nothing is waited for any more', async (_, asked) => {
    const cloud = await startCloud({ fault: endless(({ operation }) => operation === asked) });
    const inputs = { ...(await releaseInputs()), 'region-timeout': '2s' };
    const { code, stdout, leftovers } = await (await startProcess(inputs, cloud.job('build'))).ended;
    expect([code, leftovers]).toEqual([1, []]);
    expect(stdout).toMatch(
      /^::error::eu-west-1: team\/app: it was not ready within 2 s \("region-timeout"\): .*, or allow more$/m,
    );
    expect(cloud.writes()).toEqual([]);
    const tries = cloud.emulator.requests.filter(
      ({ region, operation }) => region === SLOW && operation === asked,
    );
    expect(tries.length).toBeLessThan(6);
  });

  test('to give a token does not keep the others, where they go on', async () => {
    const cloud = await startCloud({
      fault: endless(({ operation }) => operation === 'GetAuthorizationToken'),
    });
    const inputs = { ...(await releaseInputs()), 'region-timeout': '2s', 'on-region-failure': 'warn' };
    const { code, stdout, outputs, leftovers } = await (await startProcess(inputs, cloud.job('build'))).ended;
    expect([code, leftovers]).toEqual([0, []]);
    expect(stdout).toMatch(
      /^eu-west-1 is left out \(on-region-failure: warn\): .*it was not ready within 2 s/m,
    );
    expect(outputs).toContain('"state":"failed"');
    const tagged = cloud.emulator.requests.filter(isTag).map(({ region }) => region);
    expect(tagged.toSorted()).toEqual(REGIONS.filter((region) => region !== SLOW).toSorted());
  });

  test('is one that failed', async () => {
    const cloud = await startCloud({ fault: endless(isLayer) });
    const { errors, outputs } = await runStep({ ...(await releaseInputs()), 'region-timeout': '6s' });
    expect(errors[0]).toMatch(
      /eu-west-1: team\/app: it did not hold the whole image within 6 s \("region-timeout"\)/,
    );
    expect(statesOf(outputs.get('results'))).toEqual({ ...each(REGIONS, 'held back'), [SLOW]: 'failed' });
    expect(await cloud.shown('v1')).toEqual(REGIONS.map(() => undefined));
  });

  test('keeps the process from ending no longer, whatever it still does not answer', async () => {
    const cloud = await startCloud({
      fault: endless(({ operation }) => operation === 'BatchCheckLayerAvailability'),
    });
    const inputs = { ...(await releaseInputs()), 'region-timeout': '2s', 'on-region-failure': 'warn' };
    const { code, outputs, leftovers } = await (await startProcess(inputs, cloud.job('build'))).ended;
    expect([code, leftovers]).toEqual([0, []]);
    expect(outputs).toContain('"state":"failed"');
    // Each of its six tries would be waited for, for a quarter of a minute.
    const tries = cloud.emulator.requests.filter(
      ({ region, operation }) => region === SLOW && operation === 'BatchCheckLayerAvailability',
    );
    expect(tries.length).toBeLessThan(6);
  });

  test('does not keep the others, where they go on', async () => {
    const cloud = await startCloud({ fault: endless(isLayer) });
    const { outputs } = await runStep({
      ...(await releaseInputs()),
      'region-timeout': '6s',
      'on-region-failure': 'warn',
    });
    const digest = outputs.get('digest');
    expect(statesOf(outputs.get('results'))).toEqual({ ...each(REGIONS, 'published'), [SLOW]: 'failed' });
    expect(await cloud.shown('v1')).toEqual(REGIONS.map((region) => (region === SLOW ? undefined : digest)));
  });
});
