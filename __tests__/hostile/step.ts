import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as core from '@actions/core';
import { jest } from '@jest/globals';
import { runAction } from '../../src/main.ts';
import { withDefaults } from '../main/inputs.ts';
import { atEnd } from '../support/ends.ts';
import { setEnvironment } from '../support/environment.ts';
import { makeFolder } from '../support/folder.ts';
import { type Command, commandsIn } from './commands.ts';

/** What a step gave to the runner. */
export interface Raw {
  /** All that it printed, as it printed it. */
  readonly stdout: string;
  /** What the runner would do because of that. */
  readonly commands: readonly Command[];
  readonly outputs: ReadonlyMap<string, string>;
  readonly summary: string;
}

/** Runs the action in this process with the runner's own toolkit, and keeps what reaches the runner. */
export async function runRaw(
  inputs: Readonly<Record<string, string>>,
  environment: NodeJS.ProcessEnv = {},
): Promise<Raw> {
  const dir = await makeFolder();
  const [outputFile, summaryFile] = [join(dir, 'output'), join(dir, 'summary.md')];
  await Promise.all([outputFile, summaryFile].map((file) => writeFile(file, '')));
  const values = [...(await withDefaults(inputs))];
  setEnvironment({
    ...environment,
    ...Object.fromEntries(values.map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])),
    RUNNER_TEMP: await makeFolder(),
    GITHUB_OUTPUT: outputFile,
    GITHUB_STEP_SUMMARY: summaryFile,
  });
  const { exitCode } = process;
  const pieces: string[] = [];
  const write = jest.spyOn(process.stdout, 'write').mockImplementation((piece) => {
    pieces.push(String(piece));
    return true;
  });
  atEnd(() => write.mockRestore());
  // The toolkit remembers the file of the step before.
  const summary: typeof core.summary = Object.create(core.summary);
  await runAction({ ...core, summary }, process.env);
  // That the step failed is not for the process of the tests to tell.
  process.exitCode = exitCode;
  const stdout = pieces.join('');
  return {
    stdout,
    commands: commandsIn(stdout),
    outputs: readOutputs(await readFile(outputFile, 'utf8')),
    summary: await readFile(summaryFile, 'utf8'),
  };
}

/** Reads a file of outputs as the runner does: `name<<END`, lines, `END`. */
function readOutputs(text: string): Map<string, string> {
  const outputs = new Map<string, string>();
  const lines = text.split(/\r\n|\n|\r/);
  for (let at = 0; at < lines.length - 1; at += 1) {
    const [, name = '', end = ''] = /^(.*?)<<(.*)$/.exec(lines[at] ?? '') ?? [];
    const length = lines.slice(at + 1).indexOf(end);
    if (!name || length < 0) throw new Error(`not an output: ${lines[at]}`);
    outputs.set(name, lines.slice(at + 1, at + 1 + length).join('\n'));
    at += length + 1;
  }
  return outputs;
}
