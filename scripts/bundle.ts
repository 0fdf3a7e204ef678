import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { licensesOf } from './licenses.ts';
import { run } from './run.ts';

const STATS = join('build', 'stats.json');

/**
 * Bundles the action: TypeScript to JavaScript, then everything that it needs into one folder, with the licences of it.
 * `--out DIR` puts it elsewhere than in dist/.
 *
 * It is not minified: that could not be reviewed, and was measured to start later rather than sooner.
 */
async function bundle(out: string): Promise<number> {
  await rm('build', { recursive: true, force: true });
  await rm(out, { recursive: true, force: true });
  const compiled = await run('tsc', ['-p', 'tsconfig.build.json']);
  if (compiled !== 0) return compiled;
  const bundled = await run('ncc', [
    'build',
    'build/index.js',
    '--out',
    out,
    '--stats-out',
    STATS,
    '--quiet',
  ]);
  if (bundled !== 0) return bundled;
  await writeFile(join(out, 'licenses.txt'), await licensesOf(STATS));
  return 0;
}

const { values } = parseArgs({ options: { out: { type: 'string', default: 'dist' } } });
process.exitCode = await bundle(values.out);
