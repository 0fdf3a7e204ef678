import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import * as z from 'zod/mini';
import { createAsk } from '../asking.ts';
import type { LinkCounts, LinkOptions } from './link.ts';

/** Lines of chosen length and width to servers on this machine. They live in a process of their own. */
export interface Links {
  /** Opens a line and gives its port on loopback. */
  open(link: LinkOptions): Promise<number>;
  /** What went over a line, or to one of the regions that it leads to. */
  count(port: number, region?: string): Promise<LinkCounts>;
  /** Cuts the connections of a line. */
  close(port: number): Promise<void>;
  /** Ends the process. */
  stop(): Promise<void>;
}

const countsSchema = z.record(z.string(), z.number());

/**
 * Real lines cost the machine nothing, and these should cost as little as they can: the garbage of chunks that passed by is
 * collected less eagerly, and the memory that they took is not given back to the system each time.
 */
const FRUGAL = {
  execArgv: ['--external-memory-accounted-in-global-limit'],
  env: { ...process.env, MALLOC_TRIM_THRESHOLD_: '1000000000', MALLOC_MMAP_THRESHOLD_: '1000000000' },
};

/** Starts the process in which the lines are. */
export function startLinks(): Links {
  const worker = fork(fileURLToPath(new URL('worker.ts', import.meta.url)), FRUGAL);
  const askWorker = createAsk(worker, 'the links');
  const ask = async (question: Record<string, unknown>) => z.parse(countsSchema, await askWorker(question));
  return {
    open: async (link) => (await ask({ ask: 'open', link })).port ?? 0,
    async count(port, region) {
      const { connections = 0, sent = 0, received = 0 } = await ask({ ask: 'count', port, region });
      return { connections, sent, received };
    },
    close: async (port) => {
      await ask({ ask: 'close', port });
    },
    stop: () =>
      new Promise((stopped) => {
        worker.once('exit', () => stopped());
        worker.disconnect();
      }),
  };
}
