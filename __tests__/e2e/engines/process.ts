import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export type Environment = Record<string, string>;

export interface CommandOptions {
  cwd?: string;
  /** The whole environment of the command; the caller's own when left out. */
  env?: Environment;
  input?: string;
  timeoutMs?: number;
}

export interface CommandResult {
  code: number;
  stdout: string;
  stderr: string;
}

export interface Daemon {
  pid: number;
  logFile: string;
  running(): boolean;
  /** Its exit code, once it has ended. */
  ended: Promise<number>;
  /** SIGTERM, then SIGKILL after the grace period; resolves when the process is gone. */
  stop(graceMs?: number): Promise<void>;
}

/** Runs a command to its end and hands back its exit code and output, whatever the code. */
export function attempt(
  command: string,
  args: string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env,
      timeout: options.timeoutMs ?? 300_000,
      killSignal: 'SIGKILL',
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (signal !== null) stderr += `\n${command} was ended by ${signal}`;
      resolve({ code: code ?? 128, stdout, stderr });
    });
    // A command that ends without reading its input closes the pipe under us.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
  });
}

/** Runs a command and hands back its standard output; throws, with its output, if it fails. */
export async function run(command: string, args: string[], options: CommandOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await attempt(command, args, options);
  if (code !== 0) {
    throw new Error(`${command} ${args.join(' ')} ended with code ${code}\n${tail(stdout)}\n${tail(stderr)}`);
  }
  return stdout;
}

/** Starts a long-running process; both of its output streams go to `logFile`, anew. */
export function startDaemon(
  command: string,
  args: string[],
  options: { logFile: string; env?: Environment; cwd?: string },
): Daemon {
  const log = openSync(options.logFile, 'w');
  const child = spawn(command, args, { cwd: options.cwd, env: options.env, stdio: ['ignore', log, log] });
  closeSync(log);
  const { pid } = child;
  let alive = pid !== undefined;
  const ended = new Promise<number>((resolve) => {
    child.once('error', () => resolve(127));
    child.once('exit', (code) => resolve(code ?? 128));
  });
  // A test that throws past its clean-up must not leave the engine behind.
  const endWithUs = () => child.kill('SIGTERM');
  process.once('exit', endWithUs);
  ended.then(
    () => {
      alive = false;
      process.removeListener('exit', endWithUs);
    },
    () => undefined,
  );
  if (pid === undefined) throw new Error(`${command} could not be started`);
  return {
    pid,
    logFile: options.logFile,
    running: () => alive,
    ended,
    async stop(graceMs = 20_000) {
      if (!alive) return;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
      await ended;
      clearTimeout(timer);
    },
  };
}

/**
 * Waits until `ready` answers true. Given the daemon that is waited for, gives up as soon as
 * it ends; the error then holds the end of its log.
 */
export async function waitUntil(
  what: string,
  ready: () => boolean | Promise<boolean>,
  options: { timeoutMs?: number; daemon?: Daemon } = {},
): Promise<void> {
  const { timeoutMs = 60_000, daemon } = options;
  const deadline = Date.now() + timeoutMs;
  while (!(await ready())) {
    const ended = daemon !== undefined && !daemon.running();
    if (ended || Date.now() > deadline) {
      const log = daemon === undefined ? '' : `\n${tail(readFileSync(daemon.logFile, 'utf8'))}`;
      throw new Error(`${what}: ${ended ? 'the process ended' : `not within ${timeoutMs} ms`}${log}`);
    }
    await sleep(100);
  }
}

function tail(text: string): string {
  return text.trimEnd().split('\n').slice(-30).join('\n');
}
