import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ENGINES_VARIABLE, startEngines } from './support/engines.ts';

/** Names the file that gets jest's results as JSON. */
const RESULTS_VARIABLE = 'E2E_RESULTS';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Ends what runs in the foreground; does nothing in between. */
let endForeground: () => void = () => undefined;
let interrupted = false;

/** Runs a command in a process group of its own, which is ended as a whole, with all that the command started. */
function runInGroup(command: string, args: readonly string[], env = process.env): Promise<number> {
  if (interrupted) return Promise.resolve(130);
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      env,
      stdio: ['ignore', 'inherit', 'inherit'],
      detached: true,
    });
    const { pid } = child;
    if (pid !== undefined) endForeground = () => process.kill(-pid, 'SIGTERM');
    child.once('error', reject);
    child.once('close', (code) => {
      endForeground = () => undefined;
      resolve(code ?? 1);
    });
  });
}

function runSuites(engines: string): Promise<number> {
  const results = process.env[RESULTS_VARIABLE];
  return runInGroup(
    process.execPath,
    [
      ...['--experimental-vm-modules', join(root, 'node_modules/jest/bin/jest.js')],
      ...['--config', fileURLToPath(new URL('jest.config.js', import.meta.url)), '--runInBand'],
      ...(results ? ['--json', `--outputFile=${results}`] : []),
      ...process.argv.slice(2),
    ],
    { ...process.env, [ENGINES_VARIABLE]: engines },
  );
}

/** Installs what is missing, starts the engines, runs the suites, and stops what was started. */
async function main(): Promise<number> {
  const installed = await runInGroup(fileURLToPath(new URL('setup.sh', import.meta.url)), []);
  if (installed !== 0) return installed;
  const dir = await mkdtemp(join(tmpdir(), 'e2e-'));
  const { stop, ...engines } = await startEngines(root, dir);
  let code = 1;
  try {
    code = await runSuites(JSON.stringify(engines));
  } finally {
    await stop();
    await cleanUp(dir, engines.logs, code === 0);
  }
  return code;
}

/** Of a run that failed the logs are kept. */
async function cleanUp(dir: string, logs: string, passed: boolean): Promise<void> {
  if (passed) return rm(dir, { recursive: true, force: true });
  for (const name of await readdir(dir)) {
    if (join(dir, name) !== logs) await rm(join(dir, name), { recursive: true, force: true });
  }
  process.stderr.write(`The logs of the workflow runs are in ${logs}\n`);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // npm and the like pass on what a terminal has sent to all of us.
    if (interrupted) return;
    interrupted = true;
    endForeground();
  });
}
process.exitCode = await main();
