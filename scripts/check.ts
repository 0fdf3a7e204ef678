import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { run } from './run.ts';

/** Every check by its name; each gives an exit code. */
const CHECKS: Readonly<Record<string, () => Promise<number>>> = {
  types: () => run('tsc', ['-p', 'tsconfig.json']),
  biome: () => run('biome', ['check', '--error-on-warnings', '.']),
  knip: () => run('knip', []),
  actionlint: () => run('node', ['scripts/actionlint.ts']),
  docs: () => run('node', ['scripts/docs.ts', '--check']),
  dist: distIsCurrent,
};

/** Bundles the sources elsewhere and compares: what is committed must be what they give, byte for byte. */
async function distIsCurrent(): Promise<number> {
  const dir = await mkdtemp(join(tmpdir(), 'dist-'));
  try {
    const bundled = await run('node', ['scripts/bundle.ts', '--out', dir]);
    if (bundled !== 0) return bundled;
    const differs = await run('git', ['diff', '--no-index', '--stat', 'dist', dir]);
    if (differs !== 0) console.error('dist/ is not what the sources give: run "npm run build"');
    return differs;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** `--counts FILE` leaves the number of checks that passed and failed, as JSON. */
const { values } = parseArgs({ options: { counts: { type: 'string' } } });
const failed: string[] = [];
for (const [name, check] of Object.entries(CHECKS)) {
  const code = await check();
  console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${name}`);
  if (code !== 0) failed.push(name);
}
const total = Object.keys(CHECKS).length;
if (values.counts) {
  const counts = { numPassedTests: total - failed.length, numFailedTests: failed.length };
  await writeFile(values.counts, JSON.stringify(counts));
}
process.exitCode = failed.length === 0 ? 0 : 1;
