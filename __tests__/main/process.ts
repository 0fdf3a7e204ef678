import { spawn } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { makeFolder } from '../support/folder.ts';
import { withDefaults } from './inputs.ts';

/** What a process left. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly outputs: string;
  readonly summary: string;
  /** What is left in RUNNER_TEMP. */
  readonly leftovers: readonly string[];
}

export interface Running {
  readonly temp: string;
  readonly ended: Promise<Ended>;
  kill(signal: NodeJS.Signals): void;
  /** Stops reading its log, as a runner does that is gone. */
  closeLog(): void;
}

/** Starts the action's entry in a process of its own, as the runner does: inputs in the environment. */
export async function startProcess(
  inputs: Readonly<Record<string, string>>,
  environment: NodeJS.ProcessEnv,
): Promise<Running> {
  const [dir, temp] = [await makeFolder(), await makeFolder()];
  const [outputFile, summaryFile] = [join(dir, 'output'), join(dir, 'summary.md')];
  await Promise.all([outputFile, summaryFile].map((file) => writeFile(file, '')));
  const values = [...(await withDefaults(inputs))];
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', 'src/index.ts'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      RUNNER_TEMP: temp,
      GITHUB_OUTPUT: outputFile,
      GITHUB_STEP_SUMMARY: summaryFile,
      ...environment,
      ...Object.fromEntries(values.map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])),
    },
  });
  // A log that was closed was not read to its end.
  const said = Promise.all([text(child.stdout).catch(() => ''), text(child.stderr)]);
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  const end = async (): Promise<Ended> => {
    const [code, [stdout, stderr]] = await Promise.all([exited, said]);
    if (stderr !== '') throw new Error(`standard error has: ${stderr}`);
    const [outputs, summary] = await Promise.all([
      readFile(outputFile, 'utf8'),
      readFile(summaryFile, 'utf8'),
    ]);
    return { code, stdout, outputs, summary, leftovers: await readdir(temp) };
  };
  return {
    temp,
    ended: end(),
    kill: (signal) => void child.kill(signal),
    closeLog: () => void child.stdout.destroy(),
  };
}
