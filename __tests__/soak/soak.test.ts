import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import * as z from 'zod/mini';
import { attempt, type CommandResult } from '../e2e/engines/process.ts';
import { makeFolder } from '../support/folder.ts';

const reportSchema = z.object({
  holds: z.boolean(),
  sections: z.array(
    z.looseObject({
      findings: z.array(z.looseObject({ value: z.number() })),
      complaints: z.array(z.string()),
    }),
  ),
});

/** Runs the soak as its script does; `left` is what it left in the system's folder for temporary files. */
async function soak(...args: string[]): Promise<CommandResult & { readonly left: readonly string[] }> {
  const temp = await makeFolder();
  const result = await attempt(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', 'soak/main.ts', ...args],
    { env: { PATH: process.env.PATH ?? '', TMPDIR: temp } },
  );
  return { ...result, left: await readdir(temp) };
}

test('in short, all is within its bounds, and nothing is left behind', async () => {
  const json = join(await makeFolder(), 'soak.json');
  const { code, stdout, left } = await soak('--seconds', '1', '--source', '--json', json);
  const report = z.parse(reportSchema, JSON.parse(await readFile(json, 'utf8')));
  expect(report.sections.flatMap(({ complaints }) => complaints)).toEqual([]);
  expect(stdout).not.toContain('BROKEN');
  expect([code, left, report.holds, report.sections.length]).toEqual([0, [], true, 4]);
  for (const title of ['A leg of', 'A stitch of', 'in one process', 'requests fail'])
    expect(stdout).toMatch(new RegExp(`^### .*${title}`, 'm'));
}, 300_000);

test('an action that does not do its work breaks it', async () => {
  const dir = await makeFolder();
  const json = join(await makeFolder(), 'soak.json');
  await writeFile(join(dir, 'index.js'), '');
  const { code, stdout, left } = await soak(
    ...['--only', 'leg', '--seconds', '1', '--bundle', dir, '--json', json],
  );
  expect(stdout).toContain('BROKEN: a leg: us-east-1 is undefined, not landed');
  expect(stdout).toMatch(/fresh: bytes of blobs to each region.*BROKEN/);
  expect([code, left]).toEqual([1, []]);
  expect(z.parse(reportSchema, JSON.parse(await readFile(json, 'utf8'))).holds).toBe(false);
});

test('options that it does not know end it with what to write instead', async () => {
  const { code, stderr } = await soak('--only', 'tea');
  expect(code).not.toBe(0);
  expect(stderr).toContain('there is no scenario "tea"');
});
