import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './process.ts';
import { cacheDir } from './tools.ts';

const fixture = fileURLToPath(new URL('../fixture/web/', import.meta.url));

/** Those whose root file systems setup.sh prepares. */
const architectures = ['amd64', 'arm64'] as const;

/**
 * Makes a build context in `dir`: the web image's Dockerfile and configuration, and Debian's
 * nginx for every architecture as `rootfs/<arch>`.
 */
export async function assembleWebContext(dir: string): Promise<void> {
  mkdirSync(join(dir, 'rootfs'), { recursive: true });
  cpSync(fixture, dir, { recursive: true });
  for (const arch of architectures) {
    const source = join(cacheDir(), 'rootfs', arch);
    if (!existsSync(source)) throw new Error(`No root file system for ${arch}: run setup.sh first`);
    // `cp -a` keeps what fs.cpSync does not: owners, modes and relative links.
    await run('cp', ['-a', source, join(dir, 'rootfs', arch)]);
  }
}
