import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createRemoteBuilder, startBuildkitd } from '../../__tests__/e2e/engines/buildkitd.ts';
import { type Environment, run } from '../../__tests__/e2e/engines/process.ts';
import { tool, toolEnvironment } from '../../__tests__/e2e/engines/tools.ts';
import { namedContexts } from './image.ts';

export const PLATFORMS = 'linux/amd64,linux/arm64';
export const REPOSITORY = 'team/app';

/** A BuildKit on the host's network, as the only builder of a docker configuration of its own. */
export interface Builder {
  readonly name: string;
  /** For `docker buildx`, and for the action, which runs it. */
  readonly environment: Environment;
  /** Builds a context and leaves the image as an OCI layout; after that the builder has it, layers compressed. */
  exportTo(layout: string, context: string): Promise<void>;
  /** Has the builder forget all it has built. */
  prune(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts BuildKit with all its state below `dir`, whose path is short: that of a socket has 107 characters. */
export async function startBuilder(dir: string): Promise<Builder> {
  const name = 'bench';
  const environment = toolEnvironment(join(dir, 'home'));
  await mkdir(environment.DOCKER_CONFIG ?? dir, { recursive: true });
  const buildkitd = await startBuildkitd(join(dir, 'buildkit'));
  const buildx = (...args: string[]) => run(tool('docker'), ['buildx', ...args], { env: environment });
  try {
    await createRemoteBuilder(name, buildkitd.endpoint, environment);
    await buildx('use', name);
  } catch (error) {
    await buildkitd.stop();
    throw error;
  }
  return {
    name,
    environment,
    async exportTo(layout, context) {
      await rm(layout, { recursive: true, force: true });
      await buildx(...buildArguments(`type=oci,tar=false,oci-mediatypes=true,dest=${layout}`, context));
    },
    async prune() {
      await buildx('prune', '--all', '--force', '--builder', name);
    },
    stop: () => buildkitd.stop(),
  };
}

/** What follows `docker buildx`, the same for all who build; what they differ in is where the image goes. */
export function buildArguments(output: string, context: string): string[] {
  // Provenance tells the time of the build: with it no two builds give the same image, and nothing would ever be "nothing new".
  const named = namedContexts(context).flatMap((each) => ['--build-context', each]);
  return ['build', '--platform', PLATFORMS, '--provenance=false', ...named, '--output', output, context];
}
