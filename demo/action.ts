import { spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** One step of a workflow, as the runner would run it. */
export interface Step {
  /** A folder of the step's own. */
  readonly dir: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly environment: NodeJS.ProcessEnv;
  /** Told of every line that the runner would show. */
  readonly say: (line: string) => void;
  /** Whether groups show their titles alone, as the runner's log does until one is opened. */
  readonly folded: boolean;
}

/** What a step left. */
export interface StepResult {
  readonly code: number;
  /** The outputs file and the summary, as the step wrote them. */
  readonly outputs: string;
  readonly summary: string;
}

/** Runs the bundled action as a runner does: inputs in the environment, outputs and the summary in files. */
export async function runStep({ dir, inputs, environment, say, folded }: Step): Promise<StepResult> {
  await mkdir(dir, { recursive: true });
  const [outputFile, summaryFile] = [join(dir, 'output'), join(dir, 'summary.md')];
  await Promise.all([writeFile(outputFile, ''), writeFile(summaryFile, '')]);
  const inputVariables = Object.entries(inputs).map(([name, value]) => [
    `INPUT_${name.toUpperCase()}`,
    value,
  ]);
  const child = spawn(process.execPath, ['dist/index.js'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...environment,
      RUNNER_TEMP: dir,
      GITHUB_OUTPUT: outputFile,
      GITHUB_STEP_SUMMARY: summaryFile,
      ...Object.fromEntries(inputVariables),
    },
  });
  const show = createRunnerLog(say, folded);
  createInterface({ input: child.stdout }).on('line', show);
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve(status ?? 1));
  });
  const [outputs, summary] = await Promise.all([readFile(outputFile, 'utf8'), readFile(summaryFile, 'utf8')]);
  return { code, outputs, summary };
}

/** Shows lines as the runner's log does: workflow commands are carried out, not printed. */
function createRunnerLog(say: (line: string) => void, folded: boolean): (line: string) => void {
  let inGroup = false;
  return (line) => {
    const [, command, text = ''] = /^::(\w[\w-]*)[^:]*::(.*)$/.exec(line) ?? [];
    if (command === 'group') say(`▸ ${text}`);
    if (command === 'group' || command === 'endgroup') inGroup = command === 'group';
    if (command === 'error' || command === 'warning') say(`${command}: ${decodeURIComponent(text)}`);
    if (command === undefined && !(inGroup && folded)) say(inGroup ? `  ${line}` : line);
  };
}
