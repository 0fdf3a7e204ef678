import { expect, test } from '@jest/globals';
import { REGIONS, startCloud } from './cloud.ts';
import { legInputs, releaseInputs, TARGET } from './layouts.ts';
import { startProcess } from './process.ts';

test("two legs at once and a stitch end with 0, their outputs and summary in the runner's files", async () => {
  const cloud = await startCloud();
  const legs = await Promise.all(
    ['linux/amd64', 'linux/arm64'].map(async (platform) =>
      startProcess(await legInputs(platform), cloud.job('build')),
    ),
  );
  const ended = await Promise.all(legs.map((leg) => leg.ended));
  expect(ended.map(({ code }) => code)).toEqual([0, 0]);
  const stitch = await startProcess({ ...TARGET, mode: 'stitch', tags: 'v1' }, cloud.job('stitch'));
  const { code, stdout, outputs, summary, leftovers } = await stitch.ended;
  expect(code).toBe(0);
  const [digest = ''] = /sha256:[0-9a-f]{64}/.exec(outputs) ?? [];
  expect(await cloud.shown('v1')).toEqual(REGIONS.map(() => digest));
  for (const name of ['digest', 'images', 'results', 'metadata'])
    expect(outputs).toMatch(new RegExp(`^${name}<<`, 'm'));
  expect(summary).toContain(digest);
  expect(leftovers).toEqual([]);
  expect(secretsShown(stdout)).toEqual([]);
});

/** The tokens that were masked (`AWS:` in base64), and their passwords, that stand in the log nevertheless. */
function secretsShown(stdout: string): string[] {
  const lines = stdout.split('\n');
  const tokens = lines.flatMap((line) => /^::add-mask::(QVdT.+)$/.exec(line)?.[1] ?? []);
  expect(tokens).toHaveLength(REGIONS.length);
  const secrets = tokens.flatMap((token) => [
    token,
    Buffer.from(token, 'base64').toString().replace(/^AWS:/, ''),
  ]);
  const rest = lines.filter((line) => !line.startsWith('::add-mask::')).join('\n');
  return secrets.filter((secret) => rest.includes(secret));
}

test('bad inputs end with 1 and one error that has them all', async () => {
  const cloud = await startCloud();
  const { ended } = await startProcess(
    { mode: 'stitch', repository: 'Bad', regions: 'mars-1' },
    cloud.job('x'),
  );
  const { code, stdout } = await ended;
  expect(code).toBe(1);
  const errors = stdout.split('\n').filter((line) => line.startsWith('::error::'));
  expect(errors).toHaveLength(1);
  for (const name of ['repository', 'regions', 'tags']) expect(errors[0]).toContain(`input "${name}"`);
  expect(cloud.emulator.requests).toEqual([]);
});

test('a region that fails ends with 1', async () => {
  const cloud = await startCloud({
    fault: ({ region, method }) =>
      region === 'eu-west-1' && method === 'PUT' ? { status: 403, code: 'DENIED', message: 'no' } : undefined,
  });
  const { ended } = await startProcess(await releaseInputs(), cloud.job('build'));
  const { code, outputs, leftovers } = await ended;
  expect(code).toBe(1);
  expect(outputs).toContain('"state":"failed"');
  expect(leftovers).toEqual([]);
});
