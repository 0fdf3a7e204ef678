import { expect, test } from '@jest/globals';
import { parseReference } from '../../src/image/reference.ts';
import { runBuild } from '../../src/modes/build.ts';
import { runMirror } from '../../src/modes/mirror.ts';
import { countOf, emulate } from '../support/emulated.ts';
import { imageOf, indexOf } from '../support/images.ts';
import { serveGraph } from '../support/registry.ts';
import { buildInputs, EVERYWHERE, servicesWith, statesOf } from '../support/services.ts';
import { buildxOf } from './buildx.ts';

const amd64 = imageOf('linux/amd64', { fields: { annotations: { build: 7 } } });
const platform = { ...amd64.listed.platform, features: ['sse4'] };
/** An index with a field that ECR does not take, above an image with another one. */
const graph = indexOf([{ ...amd64, listed: { ...amd64.listed, platform } }]);
const REASONS = new RegExp(
  `: ${graph.root.digest}: manifests\\[0\\]\\.platform\\.features is a field .*; ${amd64.root.digest}: annotations\\.build is 7, `,
);
const FAILED = ['failed', 'failed', 'failed'];

test('a mirror of an image that ECR would refuse reads its manifests once, and sends nothing', async () => {
  const emulator = await emulate();
  const upstream = await serveGraph(graph, '1.29');
  const source = parseReference(`${upstream.repository}:1.29`);
  const outcome = await runMirror(
    { mode: 'mirror', target: EVERYWHERE, platforms: [], tags: ['1.29'], source, referrers: false },
    await servicesWith(),
  );
  expect(statesOf(outcome)).toEqual(FAILED);
  for (const { error } of outcome.results) expect(error).toMatch(REASONS);
  expect(upstream.requests.map(({ path }) => path)).toEqual(
    ['1.29', amd64.root.digest].map((reference) => `/v2/upstream/app/manifests/${reference}`),
  );
  const writes = emulator.requests.filter(
    ({ operation, method }) => operation === undefined && !/^(?:GET|HEAD)$/.test(method),
  );
  expect(writes).toEqual([]);
  expect(countOf(emulator.requests, 'BatchCheckLayerAvailability')).toBe(0);
});

test('a build of such an image writes no manifest, and leaves no record', async () => {
  const emulator = await emulate();
  const services = await servicesWith({ docker: buildxOf(graph).docker });
  const outcome = await runBuild(buildInputs('linux/amd64'), services);
  expect(statesOf(outcome)).toEqual(FAILED);
  for (const { error } of outcome.results) expect(error).toMatch(REASONS);
  expect(countOf(emulator.requests, 'PUT manifests')).toBe(0);
  expect(services.left).toEqual([]);
});
