import { describe, expect, test } from '@jest/globals';
import { contentsOf } from '../support/cloud.ts';
import { BUILDERS, engines } from '../support/engines.ts';
import { cloudFor, makeContext, SHELL_STAGE } from '../support/suite.ts';
import { runJobs } from '../support/workflow.ts';

const REGIONS = ['us-east-1', 'eu-west-1'];

describe('what cannot be published', () => {
  const cloud = cloudFor('301', REGIONS, ['app', 'doubled', 'stale']);
  const common = { repository: 'app', regions: REGIONS.join() };
  const built = { ...common, builder: BUILDERS.host };
  const setting = async (runId: string, dockerfile: string) => ({
    engines: engines(),
    cloud: cloud(),
    workspace: await makeContext(runId, { Dockerfile: dockerfile }),
    runId,
  });
  const errorsIn = (output: string) => output.split('\n').filter((line) => line.includes('::error'));

  test('a Dockerfile that fails: the job fails, and no region has anything of it', async () => {
    const broken = `${SHELL_STAGE}\nRUN echo "what went wrong" && exit 7`;
    const inputs = { ...built, legs: 'none', tags: 'latest' };
    const { code, output } = await runJobs(await setting('301', broken), { build: { inputs } });
    expect(code).not.toBe(0);
    expect(output).toContain('what went wrong');
    expect(errorsIn(output)).toEqual([
      expect.stringContaining('docker buildx build failed with exit code 1: see its output above'),
    ]);
    for (const { digests } of await contentsOf(cloud(), 'app')) expect(digests).toEqual([]);
  });

  test('a repository that is missing: told of every region, and the build is broken off', async () => {
    const inputs = { ...built, repository: 'not-there', legs: 'none', tags: 'latest' };
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
      build: { inputs: { ...built, platforms: 'linux/amd64' } },
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

  test('a leg that is there twice: the stitch names both jobs and their images, and writes no tag', async () => {
    const own = { repository: 'doubled', platforms: 'linux/amd64' };
    const inputs = { ...built, ...own, provenance: 'false' };
    const dockerfile = `${SHELL_STAGE}\nARG WORD\nLABEL word=$WORD`;
    const { code, output } = await runJobs(await setting('304', dockerfile), {
      first: { inputs: { ...inputs, 'build-args': 'WORD=one' } },
      second: { inputs: { ...inputs, 'build-args': 'WORD=two' }, needs: 'first' },
      publish: { inputs: { ...common, ...own, mode: 'stitch', tags: 'v1' }, needs: 'second' },
    });
    expect(code).not.toBe(0);
    expect(errorsIn(output)).toEqual([
      expect.stringMatching(
        /\/publish\].*linux\/amd64 was built more than once: job \w+.* built sha256:\w+, job \w+.* built sha256:\w+; let each leg build a platform of its own/,
      ),
    ]);
    for (const job of ['first', 'second']) expect(errorsIn(output)[0]).toContain(`job ${job} `);
    for (const { tags, digests } of await contentsOf(cloud(), 'doubled')) {
      expect(tags).toEqual([]);
      expect(digests).toHaveLength(2);
    }
  });

  test('a leg that an earlier run has left: the stitch names both runs, and writes no tag', async () => {
    const own = { repository: 'stale', platforms: 'linux/amd64', legs: 'tags', tags: 'v1' };
    const earlier = await runJobs(await setting('305', SHELL_STAGE), {
      build: { inputs: { ...built, ...own } },
    });
    expect(earlier.code).toBe(0);
    const { code, output } = await runJobs(await setting('306', SHELL_STAGE), {
      publish: { inputs: { ...common, ...own, mode: 'stitch' } },
    });
    expect(code).not.toBe(0);
    expect(errorsIn(output)).toEqual([
      expect.stringMatching(
        /\/publish\].*tag "v1-amd64" in us-east-1, eu-west-1 \(job build.*\) is of the run 305, but this is the run 306: let runs/,
      ),
    ]);
    for (const { tags } of await contentsOf(cloud(), 'stale')) expect(tags).toEqual(['v1-amd64']);
  });
});
