import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as z from 'zod/mini';
import type { WorkflowResult } from '../engines/act.ts';
import { run } from '../engines/process.ts';
import { digestByCrane, readByCrane } from '../engines/readers.ts';
import { tool, toolEnvironment } from '../engines/tools.ts';
import { type Cloud, CREDENTIALS, contentsOf, endpointOf } from '../support/cloud.ts';
import { BUILDERS, engines } from '../support/engines.ts';
import { readIndex } from '../support/image.ts';
import { describeRelease, type Release } from '../support/published.ts';
import { type PlainRegistry, startPlainRegistry } from '../support/registry.ts';
import { caller, ROLE, ROLES } from '../support/reusable.ts';
import { cloudFor, makeContext, SHELL_STAGE } from '../support/suite.ts';
import { jobOf, runJobs, succeeded } from '../support/workflow.ts';

const REUSABLE = example('reusable');
const SIGNED = example('signed');
const PULL_REQUEST = example('pull-request');
const REGIONS = ['us-east-1', 'eu-central-1'];
const MAIN = 'refs/heads/main';
const FORK = 'refs/pull/7/merge';
const CHECK_JOB = 'Check what would be published';

/** What those give who call without a file of their own. */
const COMMON = { regions: REGIONS.join(), 'role-to-assume': ROLE };

const indexSchema = z.object({
  manifests: z.array(z.object({ platform: z.object({ os: z.string(), architecture: z.string() }) })),
});
const configSchema = z.object({ config: z.object({ Labels: z.record(z.string(), z.string()) }) });

describe('the example that calls the reusable workflow, as it is', () => {
  const cloud = cloudFor('901', REGIONS, ['web'], { roles: ROLES });
  const call = caller('901');
  let release: Release | undefined;
  const released = () => {
    if (!release) throw new Error('there is no release');
    return release;
  };

  beforeAll(async () => {
    const running = engines();
    const setting = { engines: running, cloud: cloud(), workspace: running.webContext, runId: '901' };
    const finished = succeeded(
      await call(setting, { workflow: REUSABLE, builder: BUILDERS.bridge, ref: MAIN }),
    );
    const head = (await run('git', ['-C', running.webContext, 'rev-parse', 'HEAD'])).trim();
    release = { engines: running, cloud: cloud(), run: finished, repository: 'web', tags: [head, 'latest'] };
  });

  test('plans a job for each architecture, on a runner of its own', () => {
    const { matrix = '{}' } = jobOf(released().run, 'Plan').outputs;
    expect(JSON.parse(matrix)).toEqual({
      include: [
        { platform: 'linux/amd64', runner: 'ubuntu-24.04', qemu: '' },
        { platform: 'linux/arm64', runner: 'ubuntu-24.04-arm', qemu: '' },
      ],
    });
    expect(released().run.output).not.toContain('Run Main Set up emulation');
  });

  test("each job that calls AWS assumes the role with GitHub's token", () => {
    const { requests } = released().cloud.emulator;
    const assumed = requests.filter(({ operation }) => operation === 'AssumeRoleWithWebIdentity');
    expect(assumed).toHaveLength(3);
  });

  describeRelease(released);
});

describe('the example that signs', () => {
  const cloud = cloudFor('902', REGIONS, ['web'], { roles: ROLES });
  const call = caller('902');

  test('signs and attests in one region, and has the signature in all', async () => {
    const workspace = await makeContext('902', { Dockerfile: SHELL_STAGE });
    const setting = { engines: engines(), cloud: cloud(), workspace, runId: '902' };
    const finished = succeeded(
      await call(setting, { workflow: SIGNED, builder: BUILDERS.host, ref: 'refs/tags/v1.2.3' }),
    );
    const { digest } = jobOf(finished, 'Publish in all regions').outputs;
    const log = linesOf(finished, 'Sign in all regions');
    const [first] = cloud().registries;
    expect(log).toContain(`Attestation created for ${first?.host}/web@${digest}`);
    const signature = new RegExp(`Signed ${first?.host}/web@${digest} by (sha256:\\w+)`).exec(log)?.[1];
    expect(log).toContain(`${signature} refers to ${digest}`);
    for (const { host } of cloud().registries) {
      expect(await digestByCrane(`${host}/web:v1.2.3`, cloud().config)).toBe(digest);
      const manifest = await readByCrane('manifest', `${host}/web@${signature}`, cloud().config);
      expect(JSON.parse(manifest)).toMatchObject({ subject: { digest } });
    }
  });
});

describe('the example for pull requests, as it is, from a fork', () => {
  const cloud = cloudFor('907', REGIONS, ['web'], { roles: ROLES });
  const call = caller('907');
  /** By which the suite has logged in to look at the registries. */
  let before = 0;
  let finished: WorkflowResult;

  beforeAll(async () => {
    const running = engines();
    before = cloud().emulator.requests.length;
    const setting = { engines: running, cloud: cloud(), workspace: running.webContext, runId: '907' };
    finished = succeeded(
      await call(setting, { workflow: PULL_REQUEST, builder: BUILDERS.bridge, ref: FORK }),
    );
  });

  test('asks AWS for nothing and sends it nothing', () => {
    expect(cloud().emulator.requests.slice(before)).toEqual([]);
  });

  test('builds every architecture, and composes the index with the provenance of each', () => {
    const { digest = '', images, metadata = '{}' } = jobOf(finished, CHECK_JOB).outputs;
    expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(images).toBe('[]');
    const { manifests } = z.parse(indexSchema, JSON.parse(metadata));
    expect(manifests.map(({ platform: { os, architecture } }) => `${os}/${architecture}`)).toEqual([
      ...['linux/amd64', 'linux/arm64', 'unknown/unknown', 'unknown/unknown'],
    ]);
  });

  test('says in its summary what a push would publish', () => {
    const { summary } = jobOf(finished, CHECK_JOB);
    expect(summary).toContain('### Checked, not pushed: web');
    for (const region of REGIONS) {
      expect(summary).toMatch(
        new RegExp(`^- \`ACCOUNT\\.dkr\\.ecr\\.${region}\\.amazonaws\\.com/web:latest\`$`, 'm'),
      );
    }
  });

  test('in a run of one architecture alone fails where both are wanted, and still asks AWS for nothing', async () => {
    const workspace = await makeContext('908', { Dockerfile: SHELL_STAGE });
    const setting = { engines: engines(), cloud: cloud(), workspace, runId: '908' };
    const inputs = { repository: 'web', regions: REGIONS.join(), push: 'false' };
    const asked = cloud().emulator.requests.length;
    const failed = await runJobs(setting, {
      build: { inputs: { ...inputs, platforms: 'linux/amd64' } },
      publish: {
        inputs: { ...inputs, mode: 'stitch', tags: 'latest', platforms: 'linux/amd64, linux/arm64' },
        needs: 'build',
      },
    });
    expect(failed.code).not.toBe(0);
    expect(errorsIn(failed)).toEqual([
      expect.stringMatching(/\/publish\].*linux\/arm64 is missing: no leg of this run built it/),
    ]);
    expect(cloud().emulator.requests).toHaveLength(asked);
  });
});

describe('what a caller may name', () => {
  const cloud = cloudFor('903', REGIONS, [], { roles: ROLES });
  const call = caller('903');
  const repository = 'team/app';
  let finished: WorkflowResult;

  beforeAll(async () => {
    const dockerfile = [
      SHELL_STAGE.replace('COPY', 'COPY --from=root'),
      'ARG REVISION',
      'COPY made /made',
      'COPY --from=shared word /word',
      'RUN --mount=type=secret,id=token test "$(cat /run/secrets/token)" = swordfish',
      'LABEL org.example.revision=$REVISION',
    ].join('\n');
    const workspace = await makeContext('903', {
      'app/made': 'by the context',
      'shared/word': 'by another one',
      'deploy/app.Dockerfile': dockerfile,
      'deploy/settings.yml': 'tag-mutability: IMMUTABLE\n',
    });
    const inputs = {
      ...COMMON,
      repository,
      tags: 'v1',
      runners: 'linux/arm64=ubuntu-24.04',
      'share-runners': true,
      runner: '["ubuntu-24.04"]',
      'create-repository': true,
      'repository-settings': 'deploy/settings.yml',
      context: 'app',
      file: 'deploy/app.Dockerfile',
      'build-contexts': 'root=.\nshared=./shared\nother=docker-image://example.com/other',
      'build-args': 'REVISION=abc',
      annotations: 'org.example.kind=release',
      provenance: 'false',
      ref: 'main',
    };
    const logins = cloud().registries.map(({ host, username, password }) => {
      return { registry: host, username, password };
    });
    const secrets = { 'build-secrets': 'token=swordfish', 'registry-auth': JSON.stringify(logins) };
    const setting = { engines: engines(), cloud: cloud(), workspace, runId: '903' };
    const workflow = { with: inputs, secrets };
    finished = succeeded(await call(setting, { workflow, builder: BUILDERS.host, ref: MAIN }));
  });

  test('paths are those of the checkout, and arguments and annotations arrive', async () => {
    const { digest } = jobOf(finished, 'Publish in all regions').outputs;
    for (const { host } of cloud().registries) {
      const name = `${host}/${repository}`;
      expect(await digestByCrane(`${name}:v1`, cloud().config)).toBe(digest);
      const { annotations, images } = await readIndex(`${name}:v1`, cloud().config);
      expect(annotations).toEqual({ 'org.example.kind': 'release' });
      const config = await readByCrane('config', `${name}@${images['linux/arm64']}`, cloud().config);
      const { Labels } = z.parse(configSchema, JSON.parse(config)).config;
      expect(Labels).toMatchObject({ 'org.example.revision': 'abc' });
    }
  });

  test('one job builds both architectures where they share a runner', () => {
    expect(jobOf(finished, 'Build linux/amd64,linux/arm64').result).toBe('success');
  });

  test('secrets reach the build and none the log, and both kinds of jobs are logged in', () => {
    // The RUN step has compared the secret, or nothing were published.
    expect(finished.output).not.toContain('swordfish');
    expect(finished.output.match(/Login Succeeded/g)).toHaveLength(2 * REGIONS.length);
  });

  test('the repository is created with the settings of the file', async () => {
    for (const region of REGIONS) {
      expect(await mutabilityIn(region, repository, cloud())).toBe('IMMUTABLE');
    }
  });

  test('emulation is set up in the job that needs it alone, and legs are handed over by tags', async () => {
    const workspace = await makeContext('904', { Dockerfile: 'FROM scratch\nCOPY Dockerfile /made' });
    const setting = { engines: engines(), cloud: cloud(), workspace, runId: '904' };
    const inputs = {
      ...COMMON,
      repository: 'emulated',
      tags: 'v1',
      platforms: 'linux/amd64, linux/riscv64',
      'create-repository': true,
      legs: 'tags',
    };
    const finished = succeeded(
      await call(setting, { workflow: { with: inputs }, builder: BUILDERS.host, ref: MAIN }),
    );
    const emulated = 'Run Main Set up emulation';
    expect(linesOf(finished, 'Build linux/riscv64')).toContain(emulated);
    expect(linesOf(finished, 'Build linux/amd64')).not.toContain(emulated);
    const { images } = await readIndex(`${cloud().registries[0]?.host}/emulated:v1`, cloud().config);
    expect(Object.keys(images)).toEqual(['linux/amd64', 'linux/riscv64']);
    for (const { tags } of await contentsOf(cloud(), 'emulated')) {
      expect(tags).toEqual(['v1', 'v1-amd64', 'v1-riscv64']);
    }
  });
});

describe('a base image from a private registry of ECR', () => {
  // BuildKit sends its login on to any other port of the same host: at AWS the storage has a host of its own.
  const behaviour = { forwardedAuthorization: 'ignored' } as const;
  const cloud = cloudFor('909', REGIONS, ['app', 'base'], { roles: ROLES, behaviour });
  const call = caller('909');

  test('is pulled with a login of the role, of which docker knows nothing afterwards', async () => {
    const [first] = cloud().registries;
    const base = `${first?.host}/base:v1`;
    await pushBase(base, cloud());
    const workspace = await makeContext('909', { Dockerfile: `FROM ${base}\nCOPY Dockerfile /made\n` });
    const setting = { engines: engines(), cloud: cloud(), workspace, runId: '909' };
    const inputs = { ...COMMON, repository: 'app', tags: 'v1', 'base-registries': 'us-east-1' };
    const finished = succeeded(
      await call(setting, { workflow: { with: inputs }, builder: BUILDERS.host, ref: MAIN }),
    );
    for (const platform of ['linux/amd64', 'linux/arm64']) {
      expect(linesOf(finished, `Build ${platform}`)).toContain(
        `${first?.host}: the builder has a login of this job`,
      );
    }
    const { images } = await readIndex(`${first?.host}/app:v1`, cloud().config);
    expect(Object.keys(images)).toEqual(['linux/amd64', 'linux/arm64']);
    const settings = toolEnvironment(join(engines().dir, '907-docker')).DOCKER_CONFIG ?? '';
    const text = await readFile(join(settings, 'config.json'), 'utf8').catch(() => '{}');
    expect(JSON.parse(text).auths ?? {}).toEqual({});
  });
});

describe('a run in which one architecture fails', () => {
  const cloud = cloudFor('905', REGIONS, ['app'], { roles: ROLES });
  const call = caller('905');

  test('publishes nothing: the other leg ends, and the job that publishes does not run', async () => {
    const dockerfile = `${SHELL_STAGE}\nRUN test "$(uname -m)" != aarch64`;
    const workspace = await makeContext('905', { Dockerfile: dockerfile });
    const setting = { engines: engines(), cloud: cloud(), workspace, runId: '905' };
    const inputs = { ...COMMON, repository: 'app', tags: 'latest', provenance: 'false' };
    const finished = await call(setting, { workflow: { with: inputs }, builder: BUILDERS.host, ref: MAIN });
    expect(finished.code).not.toBe(0);
    // act calls all jobs of a matrix failed once one of them is.
    expect(linesOf(finished, 'Build linux/amd64')).toContain('Success - Main Build linux/amd64');
    expect(linesOf(finished, 'Build linux/arm64')).toContain('Failure - Main Build linux/arm64');
    expect(linesOf(finished, 'Publish in all regions')).toBe('');
    expect(errorsIn(finished)).toEqual([
      expect.stringMatching(
        /Build linux\/arm64-\d\].*docker buildx build failed with exit code 1: see its output above/,
      ),
    ]);
    for (const { tags, digests } of await contentsOf(cloud(), 'app')) {
      expect(tags).toEqual([]);
      // What the other leg has landed.
      expect(digests).toHaveLength(1);
    }
  });
});

describe('an image of another architecture than the job is for', () => {
  const cloud = cloudFor('906', REGIONS, ['app']);
  let registry: PlainRegistry | undefined;
  beforeAll(async () => {
    registry = await startPlainRegistry(join(engines().logs, '906-registry.log'));
  });
  afterAll(() => registry?.stop());

  // BuildKit gives every image the platform that it was asked for, whatever it is made of: so the image is another tool's.
  test('is refused by its platform, in no region is anything of it, and nothing is published', async () => {
    const layout = join(engines().dir, '906-layout');
    await makeLayout(`${registry?.host}/app:v1`, layout);
    const workspace = await makeContext('906', { Dockerfile: 'FROM scratch' });
    const setting = { engines: engines(), cloud: cloud(), workspace, runId: '906' };
    const inputs = { repository: 'app', regions: REGIONS.join(), platforms: 'linux/arm64' };
    const finished = await runJobs(setting, {
      build: { inputs: { ...inputs, 'oci-layout': layout } },
      publish: { inputs: { ...inputs, mode: 'stitch', tags: 'latest' }, needs: 'build' },
    });
    expect(finished.code).not.toBe(0);
    expect(errorsIn(finished)).toEqual([
      expect.stringMatching(
        /\/build\].*"oci-layout": .* has linux\/amd64, but "platforms" has linux\/arm64: write a layout/,
      ),
    ]);
    expect(linesOf(finished, 'publish')).toBe('');
    for (const { tags } of await contentsOf(cloud(), 'app')) expect(tags).toEqual([]);
  });
});

/** Makes an OCI layout that has an image for amd64 alone, with the help of a registry that lets everybody write. */
async function makeLayout(reference: string, layout: string): Promise<void> {
  const { dir, webContext } = engines();
  const crane = (...args: string[]) =>
    run(tool('crane'), [...args, '--insecure'], { env: { PATH: '/usr/bin:/bin', HOME: dir } });
  const layer = join(dir, 'layer.tar');
  await run('tar', ['--create', '--file', layer, '--directory', webContext, 'Dockerfile']);
  await crane('append', '--oci-empty-base', '--new_layer', layer, '--new_tag', reference);
  await crane('mutate', '--set-platform', 'linux/amd64', '--tag', reference, reference);
  await crane('pull', '--format', 'oci', reference, layout);
}

/** Pushes an image of one file, with the logins of whoever looks after the cloud. */
async function pushBase(reference: string, { config }: Cloud): Promise<void> {
  const { dir, webContext } = engines();
  const env = { PATH: '/usr/bin:/bin', HOME: config, DOCKER_CONFIG: config };
  const layer = join(dir, 'base.tar');
  await run('tar', ['--create', '--file', layer, '--directory', webContext, 'Dockerfile']);
  const append = ['append', '--oci-empty-base', '--new_layer', layer, '--new_tag', reference];
  await run(tool('crane'), [...append, '--insecure'], { env });
}

/** The tag mutability of a repository, as AWS' own tool reads it. */
async function mutabilityIn(region: string, repository: string, cloud: Cloud): Promise<string> {
  const env = { PATH: '/usr/bin:/bin', HOME: cloud.config, ...endpointOf(cloud), ...CREDENTIALS };
  const described = ['ecr', 'describe-repositories', '--region', region, '--repository-names', repository];
  const query = ['--query', 'repositories[0].imageTagMutability', '--output', 'text'];
  return (await run(tool('aws'), [...described, ...query], { env })).trim();
}

function errorsIn({ output }: WorkflowResult): string[] {
  return output.split('\n').filter((line) => line.includes('::error'));
}

function example(name: string): string {
  return fileURLToPath(new URL(`../../../examples/${name}.yml`, import.meta.url));
}

/** The log of the jobs of a name. */
function linesOf({ output }: WorkflowResult, job: string): string {
  const name = new RegExp(`^\\[[^\\]]*/${RegExp.escape(job)}(-\\d+)?\\]`);
  return output
    .split('\n')
    .filter((line) => name.test(line))
    .join('\n');
}
