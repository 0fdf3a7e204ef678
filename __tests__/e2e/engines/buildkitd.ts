import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { attempt, type Environment, run, startDaemon, waitUntil } from './process.ts';
import { tool } from './tools.ts';

export interface Buildkitd {
  /** What `buildx create` takes as the remote driver's endpoint. */
  endpoint: string;
  stop(): Promise<void>;
}

/** Starts a buildkitd on the host's network, listening on a unix socket, with its state under `dir`. */
export async function startBuildkitd(dir: string): Promise<Buildkitd> {
  mkdirSync(dir, { recursive: true });
  const endpoint = `unix://${join(dir, 'buildkitd.sock')}`;
  // Without one of its own it would read the machine's.
  const config = join(dir, 'buildkitd.toml');
  writeFileSync(config, '');
  const daemon = startDaemon(
    tool('buildkitd'),
    [
      ...['--root', join(dir, 'state')],
      ...['--addr', endpoint],
      ...['--config', config],
      // Its default is to look for a containerd of the machine and use that as well.
      ...['--containerd-worker', 'false'],
      ...['--oci-worker-net', 'host'],
    ],
    { logFile: join(dir, 'buildkitd.log') },
  );
  const answers = async () =>
    existsSync(join(dir, 'buildkitd.sock')) &&
    (await attempt(tool('buildctl'), ['--addr', endpoint, 'debug', 'workers'])).code === 0;
  try {
    await waitUntil('buildkitd answers', answers, { daemon });
  } catch (error) {
    await daemon.stop();
    throw error;
  }
  return { endpoint, stop: () => daemon.stop() };
}

/** Makes `endpoint` known to buildx as a builder, in the buildx state that `env` names. */
export async function createRemoteBuilder(name: string, endpoint: string, env: Environment): Promise<void> {
  await run(tool('docker'), ['buildx', 'create', '--name', name, '--driver', 'remote', endpoint], { env });
}
