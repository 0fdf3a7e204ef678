import { describe, expect, test } from '@jest/globals';
import { digestByCrane } from '../engines/readers.ts';
import { BUILDERS, engines } from '../support/engines.ts';
import { cloudFor, makeContext, SHELL_STAGE } from '../support/suite.ts';
import { jobOf, runJobs, succeeded } from '../support/workflow.ts';

const REGIONS = ['us-east-1', 'eu-west-1'];

describe('the docker driver', () => {
  const cloud = cloudFor('501', REGIONS, ['app']);

  test('builds in dockerd, and pushes over loopback', async () => {
    const workspace = await makeContext('501', { Dockerfile: `${SHELL_STAGE}\nRUN echo 501 > /made` });
    const setting = { engines: engines(), cloud: cloud(), workspace, runId: '501' };
    const inputs = {
      repository: 'app',
      regions: REGIONS.join(),
      builder: BUILDERS.docker,
      legs: 'none',
      tags: 'v1',
      platforms: 'linux/amd64',
    };
    const finished = succeeded(await runJobs(setting, { build: { inputs } }));
    expect(finished.output).toContain('building with "default" instance using docker driver');
    expect(finished.output).toContain('The builder default (docker) pushes to this job at 127.0.0.1');
    for (const { host } of cloud().registries) {
      expect(await digestByCrane(`${host}/app:v1`, cloud().config)).toBe(
        jobOf(finished, 'build').outputs.digest,
      );
    }
  });
});
