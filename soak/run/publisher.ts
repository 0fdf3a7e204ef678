import { fork } from 'node:child_process';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod/mini';
import { createAsk } from '../../bench/asking.ts';
import type { World } from '../world/world.ts';
import { endedSchema, type Runner } from './step.ts';
import { type Vitals, vitalsSchema } from './vitals.ts';

/** A process that runs the action again and again. */
export interface Publisher extends Runner {
  /** What it holds on to, now that nothing runs. */
  vitals(): Promise<Vitals>;
}

const FLAGS = [
  '--disable-warning=ExperimentalWarning',
  '--expose-gc',
  // V8 lets its young generation grow, and drops code that was not used for a while: both would hide what grows slowly.
  '--max-semi-space-size=1',
  '--no-flush-bytecode',
];

/** Starts one, and ends it when the work is done. */
export async function withPublisher<T>(
  world: Pick<World, 'dir' | 'environment'>,
  work: (publisher: Publisher) => Promise<T>,
): Promise<T> {
  const { stop, ...publisher } = await startPublisher(world);
  try {
    return await work(publisher);
  } finally {
    await stop();
  }
}

async function startPublisher({
  dir,
  environment,
}: Pick<World, 'dir' | 'environment'>): Promise<Publisher & { stop(): Promise<void> }> {
  const own = await mkdtemp(join(dir, 'publisher-'));
  const [temp, system] = [join(own, 'temp'), join(own, 'system')];
  await Promise.all([temp, system].map((folder) => mkdir(folder, { recursive: true })));
  const child = fork(fileURLToPath(new URL('worker.ts', import.meta.url)), {
    execArgv: FLAGS,
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...environment, RUNNER_TEMP: temp, TMPDIR: system },
  });
  const ask = createAsk(child, 'the publisher');
  return {
    run: async (step) => z.parse(endedSchema, await ask({ ask: 'run', step })),
    vitals: async () => z.parse(vitalsSchema, await ask({ ask: 'vitals' })),
    stop: () =>
      new Promise((stopped) => {
        if (child.exitCode !== null || child.signalCode !== null) return stopped();
        child.once('exit', () => stopped());
        child.disconnect();
      }),
  };
}
