import { describe, expect, test } from '@jest/globals';
import { setEnvironment } from '../support/environment.ts';
import { serve, type TestServer } from '../support/server.ts';
import { REGIONS, REPOSITORY, startCloud, type TestCloud } from './cloud.ts';
import { legInputs, TARGET } from './layouts.ts';
import { each, statesOf } from './results.ts';
import { type Ran, runStep } from './step.ts';

const ROLE = 'arn:aws:iam::123456789012:role/publish';
const STITCH = { ...TARGET, mode: 'stitch', tags: 'v1,latest', push: 'false' };

/** A run whose jobs have no credentials, and whoever could give them some. */
interface Fork {
  readonly cloud: TestCloud;
  /** Runs a step of a job, and gives what it left. */
  step(job: string, inputs: Readonly<Record<string, string>>): Promise<Ran>;
  /** All that was asked of ECR, STS, GitHub's OIDC service, and a runner's metadata service. */
  asked(): unknown[];
}

async function startFork(): Promise<Fork> {
  const cloud = await startCloud();
  const givers: TestServer[] = [];
  for (let each = 0; each < 2; each += 1) {
    givers.push(await serve((_, response) => response.writeHead(404).end()));
  }
  const [oidc, metadata] = givers;
  setEnvironment({
    ACTIONS_ID_TOKEN_REQUEST_URL: `${oidc?.url}/token?api-version=2`,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'token',
    AWS_EC2_METADATA_DISABLED: undefined,
    AWS_EC2_METADATA_SERVICE_ENDPOINT: metadata?.url,
  });
  return {
    cloud,
    async step(job, inputs) {
      return runStep(inputs, {
        ...cloud.job(job),
        AWS_ACCESS_KEY_ID: undefined,
        AWS_SECRET_ACCESS_KEY: undefined,
        // Those that GitHub hosts are not asked anyway.
        RUNNER_ENVIRONMENT: 'self-hosted',
      });
    },
    asked: () => [...cloud.emulator.requests, ...givers.flatMap(({ requests }) => requests)],
  };
}

describe('a run that pushes nothing', () => {
  test('goes its whole way without credentials, and asks nobody for anything', async () => {
    const { step, asked } = await startFork();
    const role = { push: 'false', 'role-to-assume': ROLE, 'create-repository': 'true' };
    for (const platform of ['linux/amd64', 'linux/arm64']) {
      const leg = await step('build', { ...(await legInputs(platform)), ...role });
      expect(leg.errors).toEqual([]);
      expect(leg.summary).toContain('### Checked, not pushed: team/app');
      expect(leg.leftovers).toEqual([]);
    }
    const { errors, outputs, summary, masked } = await step('stitch', { ...STITCH, ...role });
    expect(errors).toEqual([]);
    expect(asked()).toEqual([]);
    expect(masked).toEqual([]);
    expect(statesOf(outputs.get('results'))).toEqual(each(REGIONS, 'not pushed'));
    expect(outputs.get('images')).toBe('[]');
    expect(outputs.get('digest')).toMatch(/^sha256:/);
    const index = JSON.parse(outputs.get('metadata') ?? '');
    expect(index.manifests).toHaveLength(2);
    expect(summary).toContain('### Checked, not pushed: team/app');
    for (const region of REGIONS) {
      for (const tag of ['v1', 'latest']) {
        expect(summary).toContain(`- \`123456789012.dkr.ecr.${region}.amazonaws.com/${REPOSITORY}:${tag}\``);
      }
    }
  });

  test('fails all the same when a platform is missing', async () => {
    const { step, asked } = await startFork();
    await step('build', { ...(await legInputs('linux/amd64')), push: 'false' });
    const { errors, summary } = await step('stitch', { ...STITCH, platforms: 'linux/amd64, linux/arm64' });
    expect(errors).toEqual([expect.stringMatching(/^linux\/arm64 is missing: no leg of this run built it/)]);
    expect(summary).toContain('### Nothing was published');
    expect(asked()).toEqual([]);
  });

  test('says in its log what stands for an account that it does not know', async () => {
    const { step } = await startFork();
    const { log, summary } = await step('build', { ...(await legInputs('linux/amd64')), push: 'false' });
    expect(log).toContain('ACCOUNT stands for the account, which nobody is asked for: "account-id" names it');
    expect(summary).toContain('ACCOUNT.dkr.ecr.us-east-1.amazonaws.com/team/app@sha256:');
  });
});

test('a run that pushes asks for credentials before anything else', async () => {
  const { step, asked } = await startFork();
  const { errors } = await step('build', { ...(await legInputs('linux/amd64')), 'role-to-assume': ROLE });
  expect(errors).toHaveLength(1);
  expect(asked()).not.toEqual([]);
});

test('a stitch that pushes refuses what was built without a push, and writes nothing', async () => {
  const { cloud, step } = await startFork();
  await step('build', { ...(await legInputs('linux/amd64')), push: 'false' });
  const { errors } = await runStep({ ...STITCH, push: 'true' }, cloud.job('stitch'));
  expect(errors).toEqual([expect.stringMatching(/^job build of attempt 1 was built with "push: false"/)]);
  expect(cloud.writes()).toEqual([]);
});

test('what one place alone would refuse is told of that place, and nothing is said to be shown or published', async () => {
  const { step, asked } = await startFork();
  const image = await legInputs('linux/amd64', { layers: [''] });
  const { errors, lines, summary } = await step('build', {
    ...image,
    regions: '',
    destinations: 'us-east-1\nregistry.example/team/app',
    legs: 'none',
    tags: 'v1',
    push: 'false',
    'on-region-failure': 'warn',
  });
  expect(errors).toEqual([]);
  expect(lines.at(-1)).toMatch(/^us-east-1: team\/app: .*ECR takes no blob of 0 bytes/m);
  expect(summary).toMatch(/^### Checked, not pushed: team\/app would be refused in 1 of 2 regions$/m);
  expect(summary).not.toMatch(/published|\bshows?\b|, tagged/i);
  expect(asked()).toEqual([]);
});
