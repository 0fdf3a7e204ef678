import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { CommandResult, Docker } from '../buildx/docker.ts';
import { textLine } from './lines.ts';

/** How much of the end of what a command prints is kept, in characters: a build may print for hours. */
const KEPT = 256 * 1024;
/** The longest line that is waited for, in characters: a longer one is shown in pieces. */
const LONGEST = 64 * 1024;

/**
 * The docker command of the runner.
 * @param shown where the output of commands goes that people want to follow
 * @param environment of this process, for commands that have settings of their own
 */
export function runnerDocker(shown: Writable, environment: NodeJS.ProcessEnv): Docker {
  return {
    ask: async (args) => finish(start(args)),
    async show(args, { line, signal, config }) {
      shown.write(`[command]docker ${textLine(args.join(' ').replace(/\p{Cc}+/gu, ' '))}\n`);
      const child = start(args, signal, config ? { ...environment, DOCKER_CONFIG: config } : undefined);
      const show = (text: string) => shown.write(`${textLine(text)}\n`);
      if (child.stdout) eachLine(child.stdout, show);
      if (child.stderr) {
        eachLine(child.stderr, (text) => {
          show(text);
          line(text);
        });
      }
      return finish(child);
    },
  };
}

/** How long a command that was told to end may take for it, in milliseconds. */
const GRACE = 3_000;

/** Docker runs plugins such as buildx as its children, and of old does not end them when it is ended itself. */
const GROUPS = process.platform !== 'win32';

function start(args: readonly string[], signal?: AbortSignal, env?: NodeJS.ProcessEnv): ChildProcess {
  const child = spawn('docker', args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: GROUPS,
    ...(env && { env }),
  });
  const kill = () => send(child, 'SIGKILL');
  let patience: NodeJS.Timeout | undefined;
  const end = () => {
    send(child, 'SIGTERM');
    patience = setTimeout(kill, GRACE);
  };
  if (signal?.aborted) end();
  signal?.addEventListener('abort', end);
  // A group of its own hears nothing of what is sent to ours: it must not outlive us, nor write where we clean up.
  process.prependOnceListener('exit', kill);
  process.prependOnceListener('SIGINT', kill);
  process.prependOnceListener('SIGTERM', kill);
  child.once('close', () => {
    clearTimeout(patience);
    signal?.removeEventListener('abort', end);
    for (const event of ['exit', 'SIGINT', 'SIGTERM']) process.off(event, kill);
  });
  return child;
}

/** Tells the command, and all that it has started and may have left behind. */
function send(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  if (!GROUPS) {
    child.kill(signal);
    return;
  }
  try {
    process.kill(-child.pid, signal);
  } catch {
    // There is nobody left.
  }
}

/**
 * Calls back for each whole line. What is shown is shown by whole lines, too: between two halves of one the runner would
 * not see its own commands, by which secrets are masked; and a lone carriage return must not begin a line.
 */
function eachLine(stream: Readable, callback: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) callback(line.replace(/\r$/, '').replaceAll('\r', ' '));
    if (rest.length < LONGEST) return;
    callback(rest.replaceAll('\r', ' '));
    rest = '';
  });
  stream.once('end', () => {
    if (rest) callback(rest.replaceAll('\r', ' '));
  });
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
