import { readFileSync } from 'node:fs';
import { startDaemon, waitUntil } from '../engines/process.ts';
import { tool } from '../engines/tools.ts';

/** A registry that is not ECR: it lets everybody read and write, over plain HTTP on loopback. */
export interface PlainRegistry {
  host: string;
  stop(): Promise<void>;
}

/** Starts crane's own registry, which keeps everything in memory. */
export async function startPlainRegistry(logFile: string): Promise<PlainRegistry> {
  const daemon = startDaemon(tool('crane'), ['registry', 'serve', '--address', '127.0.0.1:0'], { logFile });
  const port = () => /serving on (?:port )?\S*?(\d+)$/m.exec(readFileSync(logFile, 'utf8'))?.[1];
  await waitUntil('the registry answers', () => port() !== undefined, { daemon });
  return { host: `127.0.0.1:${port()}`, stop: () => daemon.stop() };
}
