import { describe, expect, test } from '@jest/globals';
import type { RequestFacts } from '../../emulator/traffic.ts';
import { REGIONS, REPOSITORY, startCloud } from './cloud.ts';
import { legInputs, releaseInputs, TARGET } from './layouts.ts';
import { each, statesOf } from './results.ts';
import { runStep } from './step.ts';

const BAD = 'eu-west-1';
const GOOD = REGIONS.filter((region) => region !== BAD);

/** Makes one region refuse requests, of its API or of its registry, until it is well again. */
function refusing(isRefused: (request: RequestFacts) => boolean, isWell = () => false) {
  return (request: RequestFacts) =>
    request.region === BAD && !isWell() && isRefused(request)
      ? { status: 403, code: 'AccessDeniedException', message: 'not here' }
      : undefined;
}

const UNREAD = 'what its tags show was not read; none of them was changed';

const WAYS: [way: string, shown: string, isRefused: (request: RequestFacts) => boolean][] = [
  ['gives no token', UNREAD, ({ operation }) => operation === 'GetAuthorizationToken'],
  [
    'takes no layer',
    'v1 shows nothing',
    ({ method, path }) => method === 'PUT' && path.includes('/uploads/'),
  ],
  [
    'takes no tag',
    'v1 shows nothing',
    ({ method, path }) => method === 'PUT' && path.endsWith('/manifests/v1'),
  ],
  ['answers nothing but its API', UNREAD, ({ path }) => path.startsWith('/v2/')],
];

describe.each(WAYS)('a region that %s', (_, now, isRefused) => {
  test('is gone on without, and the step fails at its end: the others show the release', async () => {
    let isOver = false;
    const cloud = await startCloud({ fault: refusing(isRefused, () => isOver) });
    const { errors, outputs, summary } = await runStep({
      ...(await releaseInputs()),
      'on-region-failure': 'continue',
    });
    isOver = true;
    const lines = (errors[0] ?? '').split('\n');
    expect(errors).toHaveLength(1);
    expect(lines[0]).toMatch(/^- eu-west-1: team\/app: .*(?:not here|answered 403)/);
    expect(lines).toContain(`- now in ${BAD}: ${now}`);
    expect(lines.at(-2)).toMatch(/^- now in us-east-1, ap-southeast-2, sa-east-1: v1 shows sha256:\w{12}$/);
    expect(statesOf(outputs.get('results'))).toEqual({ ...each(REGIONS, 'published'), [BAD]: 'failed' });
    expect(summary).toMatch(/^### Published in 3 of 4 regions: team\/app$/m);
    const digest = outputs.get('digest');
    expect(await cloud.shown('v1')).toEqual(REGIONS.map((region) => (region === BAD ? undefined : digest)));
    expect(outputs.get('images')).not.toContain(BAD);
  });

  test('is warned of, where that is enough, and the step passes', async () => {
    await startCloud({ fault: refusing(isRefused) });
    const { errors, log, outputs } = await runStep({
      ...(await releaseInputs()),
      'on-region-failure': 'warn',
    });
    expect(errors).toEqual([]);
    expect(log).toMatch(/eu-west-1: team\/app: .*(?:not here|answered 403)/);
    expect(statesOf(outputs.get('results'))).toEqual({ ...each(REGIONS, 'published'), [BAD]: 'failed' });
  });

  test('keeps all others from showing it by default', async () => {
    let isOver = false;
    const cloud = await startCloud({ fault: refusing(isRefused, () => isOver) });
    const { errors } = await runStep(await releaseInputs());
    isOver = true;
    expect(errors).toHaveLength(1);
    expect(await cloud.shown('v1')).toEqual(REGIONS.map(() => undefined));
  });
});

test('where every region fails, a warning is not enough', async () => {
  await startCloud({
    fault: ({ method, path }) =>
      method === 'PUT' && path.includes('/uploads/')
        ? { status: 403, code: 'DENIED', message: 'no' }
        : undefined,
  });
  const { errors, summary } = await runStep({ ...(await releaseInputs()), 'on-region-failure': 'warn' });
  expect(errors).toHaveLength(1);
  expect(summary).toMatch(/^### Not published: team\/app$/m);
});

test('a leg that landed in some regions is stitched in all of them, once the bad one is well again', async () => {
  let isOver = false;
  const takesNoLayer = ({ method, path }: RequestFacts) => method === 'PUT' && path.includes('/uploads/');
  const cloud = await startCloud({ fault: refusing(takesNoLayer, () => isOver) });
  const leg = await runStep(
    { ...(await legInputs('linux/amd64')), 'on-region-failure': 'warn' },
    cloud.job('build'),
  );
  expect(statesOf(leg.outputs.get('results'))).toEqual({ ...each(REGIONS, 'landed'), [BAD]: 'failed' });
  isOver = true;
  const { errors, outputs } = await runStep({ ...TARGET, mode: 'stitch', tags: 'v1' }, cloud.job('stitch'));
  expect(errors).toEqual([]);
  expect(statesOf(outputs.get('results'))).toEqual(each(REGIONS, 'published'));
  expect(await cloud.shown('v1')).toEqual(REGIONS.map(() => outputs.get('digest')));
});

test('a place that is gone on without is told of with its own repository, and its registry once that is known', async () => {
  const cloud = await startCloud({
    repository: false,
    fault: ({ region, operation }) =>
      (region === BAD && operation === 'GetAuthorizationToken') || operation === 'CreateRepository'
        ? { status: 403, code: 'AccessDeniedException', message: 'not here' }
        : undefined,
  });
  cloud.emulator.createRepository(REPOSITORY, {}, ['us-east-1']);
  const places = ['us-east-1', `123456789012.dkr.ecr.${BAD}.amazonaws.com/other/app`, 'sa-east-1'];
  const { outputs } = await runStep({
    ...(await releaseInputs()),
    regions: '',
    destinations: places.join('\n'),
    'create-repository': 'true',
    'on-region-failure': 'warn',
  });
  const results: unknown = JSON.parse(outputs.get('results') ?? '');
  const host = (region: string) => new URL(cloud.emulator.url(region)).host;
  expect(results).toMatchObject([
    { state: 'published', image: `${host('us-east-1')}/team/app` },
    {
      state: 'failed',
      image: expect.stringMatching(/^\d{12}\.dkr\.ecr\.eu-west-1\.amazonaws\.com\/other\/app$/),
    },
    { state: 'failed', image: `${host('sa-east-1')}/team/app` },
  ]);
});

test('a region without the repository is gone on without, and one that creates none as well', async () => {
  const cloud = await startCloud({
    repository: false,
    fault: refusing(({ operation }) => operation === 'CreateRepository'),
  });
  cloud.emulator.createRepository(REPOSITORY, {}, GOOD.slice(1));
  const inputs = { ...(await releaseInputs()), 'on-region-failure': 'continue' };
  const without = await runStep(inputs);
  const [first = ''] = GOOD;
  expect(statesOf(without.outputs.get('results'))).toEqual({
    ...each(REGIONS, 'published'),
    [first]: 'failed',
    [BAD]: 'failed',
  });
  const creating = await runStep({ ...inputs, 'create-repository': 'true' });
  expect(statesOf(creating.outputs.get('results'))).toEqual({
    ...each(REGIONS, 'unchanged'),
    [first]: 'published',
    [BAD]: 'failed',
  });
});
