import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Writable } from 'node:stream';
import type { CommandResult, Docker } from '../buildx/docker.ts';

/** How much of the end of what a command prints is kept, in characters: a build may print for hours. */
const KEPT = 256 * 1024;

/**
 * The docker command of the runner.
 * @param shown where the output of commands goes that people want to follow
 */
export function runnerDocker(shown: Writable): Docker {
  return {
    async ask(args) {
      const child = start(args);
      return finish(child);
    },
    async show(args, { line, signal }) {
      shown.write(`[command]docker ${args.join(' ')}\n`);
      const child = start(args, signal);
      child.stdout?.pipe(shown, { end: false });
      child.stderr?.pipe(shown, { end: false });
      if (child.stderr) createInterface(child.stderr).on('line', line);
      return finish(child);
    },
  };
}

/** How long a command that was told to end may take for it, in milliseconds. */
const GRACE = 3_000;

/** Docker runs plugins such as buildx as its children, and of old does not end them when it is ended itself. */
const GROUPS = process.platform !== 'win32';

function start(args: readonly string[], signal?: AbortSignal): ChildProcess {
  const child = spawn('docker', args, { stdio: ['ignore', 'pipe', 'pipe'], detached: GROUPS });
  const kill = () => send(child, 'SIGKILL');
  let patience: NodeJS.Timeout | undefined;
  const end = () => {
    send(child, 'SIGTERM');
    patience = setTimeout(kill, GRACE);
  };
  if (signal?.aborted) end();
  signal?.addEventListener('abort', end);
  // A group of its own hears nothing of what is sent to ours: it must not outlive us.
  process.once('exit', kill);
  child.once('close', () => {
    clearTimeout(patience);
    signal?.removeEventListener('abort', end);
    process.off('exit', kill);
  });
  return child;
}

function send(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  if (GROUPS) process.kill(-child.pid, signal);
  else child.kill(signal);
}

/** @throws the system's error when the command could not be started */
function finish(child: ChildProcess): Promise<CommandResult> {
  const printed = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      printed[name] = (printed[name] + text).slice(-KEPT);
    });
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? 1, ...printed }));
  });
}
