import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import { commitAll } from '../engines/act.ts';
import { cacheDir } from '../engines/tools.ts';
import { type Cloud, type CloudOptions, startCloud } from './cloud.ts';
import { engines } from './engines.ts';

/**
 * Gives a suite a cloud of its own, from before its first test to after its last one.
 * @param name of this suite alone
 * @param repositories those that are there from the start, in every region
 * @param options the roles that can be assumed, and how ECR behaves
 */
export function cloudFor(
  name: string,
  regions: string[],
  repositories: string[] = [],
  options: CloudOptions = {},
): () => Cloud {
  let cloud: Cloud | undefined;
  beforeAll(async () => {
    cloud = await startCloud(join(engines().dir, `${name}-logins`), regions, repositories, options);
  });
  afterAll(() => cloud?.close());
  return () => {
    if (!cloud) throw new Error('the cloud is not running');
    return cloud;
  };
}

/**
 * The first stage of a Dockerfile that starts from nothing: a shell with busybox's commands in it, which is all that
 * most tests need of an image.
 */
export const SHELL_STAGE = [
  'FROM scratch AS shell',
  'ARG TARGETARCH',
  'COPY --chmod=755 busybox-$TARGETARCH /bin/sh',
].join('\n');

/**
 * Makes a build context, all of it committed, for a Dockerfile that begins with {@link SHELL_STAGE}.
 * @param name of this context alone
 * @returns its folder
 */
export async function makeContext(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const dir = join(engines().dir, `${name}-context`);
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, file)), { recursive: true });
    writeFileSync(join(dir, file), text);
  }
  for (const arch of ['amd64', 'arm64']) {
    copyFileSync(join(cacheDir(), 'rootfs', arch, 'bin', 'busybox'), join(dir, `busybox-${arch}`));
  }
  await commitAll(dir);
  return dir;
}
