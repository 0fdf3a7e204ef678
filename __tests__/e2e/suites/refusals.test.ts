import { describe, expect, test } from '@jest/globals';
import { contentsOf } from '../support/cloud.ts';
import { BUILDERS, engines } from '../support/engines.ts';
import { cloudFor, makeContext, SHELL_STAGE } from '../support/suite.ts';
import { runJobs } from '../support/workflow.ts';

const REGIONS = ['us-east-1', 'eu-west-1'];

describe('what cannot be published', () => {
  const cloud = cloudFor('301', REGIONS, ['app']);
  const common = { repository: 'app', regions: REGIONS.join(), builder: BUILDERS.host };
  const setting = async (runId: string, dockerfile: string) => ({
    engines: engines(),
    cloud: cloud(),
    workspace: await makeContext(runId, { Dockerfile: dockerfile }),
    runId,
  });
  const errorsIn = (output: string) => output.split('\n').filter((line) => line.includes('::error'));

  test('a Dockerfile that fails: the job fails, and no region has anything of it', async () => {
    const broken = `${SHELL_STAGE}\nRUN echo "what went wrong" && exit 7`;
    const inputs = { ...common, legs: 'none', tags: 'latest' };
    const { code, output } = await runJobs(await setting('301', broken), { build: { inputs } });
    expect(code).not.toBe(0);
    expect(output).toContain('what went wrong');
    expect(errorsIn(output)).toEqual([
      expect.stringContaining('docker buildx build failed with exit code 1: see its output above'),
    ]);
    for (const { digests } of await contentsOf(cloud(), 'app')) expect(digests).toEqual([]);
  });

  test('a repository that is missing: told of every region, and the build is broken off', async () => {
    const inputs = { ...common, repository: 'not-there', legs: 'none', tags: 'latest' };
    const { code, output } = await runJobs(await setting('302', SHELL_STAGE), { build: { inputs } });
    expect(code).not.toBe(0);
    for (const region of REGIONS) {
      expect(errorsIn(output).join('\n')).toContain(`${region}: the repository "not-there" does not exist`);
    }
    expect(output).not.toContain('pushing manifest');
  });

  test('a leg that is missing: the stitch names its platform, and writes no tag', async () => {
    const stitch = { mode: 'stitch', platforms: 'linux/amd64,linux/arm64', tags: 'v1,latest' };
    const { code, output } = await runJobs(await setting('303', SHELL_STAGE), {
      build: { inputs: { ...common, platforms: 'linux/amd64' } },
      publish: { inputs: { ...common, ...stitch }, needs: 'build' },
    });
    expect(code).not.toBe(0);
    expect(errorsIn(output)).toEqual([
      expect.stringMatching(/\/publish\].*linux\/arm64 is missing: no leg of this run built it/),
    ]);
    for (const { tags, digests } of await contentsOf(cloud(), 'app')) {
      expect(tags).toEqual([]);
      // The leg itself has landed, by digest: an index, its image and what attests it.
      expect(digests).toHaveLength(3);
    }
  });
});
