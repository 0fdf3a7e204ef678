import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Environment, run } from './process.ts';
import { cacheDir, tool } from './tools.ts';

const image = 'ecr-multiarch-e2e/buildkit';

/**
 * Creates and boots a builder with buildx's docker-container driver, in a container on the default
 * bridge: what setup-buildx-action gives. `env` names the dockerd (DOCKER_HOST) that runs it and
 * the buildx state that knows it. BuildKit's image cannot be pulled here, so one is made of the
 * same buildkitd and Debian's runc; the driver falls back to it when its pull fails.
 */
export async function createContainerBuilder(name: string, env: Environment): Promise<void> {
  await importBuildkitImage(env);
  await run(
    tool('docker'),
    [
      ...['buildx', 'create', '--name', name, '--driver', 'docker-container'],
      ...['--driver-opt', `image=${image}`, '--bootstrap'],
    ],
    { env },
  );
}

/** Ends the builder's container and removes its cache. */
export async function removeContainerBuilder(name: string, env: Environment): Promise<void> {
  await run(tool('docker'), ['buildx', 'rm', '--force', name], { env });
}

async function importBuildkitImage(env: Environment): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'buildkit-image-'));
  const archive = join(dir, 'image.tar');
  try {
    await run('tar', ['-cf', archive, '-C', join(cacheDir(), 'rootfs', 'builder'), '.']);
    // The tools are links into the folders of their versions.
    const tools = ['-C', join(cacheDir(), 'bin'), 'buildkitd', 'buildctl'];
    await run('tar', ['-rf', archive, '--dereference', '--transform', 's,^,usr/bin/,', ...tools]);
    const changes = ['ENTRYPOINT ["buildkitd"]', 'ENV PATH=/usr/sbin:/usr/bin:/sbin:/bin'];
    await run(
      tool('docker'),
      ['import', ...changes.flatMap((change) => ['--change', change]), archive, image],
      { env },
    );
  } finally {
    rmSync(dir, { recursive: true });
  }
}
