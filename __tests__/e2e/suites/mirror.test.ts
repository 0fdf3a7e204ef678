import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { run } from '../engines/process.ts';
import { digestByCrane } from '../engines/readers.ts';
import { tool } from '../engines/tools.ts';
import { BUILDERS, engines } from '../support/engines.ts';
import { parseResults, readIndex } from '../support/image.ts';
import { type PlainRegistry, startPlainRegistry } from '../support/registry.ts';
import { cloudFor, makeContext, SHELL_STAGE } from '../support/suite.ts';
import { jobOf, runJobs, succeeded } from '../support/workflow.ts';

const REGIONS = ['us-east-1', 'eu-central-1', 'ap-southeast-2'];
const BOTH = 'linux/amd64, linux/arm64';

describe('an image of both platforms, built in one job and copied to a registry that is not ECR', () => {
  const cloud = cloudFor('601', REGIONS, ['app', 'mirrored']);
  let registry: PlainRegistry | undefined;
  let source = '';
  let digest = '';
  let workspace = '';

  beforeAll(async () => {
    registry = await startPlainRegistry(join(engines().logs, 'registry.log'));
    source = `${registry.host}/team/app:v1`;
    workspace = await makeContext('601', { Dockerfile: `${SHELL_STAGE}\nRUN uname -m > /machine` });
    const setting = { engines: engines(), cloud: cloud(), workspace, runId: '601' };
    const inputs = { repository: 'app', regions: 'us-east-1', builder: BUILDERS.host, legs: 'none' };
    const built = { ...inputs, platforms: BOTH, tags: 'v1' };
    digest =
      jobOf(succeeded(await runJobs(setting, { build: { inputs: built } })), 'build').outputs.digest ?? '';
    const { config } = cloud();
    const env = { PATH: '/usr/bin:/bin', HOME: config, DOCKER_CONFIG: config };
    const home = cloud().registries.find(({ region }) => region === 'us-east-1')?.host;
    await run(tool('crane'), ['copy', '--insecure', `${home}/app:v1`, source], { env });
  });
  afterAll(() => registry?.stop());

  const mirror = async (runId: string, inputs: Record<string, string>) => {
    const setting = { engines: engines(), cloud: cloud(), workspace, runId };
    const common = { mode: 'mirror', source, repository: 'mirrored', regions: REGIONS.join() };
    const finished = succeeded(await runJobs(setting, { mirror: { inputs: { ...common, ...inputs } } }));
    return jobOf(finished, 'mirror').outputs;
  };

  test('mirrors whole into every region: same digest, attestations kept', async () => {
    const outputs = await mirror('602', {});
    expect(outputs.digest).toBe(digest);
    for (const { sent } of parseResults(outputs)) expect(sent).toBeGreaterThan(500_000);
    for (const { host } of cloud().registries) {
      // Without tags it keeps the source's own.
      const reference = `${host}/mirrored:v1`;
      expect(await digestByCrane(reference, cloud().config)).toBe(digest);
      const { images, attestations } = await readIndex(reference, cloud().config);
      expect(Object.keys(images)).toEqual(['linux/amd64', 'linux/arm64']);
      expect(Object.keys(attestations)).toEqual(['linux/amd64', 'linux/arm64']);
    }
  });

  test('mirrors again without sending or changing anything', async () => {
    const results = parseResults(await mirror('603', {}));
    expect(results.map(({ state, sent }) => ({ state, sent }))).toEqual(
      REGIONS.map(() => ({ state: 'unchanged', sent: 0 })),
    );
  });

  test('keeps one platform when only one is asked for, with its attestation', async () => {
    await mirror('604', { platforms: 'linux/arm64', tags: 'graviton' });
    for (const { host } of cloud().registries) {
      const { images, attestations } = await readIndex(`${host}/mirrored:graviton`, cloud().config);
      expect(Object.keys(images)).toEqual(['linux/arm64']);
      expect(Object.keys(attestations)).toEqual(['linux/arm64']);
    }
  });
});
