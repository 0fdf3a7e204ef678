import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as core from '@actions/core';
import { runAction } from '../../src/main.ts';
import { setEnvironment } from '../support/environment.ts';
import { makeFolder } from '../support/folder.ts';
import { silenceOutput } from '../support/silence.ts';
import { withDefaults } from './inputs.ts';

/** What a step left. */
export interface Ran {
  /** The errors by which it failed. */
  readonly errors: readonly string[];
  readonly outputs: ReadonlyMap<string, string>;
  readonly summary: string;
  /** All lines of its log. */
  readonly log: string;
  readonly masked: readonly string[];
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
  const errors: string[] = [];
  const lines: string[] = [];
  const masked: string[] = [];
  const outputs = new Map<string, string>();
  const say = (line: string | Error) => void lines.push(String(line));
  // The toolkit's own one remembers the file of the step before.
  const summary: typeof core.summary = Object.create(core.summary);
  const toolkit: typeof core = {
    ...core,
    getInput: (name) => values.get(name) ?? '',
    setOutput: (name, value) => void outputs.set(name, String(value)),
    setSecret(secret) {
      masked.push(secret);
      onMask(secret);
    },
    setFailed: (message) => void errors.push(String(message)),
    info: say,
    debug: say,
    notice: say,
    warning: say,
    error: say,
    group(title, step) {
      say(title);
      return step();
    },
    summary,
  };
  await runAction(toolkit, process.env);
  return {
    errors,
    outputs,
    summary: await readFile(summaryFile, 'utf8'),
    log: lines.join('\n'),
    masked,
    leftovers: await readdir(temp),
  };
}
