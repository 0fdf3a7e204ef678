import { rm } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { run } from './run.ts';

/**
 * Bundles the action: TypeScript to JavaScript, then everything that it needs into one folder.
 * `--out DIR` puts it elsewhere than in dist/.
 */
async function bundle(out: string): Promise<number> {
  await rm('build', { recursive: true, force: true });
  await rm(out, { recursive: true, force: true });
  const compiled = await run('tsc', ['-p', 'tsconfig.build.json']);
  if (compiled !== 0) return compiled;
  return run('ncc', ['build', 'build/index.js', '--out', out, '--license', 'licenses.txt', '--quiet']);
}

const { values } = parseArgs({ options: { out: { type: 'string', default: 'dist' } } });
process.exitCode = await bundle(values.out);
