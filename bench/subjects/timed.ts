import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Environment } from '../../__tests__/e2e/engines/process.ts';

/** How often a process is asked for its memory, in milliseconds. */
const WATCH_PERIOD = 50;

export interface Ran {
  /** From just before it was started until it had ended. */
  readonly seconds: number;
  /** The most memory that it had resident, in bytes, without its children's; 0 unless it was watched. */
  readonly peakMemory: number;
  readonly code: number;
  readonly output: string;
}

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Environment;
  readonly cwd?: string;
  readonly watchMemory?: boolean;
  /** Exit codes that are as good as 0. */
  readonly expect?: readonly number[];
}

/**
 * Runs a command to its end.
 * @throws with its output when it fails: what did not do its work has no time worth telling
 */
export async function timed({ command, args, env, cwd, watchMemory, expect = [0] }: Command): Promise<Ran> {
  const startedAt = performance.now();
  const child = spawn(command, args, { env, cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 128));
  });
  const watched = watchMemory && child.pid ? watch(child.pid, ended) : Promise.resolve(0);
  const code = await ended;
  const seconds = (performance.now() - startedAt) / 1000;
  const text = Buffer.concat(output).toString();
  if (!expect.includes(code)) {
    throw new Error(`${command} ${args.join(' ')} ended with code ${code}\n${text.slice(-4000)}`);
  }
  return { seconds, peakMemory: await watched, code, output: text };
}

/** The kernel keeps the high-water mark itself; only the last of it, before the process ends, may be missed. */
async function watch(pid: number, ended: Promise<number>): Promise<number> {
  let peak = 0;
  let running = true;
  const stop = () => {
    running = false;
  };
  ended.then(stop, stop);
  while (running) {
    peak = Math.max(peak, highWaterMark(pid));
    await sleep(WATCH_PERIOD);
  }
  return peak;
}

function highWaterMark(pid: number): number {
  try {
    const kilobytes = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Number(kilobytes ?? 0) * 1024;
  } catch {
    return 0;
  }
}
