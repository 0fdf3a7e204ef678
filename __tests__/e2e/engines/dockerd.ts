import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { attempt, startDaemon, waitUntil } from './process.ts';
import { tool } from './tools.ts';

export interface Dockerd {
  /** The path of the API's socket. */
  socket: string;
  /** The path of the socket of dockerd's own containerd, for `ctr --address`. */
  containerdSocket: string;
  stop(): Promise<void>;
}

const lesserRuntime = {
  'default-runtime': 'lesser-runc',
  runtimes: { 'lesser-runc': { path: fileURLToPath(new URL('lesser-runc.sh', import.meta.url)) } },
};

/**
 * Starts a dockerd with all of its state under `dir`. It starts a containerd of its own and ends
 * it with itself. Containers are on the default bridge, docker0, so one dockerd at a time.
 */
export async function startDockerd(dir: string): Promise<Dockerd> {
  mkdirSync(dir, { recursive: true });
  const socket = join(dir, 'docker.sock');
  const execRoot = join(dir, 'exec');
  const containerdSocket = join(execRoot, 'containerd', 'containerd.sock');
  // Without one of its own it would read the machine's.
  const config = join(dir, 'daemon.json');
  writeFileSync(config, JSON.stringify(hasSysResource() ? {} : lesserRuntime));
  const daemon = startDaemon(
    'dockerd',
    [
      ...['--data-root', join(dir, 'data')],
      ...['--exec-root', execRoot],
      ...['--pidfile', join(dir, 'docker.pid')],
      ...['--host', `unix://${socket}`],
      ...['--config-file', config],
    ],
    { logFile: join(dir, 'dockerd.log') },
  );
  const answers = async () => {
    const { code } = await attempt(tool('docker'), ['--host', `unix://${socket}`, 'version']);
    return code === 0 && existsSync(containerdSocket);
  };
  try {
    await waitUntil('dockerd answers', answers, { daemon });
  } catch (error) {
    await daemon.stop();
    throw error;
  }
  return { socket, containerdSocket, stop: () => daemon.stop(60_000) };
}

/** Whether this process may hand CAP_SYS_RESOURCE (capability 24) to its children. */
function hasSysResource(): boolean {
  const bounding = /^CapBnd:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return bounding !== undefined && (BigInt(`0x${bounding}`) & (1n << 24n)) !== 0n;
}
