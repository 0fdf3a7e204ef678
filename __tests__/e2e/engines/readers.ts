import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Dockerd } from './dockerd.ts';
import { attempt, type Environment, run } from './process.ts';
import { tool } from './tools.ts';

/** A registry that is read over plain HTTP; on loopback, where dockerd allows that by itself. */
export interface Registry {
  host: string;
  username: string;
  password: string;
}

/** Writes a docker configuration for crane, skopeo and docker to log in with; hands back its folder. */
export function loginConfig(dir: string, registries: Registry[]): string {
  mkdirSync(dir, { recursive: true });
  const auths = Object.fromEntries(
    registries.map(({ host, username, password }) => [
      host,
      { auth: Buffer.from(`${username}:${password}`).toString('base64') },
    ]),
  );
  writeFileSync(join(dir, 'config.json'), JSON.stringify({ auths }));
  return dir;
}

/** The digest of what a tag names, as crane reads it. */
export async function digestByCrane(reference: string, config: string): Promise<string> {
  const env = { PATH: '/usr/bin:/bin', HOME: config, DOCKER_CONFIG: config };
  return (await run(tool('crane'), ['digest', '--insecure', reference], { env })).trim();
}

/** A manifest, index or image config as crane reads it. */
export async function readByCrane(
  what: 'manifest' | 'config',
  reference: string,
  config: string,
): Promise<string> {
  const env = { PATH: '/usr/bin:/bin', HOME: config, DOCKER_CONFIG: config };
  return run(tool('crane'), [what, '--insecure', reference], { env });
}

/** The digest of what a tag names, of the bytes that skopeo reads. */
export async function digestBySkopeo(reference: string, config: string): Promise<string> {
  const authfile = join(config, 'config.json');
  const manifest = await run('skopeo', [
    ...['inspect', '--raw', '--tls-verify=false', '--authfile', authfile, `docker://${reference}`],
  ]);
  return `sha256:${createHash('sha256').update(manifest).digest('hex')}`;
}

/** Pulls and unpacks one platform of an image into containerd; hands back the tag's digest. */
export async function pullByContainerd(
  reference: string,
  platform: string,
  registry: Registry,
  { containerdSocket }: Pick<Dockerd, 'containerdSocket'>,
): Promise<string> {
  const ctr = ['--address', containerdSocket, '--namespace', 'e2e', 'images'];
  const user = `${registry.username}:${registry.password}`;
  const flags = ['--plain-http', '--platform', platform, '--user', user];
  await run('ctr', [...ctr, 'pull', ...flags, reference]);
  const listed = await run('ctr', [...ctr, 'list', `name==${reference}`]);
  // The next pull, of the other platform or from the next region, has to fetch all of it again.
  await run('ctr', [...ctr, 'remove', '--sync', reference]);
  const digest = /sha256:[0-9a-f]{64}/.exec(listed)?.[0];
  if (digest === undefined) throw new Error(`containerd does not list ${reference}\n${listed}`);
  return digest;
}

/** What a container of the web image says. */
export interface WebAnswer {
  /** The digest of the tag, as dockerd resolved it. */
  digest: string;
  /** The running container's `uname -m`. */
  machine: string;
  /** The `uname -m` of the RUN step that built the image. */
  builtOn: string;
}

/** Has dockerd pull one platform of the web image and run it, and asks the server in it. */
export async function runByDocker(
  reference: string,
  platform: string,
  config: string,
  { socket }: Pick<Dockerd, 'socket'>,
): Promise<WebAnswer> {
  const env = { PATH: '/usr/bin:/bin', HOME: config, DOCKER_CONFIG: config, DOCKER_HOST: `unix://${socket}` };
  const pulled = await docker(env, 'pull', '--platform', platform, reference);
  const digest = /^Digest: (sha256:[0-9a-f]{64})$/m.exec(pulled)?.[1];
  if (digest === undefined) throw new Error(`docker pull names no digest\n${pulled}`);
  const container = (
    await docker(env, 'run', '--detach', '--publish', '127.0.0.1::80', '--platform', platform, reference)
  ).trim();
  try {
    const address = (await docker(env, 'port', container, '80/tcp')).trim();
    const machine = await page(`http://${address}/`);
    return { digest, machine, builtOn: await page(`http://${address}/built-on`) };
  } catch (error) {
    const { stdout, stderr } = await attempt(tool('docker'), ['logs', container], { env });
    throw new Error(`${reference} for ${platform} does not answer\n${stdout}${stderr}`, { cause: error });
  } finally {
    await docker(env, 'rm', '--force', container);
    // The next pull, of the other platform or from the next region, has to fetch all of it again.
    await docker(env, 'rmi', '--force', reference);
  }
}

function docker(env: Environment, ...args: string[]): Promise<string> {
  return run(tool('docker'), args, { env });
}

/** Reads a page of a server that may still be starting. */
async function page(url: string): Promise<string> {
  for (let tries = 1; ; tries += 1) {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
      return (await response.text()).trim();
    } catch (error) {
      if (tries === 100) throw error;
      await sleep(100);
    }
  }
}
