import type { Descriptor } from '../image/descriptor.ts';
import type { TransferObserver } from '../release/replicate.ts';
import { formatBytes } from './report.ts';

/** How often an upload is mentioned while it goes on, in milliseconds. */
const INTERVAL = 10_000;
/** Smaller blobs go unmentioned, in bytes: there are many of them, and each is there at once. */
const MENTIONED = 1_000_000;

interface Transfer {
  readonly startedAt: number;
  saidAt: number;
  moved: number;
}

/**
 * Tells of uploads in the log: each large one when it ends, and every ten seconds how far a long one is.
 */
export function createProgress(say: (line: string) => void, now: () => number = Date.now): TransferObserver {
  const transfers = new Map<string, Transfer>();
  const key = (destination: string, { digest }: Descriptor) => `${destination} ${digest}`;
  return {
    started(destination, descriptor) {
      transfers.set(key(destination, descriptor), { startedAt: now(), saidAt: now(), moved: 0 });
    },
    moved(destination, descriptor, bytes) {
      const transfer = transfers.get(key(destination, descriptor));
      if (!transfer) return;
      transfer.moved += bytes;
      if (now() - transfer.saidAt < INTERVAL) return;
      transfer.saidAt = now();
      const percent = Math.floor((100 * transfer.moved) / Math.max(1, descriptor.size));
      const far = `${formatBytes(transfer.moved)} of ${formatBytes(descriptor.size)}, ${percent} %`;
      say(`${destination}: ${shorten(descriptor)} is on its way: ${far}`);
    },
    finished(destination, descriptor) {
      const transfer = transfers.get(key(destination, descriptor));
      transfers.delete(key(destination, descriptor));
      if (descriptor.size < MENTIONED) return;
      const seconds = ((now() - (transfer?.startedAt ?? now())) / 1000).toFixed(1);
      say(`${destination}: sent ${shorten(descriptor)} (${formatBytes(descriptor.size)} in ${seconds} s)`);
    },
    repairs(destination, descriptor) {
      say(
        `${destination}: lacks ${shorten(descriptor)}, although it said that it holds it: writing it again`,
      );
    },
  };
}

function shorten({ digest }: Descriptor): string {
  return digest.slice(0, 19);
}
