import { describe, expect, test } from '@jest/globals';
import { BUILDERS, engines } from '../support/engines.ts';
import { parseResults, readIndex } from '../support/image.ts';
import { cloudFor, makeContext, SHELL_STAGE } from '../support/suite.ts';
import { jobOf, runJobs, succeeded } from '../support/workflow.ts';

const REGIONS = ['us-east-1', 'eu-west-1', 'sa-east-1'];

describe('building what every region has already', () => {
  const cloud = cloudFor('401', REGIONS, ['app', 'attested', 'layered']);
  const build = async (runId: string, workspace: string, inputs: Record<string, string>) => {
    const setting = { engines: engines(), cloud: cloud(), workspace, runId };
    const common = { regions: REGIONS.join(), builder: BUILDERS.host, legs: 'none' };
    const finished = succeeded(await runJobs(setting, { build: { inputs: { ...common, ...inputs } } }));
    const { outputs } = jobOf(finished, 'build');
    return { digest: outputs.digest, results: parseResults(outputs), output: finished.output };
  };

  test('sends nothing and leaves the tag alone, when nothing is attested anew', async () => {
    const workspace = await makeContext('401', { Dockerfile: `${SHELL_STAGE}\nRUN echo 401 > /made` });
    const inputs = { repository: 'app', tags: 'latest', provenance: 'false' };
    const first = await build('401', workspace, inputs);
    expect(first.results.map(({ state }) => state)).toEqual(REGIONS.map(() => 'published'));
    for (const { sent } of first.results) expect(sent).toBeGreaterThan(500_000);
    const second = await build('402', workspace, inputs);
    expect(second.digest).toBe(first.digest);
    expect(second.results).toEqual(
      first.results.map((result) => ({ ...result, state: 'unchanged', sent: 0, reused: result.sent })),
    );
  });

  test('takes at most four requests a region after the token, however many layers there are', async () => {
    const layers = Array.from({ length: 40 }, (_, layer) => `COPY Dockerfile /layer-${layer}`);
    const workspace = await makeContext('405', { Dockerfile: ['FROM scratch', ...layers, ''].join('\n') });
    const inputs = { repository: 'layered', provenance: 'false', legs: 'artifact' };
    await build('405', workspace, inputs);
    const before = cloud().emulator.requests.length;
    const { results } = await build('406', workspace, inputs);
    expect(results.map(({ state }) => state)).toEqual(REGIONS.map(() => 'unchanged'));
    const requests = cloud()
      .emulator.requests.slice(before)
      .filter(({ operation }) => operation !== 'GetAuthorizationToken');
    for (const region of REGIONS) {
      expect(requests.filter((request) => request.region === region).length).toBeLessThanOrEqual(4);
    }
  });

  test('sends no layer, only the provenance of the new build', async () => {
    const workspace = await makeContext('403', { Dockerfile: `${SHELL_STAGE}\nRUN echo 403 > /made` });
    const inputs = { repository: 'attested' };
    const first = await build('403', workspace, { ...inputs, tags: 'first' });
    const second = await build('404', workspace, { ...inputs, tags: 'second' });
    for (const [position, { sent }] of second.results.entries()) {
      expect(sent).toBeLessThan(100_000);
      expect(first.results[position]?.sent).toBeGreaterThan(500_000);
    }
    for (const { host } of cloud().registries) {
      const { images } = await readIndex(`${host}/attested:first`, cloud().config);
      expect((await readIndex(`${host}/attested:second`, cloud().config)).images).toEqual(images);
    }
  });
});
