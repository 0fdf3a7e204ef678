import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { type Environment, run } from '../engines/process.ts';
import { digestByCrane } from '../engines/readers.ts';
import { tool, toolEnvironment } from '../engines/tools.ts';
import { CREDENTIALS, endpointOf } from '../support/cloud.ts';
import { BUILDERS, engines } from '../support/engines.ts';
import { cloudFor, makeContext, SHELL_STAGE } from '../support/suite.ts';
import { jobOf, runJobs, succeeded } from '../support/workflow.ts';

const REGIONS = ['us-east-1', 'eu-west-1'];

describe('the emulator, to the aws CLI', () => {
  const cloud = cloudFor('701', REGIONS);
  let environment: Environment;
  let digest = '';

  const aws = (region: string, ...args: string[]) =>
    run(tool('aws'), ['ecr', ...args, '--region', region, '--output', 'json'], { env: environment });
  const hostOf = (region: string) => new URL(cloud().emulator.url(region)).host;

  beforeAll(async () => {
    const { dockerd, dir } = engines();
    const home = toolEnvironment(join(dir, '701-home'), { dockerSocket: dockerd.socket });
    environment = { ...home, ...endpointOf(cloud()), ...CREDENTIALS };
    for (const region of REGIONS) await aws(region, 'create-repository', '--repository-name', 'team/app');
    const setting = {
      engines: engines(),
      cloud: cloud(),
      workspace: await makeContext('701', { Dockerfile: `${SHELL_STAGE}\nRUN uname -m > /machine` }),
      runId: '701',
    };
    const common = { repository: 'team/app', regions: REGIONS.join() };
    const built = { ...common, builder: BUILDERS.host };
    const finished = succeeded(
      await runJobs(setting, {
        amd64: { inputs: { ...built, platforms: 'linux/amd64' } },
        arm64: { inputs: { ...built, platforms: 'linux/arm64' }, needs: 'amd64' },
        publish: { inputs: { ...common, mode: 'stitch', tags: 'v1' }, needs: 'arm64' },
      }),
    );
    digest = jobOf(finished, 'publish').outputs.digest ?? '';
  });

  test.each(REGIONS)('describes the repository that it created in %s', async (region) => {
    const described: unknown = JSON.parse(await aws(region, 'describe-repositories'));
    expect(described).toMatchObject({
      repositories: [
        {
          repositoryName: 'team/app',
          repositoryArn: `arn:aws:ecr:${region}:123456789012:repository/team/app`,
          imageTagMutability: 'MUTABLE',
        },
      ],
    });
  });

  test.each(REGIONS)('describes the published tag in %s as an index', async (region) => {
    const described: unknown = JSON.parse(
      await aws(region, 'describe-images', '--repository-name', 'team/app', '--image-ids', 'imageTag=v1'),
    );
    expect(described).toMatchObject({
      imageDetails: [
        {
          imageDigest: digest,
          imageTags: ['v1'],
          imageManifestMediaType: 'application/vnd.oci.image.index.v1+json',
        },
      ],
    });
  });

  test.each(REGIONS)('gives a password with which docker logs in to %s and pulls', async (region) => {
    const input = await run(tool('aws'), ['ecr', 'get-login-password', '--region', region], {
      env: environment,
    });
    const login = ['login', '--username', 'AWS', '--password-stdin', hostOf(region)];
    expect(await run(tool('docker'), login, { env: environment, input })).toContain('Login Succeeded');
    const pulled = await run(tool('docker'), ['pull', `${hostOf(region)}/team/app:v1`], { env: environment });
    expect(pulled).toContain(`Digest: ${digest}`);
  });

  test.each(REGIONS)('gives a password with which crane logs in to %s and reads', async (region) => {
    const password = await run(tool('aws'), ['ecr', 'get-login-password', '--region', region], {
      env: environment,
    });
    // A configuration of its own, in which nobody has logged in yet.
    const config = join(engines().dir, `701-crane-${region}`);
    const env = { PATH: '/usr/bin:/bin', HOME: config, DOCKER_CONFIG: config };
    const login = ['auth', 'login', hostOf(region), '--username', 'AWS', '--password-stdin'];
    await run(tool('crane'), login, { env, input: password.trim() });
    expect(await digestByCrane(`${hostOf(region)}/team/app:v1`, config)).toBe(digest);
  });
});
