import { spawn } from 'node:child_process';

/**
 * Runs a command with its output shown, and gives its exit code.
 * @param cwd the folder to run in; the project's own by default
 */
export function run(command: string, args: readonly string[], cwd = process.cwd()): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: 'inherit' });
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
}
