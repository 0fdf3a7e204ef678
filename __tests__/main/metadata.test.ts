import { describe, expect, test } from '@jest/globals';
import { serve } from '../support/server.ts';
import { startCloud } from './cloud.ts';
import { releaseInputs } from './layouts.ts';
import { runStep } from './step.ts';

/** A job without AWS credentials, and a stand-in for the service that gives an instance those of its role. */
async function startJob(environment: NodeJS.ProcessEnv) {
  await startCloud();
  const metadata = await serve((_, response) => response.writeHead(404).end());
  const { errors } = await runStep(await releaseInputs(), {
    AWS_ACCESS_KEY_ID: undefined,
    AWS_SECRET_ACCESS_KEY: undefined,
    AWS_EC2_METADATA_DISABLED: undefined,
    AWS_EC2_METADATA_SERVICE_ENDPOINT: metadata.url,
    ...environment,
  });
  expect(errors.join()).toContain('no AWS credentials were found');
  return metadata.requests;
}

describe('the metadata service', () => {
  test('is never asked on runners that GitHub hosts, which have no role of their own', async () => {
    expect(await startJob({ RUNNER_ENVIRONMENT: 'github-hosted' })).toEqual([]);
  });

  test('is asked on runners of others', async () => {
    expect(await startJob({ RUNNER_ENVIRONMENT: 'self-hosted' })).not.toEqual([]);
  });
});
