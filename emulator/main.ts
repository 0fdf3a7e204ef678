import { type CliOptions, HELP, parseCli, UsageError, welcome } from './cli.ts';
import { type Emulator, startEmulator } from './emulator.ts';

/** Runs the emulator until it is interrupted. */
async function main(args: readonly string[]): Promise<void> {
  const options = parseCli(args);
  if (options === 'help') return print(HELP);
  const ended = interrupted();
  const emulator = await start(options);
  try {
    print(welcome(emulator, options.repositories));
    await ended;
  } finally {
    await emulator.close();
  }
}

async function start(options: CliOptions): Promise<Emulator> {
  try {
    return await startEmulator(options);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EADDRINUSE') throw new UsageError(`--port ${options.port}: a port from there on is taken`);
    if (code === 'ENOENT') throw new UsageError(`--dir ${options.dir}: there is no such folder`);
    throw error;
  }
}

/** Waits for a signal to end. */
function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(
    error instanceof UsageError ? `${error.message}\nTry --help.\n` : `${String(error)}\n`,
  );
  process.exitCode = error instanceof UsageError ? 2 : 1;
});
