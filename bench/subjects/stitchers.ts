import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Environment } from '../../__tests__/e2e/engines/process.ts';
import { tool } from '../../__tests__/e2e/engines/tools.ts';
import { REPOSITORY } from '../world/builder.ts';
import { timed } from './timed.ts';

/** What pipelines do today: `docker manifest create` and `push`, one region after the other. */
export async function manifestLoop(
  env: Environment,
  hosts: readonly string[],
  { tag, manifestLists }: { tag: string; manifestLists: readonly string[] },
): Promise<number> {
  const lines = hosts.flatMap((host) => {
    const name = `${host}/${REPOSITORY}`;
    const images = manifestLists.map((each) => `${name}:${each}`).join(' ');
    return [
      `docker manifest create --insecure ${name}:${tag} ${images}`,
      `docker manifest push --insecure ${name}:${tag}`,
    ];
  });
  return (await timed({ command: 'bash', args: ['-ec', lines.join('\n')], env })).seconds;
}

/** One `docker buildx imagetools create` for all hosts; the images are read from the first. */
export async function imagetoolsCreate(
  env: Environment,
  hosts: readonly string[],
  { tag, digests }: { tag: string; digests: readonly string[] },
): Promise<number> {
  const tags = hosts.flatMap((host) => ['--tag', `${host}/${REPOSITORY}:${tag}`]);
  const images = digests.map((digest) => `${hosts[0]}/${REPOSITORY}@${digest}`);
  const args = ['buildx', 'imagetools', 'create', ...tags, ...images];
  return (await timed({ command: tool('docker'), args, env })).seconds;
}

/** One `regctl index create` for each host, all at once. */
export async function regctlCreate(
  dir: string,
  hosts: readonly string[],
  { tag, digests }: { tag: string; digests: readonly string[] },
): Promise<number> {
  const home = join(dir, 'regctl');
  await mkdir(home, { recursive: true });
  const env = { HOME: home, PATH: '/usr/bin:/bin' };
  const startedAt = performance.now();
  await Promise.all(
    hosts.map((host) => {
      const name = `${host}/${REPOSITORY}`;
      const references = digests.flatMap((digest) => ['--ref', `${name}@${digest}`]);
      const args = ['--host', `reg=${host},tls=disabled`, 'index', 'create', `${name}:${tag}`, ...references];
      return timed({ command: tool('regctl'), args, env });
    }),
  );
  return (performance.now() - startedAt) / 1000;
}
