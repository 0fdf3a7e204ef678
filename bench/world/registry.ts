import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type Daemon, startDaemon, waitUntil } from '../../__tests__/e2e/engines/process.ts';
import { tool } from '../../__tests__/e2e/engines/tools.ts';

/** A registry, the reference implementation of the distribution API, in a process of its own. */
export interface Registry {
  readonly port: number;
  stop(): Promise<void>;
}

/**
 * Starts a registry on loopback that keeps all it gets below `dir`, and takes over what lies there.
 * @throws when it does not come up; the error holds the end of its log
 */
export async function startRegistry(dir: string): Promise<Registry> {
  await mkdir(dir, { recursive: true });
  const port = await freePort();
  const config = {
    version: 0.1,
    log: { level: 'error', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: storageOf(dir) }, delete: { enabled: true } },
    http: { addr: `127.0.0.1:${port}` },
  };
  const file = join(dir, 'registry.json');
  // JSON is YAML, which is what the registry reads.
  await writeFile(file, JSON.stringify(config));
  const daemon: Daemon = startDaemon(tool('registry'), ['serve', file], {
    logFile: join(dir, 'registry.log'),
    env: { OTEL_TRACES_EXPORTER: 'none', PATH: '' },
  });
  const answers = () =>
    fetch(`http://127.0.0.1:${port}/v2/`).then(
      ({ ok }) => ok,
      () => false,
    );
  await waitUntil('the registry answers', answers, { daemon, timeoutMs: 20_000 });
  return { port, stop: () => daemon.stop(2000) };
}

/** Where a registry that was started with `dir` keeps its content, to be copied while it does not run. */
export function storageOf(dir: string): string {
  return join(dir, 'storage');
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((closed) => {
    server.close(closed);
  });
  if (address === null || typeof address === 'string') throw new Error('there is no free port');
  return address.port;
}
