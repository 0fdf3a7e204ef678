import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runAction } from '../../src/main.ts';
import { setEnvironment } from '../support/environment.ts';
import { makeFolder } from '../support/folder.ts';
import { silenceOutput } from '../support/silence.ts';
import { withDefaults } from './inputs.ts';
import { keepingToolkit, type Told } from './toolkit.ts';

/** What a step left. */
export interface Ran extends Told {
  readonly summary: string;
  /** All lines of its log as one text. */
  readonly log: string;
  /** What is left in RUNNER_TEMP. */
  readonly leftovers: readonly string[];
}

/** Runs the action in this process, with a toolkit that keeps what it is told. */
export async function runStep(
  inputs: Readonly<Record<string, string>>,
  environment: NodeJS.ProcessEnv = {},
  onMask: (secret: string) => void = () => undefined,
): Promise<Ran> {
  silenceOutput();
  const dir = await makeFolder();
  const temp = await makeFolder();
  const summaryFile = join(dir, 'summary.md');
  await writeFile(summaryFile, '');
  setEnvironment({ ...environment, RUNNER_TEMP: temp, GITHUB_STEP_SUMMARY: summaryFile });
  const values = await withDefaults(inputs);
  const { toolkit, told } = keepingToolkit(values, onMask);
  await runAction(toolkit, process.env);
  return {
    ...told,
    summary: await readFile(summaryFile, 'utf8'),
    log: told.lines.join('\n'),
    leftovers: await readdir(temp),
  };
}
