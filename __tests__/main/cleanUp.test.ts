import { readdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import type { RequestFacts } from '../../emulator/traffic.ts';
import { imageOf } from '../support/images.ts';
import { until } from '../support/memory.ts';
import { serveGraph } from '../support/registry.ts';
import { REGIONS, startCloud, type TestCloud } from './cloud.ts';
import { releaseInputs, TARGET } from './layouts.ts';
import { type Running, startProcess } from './process.ts';

const SLOW = 'eu-west-1';
const STUCK = 'us-east-1';

/** More than the system takes off a connection on which nobody reads. */
const layers = ['one', 'two'].map((layer) => Buffer.alloc(12_000_000, `layer ${layer} `));
const image = imageOf('linux/amd64', { layers });

/** Starts to mirror an image, which goes through the spool. */
async function startMirror(cloud: TestCloud): Promise<Running> {
  const upstream = await serveGraph(image, '1.29');
  return startProcess({ ...TARGET, mode: 'mirror', source: `${upstream.repository}:1.29` }, cloud.job('x'));
}

/** The files and folders below RUNNER_TEMP. */
function filesIn({ temp }: Running): Promise<string[]> {
  return readdir(temp, { recursive: true });
}

const isTag = ({ method, path }: RequestFacts) => method === 'PUT' && path.endsWith('/manifests/v1');
const isLayer = ({ method, path }: RequestFacts) => method === 'PUT' && path.includes('/blobs/uploads/');

/** Whether every other region has both layers and the config. */
const othersHaveAll = ({ emulator }: TestCloud) =>
  REGIONS.filter((region) => region !== SLOW).every(
    (region) =>
      emulator.requests.filter((each) => each.region === region && isLayer(each) && each.status === 201)
        .length === image.blobs.size,
  );

describe('cancelled while a region takes its bytes very slowly', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('by %s it ends with %p, its spool is gone, and no region shows a tag', async (signal, code) => {
    const cloud = await startCloud({
      fault: (request) => (request.region === SLOW && isLayer(request) ? new Promise(() => {}) : undefined),
    });
    const running = await startMirror(cloud);
    await until(() => othersHaveAll(cloud));
    expect((await filesIn(running)).filter((path) => /spool\/sha256\/[0-9a-f]{64}$/.test(path))).toHaveLength(
      image.blobs.size,
    );
    running.kill(signal);
    const ended = await running.ended;
    expect(ended).toMatchObject({ code, leftovers: [] });
    expect(ended.stdout).toMatch(/^::error::.*eu-west-1: team\/app: .*the step was cancelled/m);
    const told = [...ended.summary.matchAll(/now in ([\w, -]+): 1\.29 shows nothing/g)];
    expect(told.flatMap(([, regions = '']) => regions.split(', ')).toSorted()).toEqual(REGIONS.toSorted());
    expect(ended.summary).toMatch(/^### Not published: team\/app$/m);
    expect(await cloud.shown('1.29')).toEqual(REGIONS.map(() => undefined));
    expect(cloud.writes().filter(({ path }) => path.endsWith('/manifests/1.29'))).toEqual([]);
  });
});

test('cancelled while a tag is written it ends with 130 and its folder is gone', async () => {
  const stalled = Promise.withResolvers<void>();
  const cloud = await startCloud({
    fault: (request) => {
      if (!isTag(request)) return undefined;
      stalled.resolve();
      return new Promise(() => {});
    },
  });
  const running = await startProcess(await releaseInputs(), cloud.job('build'));
  await stalled.promise;
  expect(await readdir(running.temp)).toHaveLength(1);
  running.kill('SIGINT');
  expect(await running.ended).toMatchObject({ code: 130, leftovers: [] });
});

/** A release whose tag one region never takes, when all others have taken it; `isDenied` says what is refused besides. */
async function startStalled(isDenied: (request: RequestFacts) => boolean = () => false) {
  const stalled = Promise.withResolvers<void>();
  const cloud = await startCloud({
    fault: (request) => {
      if (isDenied(request)) return { status: 403, code: 'Denied', message: 'no' };
      if (request.region !== SLOW || !isTag(request)) return undefined;
      stalled.resolve();
      return new Promise(() => {});
    },
  });
  const running = await startProcess(await releaseInputs(), cloud.job('build'));
  await stalled.promise;
  await until(
    () =>
      cloud.writes().filter(({ path, status }) => path.endsWith('/manifests/v1') && status === 201).length ===
      REGIONS.length - 1,
  );
  return { cloud, running };
}

test('cancelled while one region has not taken its tag it takes back those that the others have', async () => {
  const { cloud, running } = await startStalled();
  running.kill('SIGINT');
  const ended = await running.ended;
  expect(ended).toMatchObject({ code: 130, leftovers: [] });
  expect(await cloud.shown('v1')).toEqual(REGIONS.map(() => undefined));
  expect(ended.stdout).toMatch(/now in .*: v1 shows nothing/);
  expect(ended.outputs).toContain('"state":"held back"');
});

test('cancelled while a tag is written that cannot be taken back, it says which may show the new image', async () => {
  const { running } = await startStalled(
    ({ operation, region }) => operation === 'BatchDeleteImage' && region === STUCK,
  );
  running.kill('SIGINT');
  const { code, stdout, summary, outputs } = await running.ended;
  expect(code).toBe(130);
  expect(stdout).toContain(`now in ${STUCK}: v1 may show the new image`);
  expect(summary).toContain(`now in ${STUCK}: v1 may show the new image`);
  expect(outputs).toContain('"uncertain":["v1"]');
});

test('cancelled while the last region takes its tag, which it does, it says that all regions show it', async () => {
  const cancelled = Promise.withResolvers<void>();
  const stalled = Promise.withResolvers<void>();
  const cloud = await startCloud({
    async fault(request) {
      if (request.region !== SLOW || !isTag(request)) return undefined;
      stalled.resolve();
      await cancelled.promise;
      return undefined;
    },
  });
  const running = await startProcess(await releaseInputs(), cloud.job('build'));
  await stalled.promise;
  running.kill('SIGINT');
  setTimeout(cancelled.resolve, 200);
  const { code, summary, outputs } = await running.ended;
  expect(code).toBe(130);
  expect(summary).toMatch(/^### Published team\/app$/m);
  expect(outputs.match(/"state":"published"/g)).toHaveLength(REGIONS.length);
});

test('failed in one region, it ends with 1 when the slow ones have ended, and its spool is gone', async () => {
  const spooled = Promise.withResolvers<void>();
  const cloud = await startCloud({
    async fault(request) {
      if (!isLayer(request)) return undefined;
      if (request.region !== SLOW) return { status: 403, code: 'DENIED', message: 'no' };
      await spooled.promise;
      return undefined;
    },
  });
  const running = await startMirror(cloud);
  let files: string[] = [];
  while (!files.some((path) => /spool\/sha256\//.test(path))) files = await filesIn(running);
  spooled.resolve();
  const { code, leftovers, outputs } = await running.ended;
  expect([code, leftovers]).toEqual([1, []]);
  expect(outputs).toContain('"state":"held back"');
  expect(await cloud.shown('1.29')).toEqual(REGIONS.map(() => undefined));
});

test('cancelled twice while tags cannot be put back it says that nobody knows what they show', async () => {
  const stalled = Promise.withResolvers<void>();
  let isStalled = false;
  const cloud = await startCloud({
    fault: (request) => {
      isStalled ||= isTag(request);
      if (!isStalled || !request.path.endsWith('/manifests/v1')) return undefined;
      stalled.resolve();
      return new Promise(() => {});
    },
  });
  const running = await startProcess(await releaseInputs(), cloud.job('build'));
  await stalled.promise;
  running.kill('SIGINT');
  // Two signals at once may come as one.
  await sleep(500);
  running.kill('SIGTERM');
  const { code, stdout, summary, leftovers } = await running.ended;
  expect([code, leftovers]).toEqual([143, []]);
  expect(stdout).toMatch(
    /^::error::the step was cancelled, .*: tags may show the new image, .*: look what they show/m,
  );
  expect(summary).toMatch(/^### Nobody knows what was published$/m);
});

test('with nobody left to read its log it ends as if it were cancelled', async () => {
  const uploading = Promise.withResolvers<void>();
  const cloud = await startCloud({
    fault: (request) => {
      if (request.region !== SLOW || !isLayer(request)) return undefined;
      uploading.resolve();
      return new Promise(() => {});
    },
  });
  const running = await startProcess(await releaseInputs(), cloud.job('build'));
  await uploading.promise;
  running.closeLog();
  const { code, summary, outputs, leftovers } = await running.ended;
  expect([code, leftovers]).toEqual([141, []]);
  expect(summary).toMatch(/nobody reads the log of the step any more/);
  expect(outputs).toContain('"state":"held back"');
  expect(await cloud.shown('v1')).toEqual(REGIONS.map(() => undefined));
});
