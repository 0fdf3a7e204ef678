import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as z from 'zod/mini';
import { type ArtifactService, startArtifactService } from '../../../emulator/github/artifactService.ts';
import { runWorkflow } from '../engines/act.ts';
import { type LoggedRequest, type Ministack, startMinistack } from '../engines/ministack.ts';
import { run } from '../engines/process.ts';
import { tool, toolEnvironment } from '../engines/tools.ts';
import { BUILDERS, engines } from '../support/engines.ts';
import { parseResults } from '../support/image.ts';
import { makeContext, SHELL_STAGE } from '../support/suite.ts';
import { jobOf, succeeded } from '../support/workflow.ts';

const ACTION = 'org/ecr-multiarch@v1';
const ACCOUNT = '210987654321';
const OTHER_ACCOUNT = '345678901234';
const REGIONS = ['us-east-1', 'eu-central-1', 'ap-southeast-2'];
const TAGS = ['latest', 'v1'];
/** Of an index's entries: the images, and then the provenance of each. */
const PLATFORMS = ['linux/amd64', 'linux/arm64', 'unknown/unknown', 'unknown/unknown'];
const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';

const indexSchema = z.object({
  manifests: z.array(
    z.object({
      digest: z.string(),
      platform: z.optional(z.object({ os: z.string(), architecture: z.string() })),
    }),
  ),
});

interface Job {
  readonly inputs: Readonly<Record<string, string>>;
  readonly needs?: readonly string[];
}

describe('ministack, in which the project has no part', () => {
  let ministack: Ministack;
  let artifacts: ArtifactService;
  let workspace = '';

  beforeAll(async () => {
    const { dir, logs } = engines();
    artifacts = await startArtifactService();
    ministack = await startMinistack(
      join(dir, 'ministack'),
      join(logs, 'ministack.log'),
      [ACCOUNT, OTHER_ACCOUNT].flatMap((account) => REGIONS.map((region) => ({ account, region }))),
    );
    workspace = await makeContext('801', { Dockerfile: `${SHELL_STAGE}\nRUN uname -m > /machine` });
  });
  afterAll(() => Promise.all([artifacts?.close(), ministack?.stop()]));

  const environmentOf = (account: string) => ({
    AWS_ENDPOINT_URL_ECR: ministack.endpoint,
    AWS_ENDPOINT_URL_STS: ministack.endpoint,
    AWS_ACCESS_KEY_ID: account,
    AWS_SECRET_ACCESS_KEY: 'ministack-checks-no-secret',
  });
  /** Runs jobs whose only step is the action, as an account; tells what ministack was asked meanwhile. */
  const runAction = async (runId: string, jobs: Readonly<Record<string, Job>>, account = ACCOUNT) => {
    const { dir, logs, action, environment } = engines();
    const workflow = join(dir, `${runId}-workflow.yml`);
    const common = { regions: REGIONS.join() };
    const address = { 'registry-endpoint': ministack.registryEndpoint };
    writeFileSync(workflow, workflowOf(jobs, { ...common, ...address }));
    const before = ministack.requests().length;
    const finished = await runWorkflow({
      workflow,
      workspace,
      dir: join(dir, runId),
      event: 'push',
      payload: { ref: 'refs/heads/main' },
      env: {
        ...environment,
        ...environmentOf(account),
        ACTIONS_RESULTS_URL: artifacts.url,
        ACTIONS_RUNTIME_TOKEN: artifacts.token(runId, 'job'),
        GITHUB_RUN_ID: runId,
        GITHUB_RUN_ATTEMPT: '1',
      },
      localRepositories: { [ACTION]: action },
      nodeDir: dirname(process.execPath),
      logFile: join(logs, `${runId}.log`),
    });
    return { ...finished, requests: ministack.requests().slice(before) };
  };
  const aws = async (account: string, region: string, ...args: string[]): Promise<unknown> => {
    const home = toolEnvironment(join(engines().dir, '801-home'));
    const env = { ...home, ...environmentOf(account) };
    const options = ['--region', region, '--output', 'json'];
    return JSON.parse(await run(tool('aws'), ['ecr', ...args, ...options], { env }));
  };
  /** Copies an image with all that belongs to it, which fails unless each part is what its digest says. */
  const readWhole = async (reference: string) => {
    const copy = join(engines().dir, 'ministack-copies', reference.replace(/\W/g, '-'));
    mkdirSync(dirname(copy), { recursive: true });
    const copied = ['copy', '--all', '--preserve-digests', '--src-tls-verify=false'];
    await ministack.run('skopeo', [...copied, `docker://${reference}`, `oci:${copy}`]);
    const [root] = z.parse(indexSchema, JSON.parse(readFileSync(join(copy, 'index.json'), 'utf8'))).manifests;
    const manifest = await ministack.run(tool('crane'), ['manifest', '--insecure', reference]);
    return {
      crane: `sha256:${createHash('sha256').update(manifest).digest('hex')}`,
      skopeo: root?.digest,
      platforms: z
        .parse(indexSchema, JSON.parse(manifest))
        .manifests.map(({ platform }) => `${platform?.os}/${platform?.architecture}`),
    };
  };

  describe('two legs, one pushed by the builder and one exported, stitched where no region has the repository', () => {
    let digest = '';
    let images: string[] = [];

    beforeAll(async () => {
      const common = { repository: 'team/app', 'create-repository': 'true' };
      const finished = succeeded(
        await runAction('801', {
          amd64: { inputs: { ...common, platforms: 'linux/amd64' } },
          arm64: { inputs: { ...common, platforms: 'linux/arm64', transport: 'layout' } },
          publish: { inputs: { ...common, mode: 'stitch', tags: TAGS.join() }, needs: ['amd64', 'arm64'] },
        }),
      );
      const { outputs } = jobOf(finished, 'publish');
      digest = outputs.digest ?? '';
      const results = parseResults(outputs);
      expect(results.map(({ state }) => state)).toEqual(REGIONS.map(() => 'published'));
      images = results.map(({ image }) => image);
    });

    test('lands at the address of each region that registry-endpoint names', () => {
      expect(images).toEqual(REGIONS.map((region) => `${ministack.host(ACCOUNT, region)}/team/app`));
    });

    test('is read whole by crane and skopeo, under every tag in every region', async () => {
      for (const reference of images.flatMap((image) => TAGS.map((tag) => `${image}:${tag}`))) {
        expect([reference, await readWhole(reference)]).toEqual([
          reference,
          { crane: digest, skopeo: digest, platforms: PLATFORMS },
        ]);
      }
    });

    test.each(REGIONS)(
      'is what the aws CLI finds in %s, where the repository was created',
      async (region) => {
        expect(await aws(ACCOUNT, region, 'describe-repositories')).toMatchObject({
          repositories: [{ repositoryArn: `arn:aws:ecr:${region}:${ACCOUNT}:repository/team/app` }],
        });
        const tagged = ['describe-images', '--repository-name', 'team/app', '--image-ids', 'imageTag=v1'];
        expect(await aws(ACCOUNT, region, ...tagged)).toMatchObject({
          imageDetails: [{ imageDigest: digest, imageManifestMediaType: INDEX_TYPE }],
        });
      },
    );

    test('is in no other region and no other account', async () => {
      expect(await aws(ACCOUNT, 'sa-east-1', 'describe-repositories')).toEqual({ repositories: [] });
      expect(await aws(OTHER_ACCOUNT, 'us-east-1', 'describe-repositories')).toEqual({ repositories: [] });
    });

    test('is mirrored into the regions of another account, and the second time nothing is sent', async () => {
      const source = `${images[0]}:v1`;
      const inputs = { mode: 'mirror', source, repository: 'mirrored', 'create-repository': 'true' };
      const mirrored = succeeded(await runAction('802', { mirror: { inputs } }, OTHER_ACCOUNT));
      expect(jobOf(mirrored, 'mirror').outputs.digest).toBe(digest);
      for (const region of REGIONS) {
        const reference = `${ministack.host(OTHER_ACCOUNT, region)}/mirrored:v1`;
        expect(await readWhole(reference)).toMatchObject({ crane: digest, skopeo: digest });
      }
      const again = await runAction('803', { mirror: { inputs } }, OTHER_ACCOUNT);
      const results = parseResults(jobOf(succeeded(again), 'mirror').outputs);
      expect(results.map(({ state, sent }) => ({ state, sent }))).toEqual(
        REGIONS.map(() => ({ state: 'unchanged', sent: 0 })),
      );
      expect(writesOf(again.requests)).toEqual([]);
    });
  });

  test('what has been built and published already is not sent again', async () => {
    const common = { repository: 'rebuilt', 'create-repository': 'true', legs: 'none', provenance: 'false' };
    // A builder that pushes may ask for a layer before the image that has it, and ministack calls every layer absent.
    const layout = { transport: 'layout', platforms: 'linux/amd64,linux/arm64' };
    const inputs = { ...common, ...layout, tags: 'latest' };
    const first = await runAction('804', { build: { inputs } });
    const { outputs } = jobOf(succeeded(first), 'build');
    expect(parseResults(outputs).map(({ state }) => state)).toEqual(REGIONS.map(() => 'published'));
    expect(writesOf(first.requests)).not.toEqual([]);
    const second = await runAction('805', { build: { inputs } });
    expect(parseResults(jobOf(succeeded(second), 'build').outputs)).toEqual(
      parseResults(outputs).map((result) => ({
        ...result,
        state: 'unchanged',
        sent: 0,
        reused: result.sent,
      })),
    );
    expect(writesOf(second.requests)).toEqual([]);
  });

  test('a repository that is missing is told of every region, and nothing is created or pushed', async () => {
    const inputs = { repository: 'not-there', legs: 'none', tags: 'latest' };
    const { code, output, requests } = await runAction('806', { build: { inputs } });
    expect(code).not.toBe(0);
    const errors = output.split('\n').filter((line) => line.includes('::error'));
    for (const region of REGIONS) {
      expect(errors.join('\n')).toContain(`${region}: the repository "not-there" does not exist`);
    }
    expect(requests.map(({ operation }) => operation)).not.toContain('CreateRepository');
    expect(writesOf(requests)).toEqual([]);
  });
});

/** A workflow of jobs that check the repository out, and then have the action as their only step. */
function workflowOf(jobs: Readonly<Record<string, Job>>, common: Job['inputs']): string {
  const described = Object.entries(jobs).map(([name, { inputs, needs = [] }]) => {
    const own = inputs.mode === undefined ? { builder: BUILDERS.host } : {};
    const step = { uses: ACTION, with: { ...common, ...own, ...inputs } };
    return [name, { 'runs-on': 'ubuntu-24.04', needs, steps: [{ uses: 'actions/checkout@v5' }, step] }];
  });
  // All JSON is YAML.
  return JSON.stringify({ name: 'Jobs', on: 'push', jobs: Object.fromEntries(described) });
}

/** The requests that push something, or begin to. */
function writesOf(requests: readonly LoggedRequest[]): string[] {
  return requests
    .filter(({ method, path }) => path.startsWith('/v2/') && method !== 'GET' && method !== 'HEAD')
    .map(({ method, host, path, status }) => `${method} ${host}${path}: ${status}`);
}
