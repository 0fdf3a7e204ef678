import { describe, expect, test } from '@jest/globals';
import type { RequestFacts } from '../../emulator/traffic.ts';
import { makeFolder } from '../support/folder.ts';
import { serveRaw } from '../support/server.ts';
import { REGIONS, startCloud } from './cloud.ts';
import { legInputs, releaseInputs } from './layouts.ts';
import { startProcess } from './process.ts';
import { each, statesOf } from './results.ts';
import { runStep } from './step.ts';

describe('a release whose outputs cannot be written', () => {
  test('is told by log and summary all the same, and fails for the outputs alone', async () => {
    const cloud = await startCloud();
    const folder = await makeFolder();
    const running = await startProcess(await releaseInputs(), {
      ...cloud.job('build'),
      GITHUB_OUTPUT: folder,
    });
    const { code, stdout, summary, leftovers } = await running.ended;
    expect([code, leftovers]).toEqual([1, []]);
    for (const region of REGIONS) expect(stdout).toMatch(new RegExp(`^${region}: published: sha256:`, 'm'));
    expect(summary).toMatch(/^### Published team\/app$/m);
    expect(summary).toMatch(/^- later steps do not get the output "digest", .*EISDIR/m);
    const errors = stdout.split('\n').filter((line) => line.startsWith('::error::'));
    expect(errors).toEqual([
      expect.stringMatching(
        /^::error::later steps do not get the output "digest", "images", "results", "metadata", since the file of GITHUB_OUTPUT, ".*", could not be written: EISDIR: .*; whatever else is told here is so: /,
      ),
    ]);
    const [digest] = /sha256:[0-9a-f]{64}/.exec(stdout) ?? [];
    expect(await cloud.shown('v1')).toEqual(REGIONS.map(() => digest));
  });
});

describe('a leg that cannot be handed over', () => {
  test('has landed, which is told, with what failed', async () => {
    const cloud = await startCloud();
    const inputs = await legInputs('linux/amd64');
    const environment = { ...cloud.job('build'), ACTIONS_RESULTS_URL: undefined };
    const { errors, outputs, summary, log } = await runStep(inputs, environment);
    expect(errors).toEqual([
      expect.stringMatching(/^the leg could not be handed over as a workflow artifact/),
    ]);
    expect(statesOf(outputs.get('results'))).toEqual(each(REGIONS, 'landed'));
    expect(outputs.get('digest')).toMatch(/^sha256:/);
    expect(summary).toMatch(/^### Built team\/app$/m);
    expect(summary).toMatch(/^- the leg could not be handed over/m);
    for (const region of REGIONS) expect(log).toMatch(new RegExp(`^${region}: landed: sha256:`, 'm'));
  });

  test('in time has landed, and the artifact service is named', async () => {
    const cloud = await startCloud();
    const url = await serveRaw(() => undefined);
    const inputs = { ...(await legInputs('linux/amd64')), timeout: '5s' };
    const running = await startProcess(inputs, { ...cloud.job('build'), ACTIONS_RESULTS_URL: url });
    const { code, stdout, outputs, leftovers } = await running.ended;
    expect([code, leftovers]).toEqual([1, []]);
    expect(outputs).toContain('"state":"landed"');
    expect(stdout).toMatch(
      /^::error::the leg was not handed over to the stitch: .*artifact service.*the step did not end within 5 s \("timeout"\)/m,
    );
  });
});

describe('a release that could not be proved', () => {
  const isReadBack = ({ method, path }: RequestFacts) => method === 'GET' && path.endsWith('/manifests/v1');

  test('is not said to be nowhere', async () => {
    let written = 0;
    const cloud = await startCloud({
      fault: (request) => {
        if (request.method === 'PUT' && request.path.endsWith('/manifests/v1')) written += 1;
        return written > 0 && isReadBack(request)
          ? { status: 403, code: 'DENIED', message: 'no more' }
          : undefined;
      },
    });
    const { errors, outputs, summary } = await runStep(await releaseInputs());
    expect(errors[0]).toMatch(/what it shows could not be read back/);
    expect(statesOf(outputs.get('results'))).toEqual(each(REGIONS, 'failed'));
    expect(summary).toMatch(/^### Not proved: team\/app shows the release, or may, in 4 of 4 regions$/m);
    expect(summary).toMatch(/^Digest `sha256:\w+`, nowhere proved$/m);
    expect(cloud.writes().filter(({ path }) => path.endsWith('/manifests/v1'))).toHaveLength(REGIONS.length);
  });
});
