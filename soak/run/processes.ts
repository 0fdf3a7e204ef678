import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { timed } from '../../bench/subjects/timed.ts';
import type { World } from '../world/world.ts';
import type { Runner } from './step.ts';

/**
 * Runs the action in a process of its own each time, as a runner does: inputs in the environment, outputs in a file.
 * What it leaves is looked at, and removed.
 * @param entry the bundle's `index.js`, or the source's
 */
export function processes(entry: string, { dir, environment }: Pick<World, 'dir' | 'environment'>): Runner {
  return {
    async run(step) {
      const own = await mkdtemp(join(dir, 'process-'));
      const [temp, system, outputs] = [join(own, 'temp'), join(own, 'system'), join(own, 'outputs')];
      await Promise.all([mkdir(temp), mkdir(system), writeFile(outputs, '')]);
      const inputs = [...step.inputs].map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]);
      try {
        const { code, output, seconds, peakMemory } = await timed({
          command: process.execPath,
          args: ['--disable-warning=ExperimentalWarning', entry],
          env: {
            ...environment,
            ...step.environment,
            RUNNER_TEMP: temp,
            TMPDIR: system,
            GITHUB_OUTPUT: outputs,
            ...Object.fromEntries(inputs),
          },
          watchMemory: true,
          expect: [0, 1],
        });
        const told = await readFile(outputs, 'utf8');
        const left = await Promise.all([temp, system].map((folder) => readdir(folder)));
        return {
          errors: errorsOf(output, code),
          digest: outputOf(told, 'digest'),
          results: outputOf(told, 'results'),
          leftovers: left.flat(),
          seconds,
          peakMemory,
        };
      } finally {
        await rm(own, { recursive: true, force: true });
      }
    },
  };
}

/** The errors among what a step says; one that only its exit code tells of is an error too. */
function errorsOf(output: string, code: number): string[] {
  const said = [...output.matchAll(/^::error::(.*)$/gm)].map(([, text = '']) => text);
  return said.length > 0 || code === 0 ? said : [`it ended with ${code}: ${output.slice(-2_000)}`];
}

/**
 * One of the outputs in the runner's file, as `name<<delimiter` and the lines up to the delimiter.
 * https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#multiline-strings
 */
function outputOf(file: string, name: string): string | undefined {
  return new RegExp(`^${name}<<(\\S+)\\n([^]*?)\\n\\1$`, 'm').exec(file)?.[2];
}
