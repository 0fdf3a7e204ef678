import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Environment } from './process.ts';

/** Where setup.sh puts what it installs. */
export function cacheDir(): string {
  const { ECR_MULTIARCH_CACHE, XDG_CACHE_HOME } = process.env;
  return ECR_MULTIARCH_CACHE || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'ecr-multiarch');
}

/** The path of a tool that setup.sh installed. */
export function tool(name: string): string {
  return join(cacheDir(), 'bin', name);
}

/**
 * An environment in which `docker`, `docker buildx` and the other tools are those that setup.sh
 * installed, with a docker configuration and buildx state of their own under `dir`, so that
 * neither the machine's own settings nor an earlier run's builders are seen or changed.
 */
export function toolEnvironment(dir: string, options: { dockerSocket?: string } = {}): Environment {
  const config = join(dir, 'docker-config');
  mkdirSync(config, { recursive: true });
  const plugins = join(config, 'cli-plugins');
  if (!existsSync(plugins)) symlinkSync(join(cacheDir(), 'docker-config', 'cli-plugins'), plugins);
  return {
    PATH: [join(cacheDir(), 'bin'), '/usr/sbin', '/usr/bin', '/sbin', '/bin'].join(':'),
    HOME: dir,
    DOCKER_CONFIG: config,
    BUILDX_CONFIG: join(config, 'buildx'),
    ...(options.dockerSocket === undefined ? {} : { DOCKER_HOST: `unix://${options.dockerSocket}` }),
  };
}
