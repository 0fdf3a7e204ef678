import { cp, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Environment } from '../../__tests__/e2e/engines/process.ts';
import { PLATFORMS, REPOSITORY } from '../world/builder.ts';
import { namedContexts } from '../world/image.ts';
import { type Ran, timed } from './timed.ts';

/** The bundled action, ready to be run as a runner runs it. */
export interface Action {
  run(step: Step): Promise<Ran>;
}

/** Where AWS is, for a step. */
export interface Addresses {
  /** The address of ECR's API. */
  readonly apiEndpoint: string;
  /** Those of the registries, with `{region}`; without it, the API names them. */
  readonly registryEndpoint?: string;
}

export interface Step extends Addresses {
  readonly inputs: Readonly<Record<string, string>>;
  readonly env?: Environment;
  readonly watchMemory?: boolean;
  readonly expect?: readonly number[];
}

/**
 * Takes a copy of the bundle, so that a run measures one version of it from beginning to end.
 * @param source the folder of the bundle, `dist` in a checkout
 * @param environment in which `docker buildx` has its builder
 */
export async function takeAction(dir: string, source: string, environment: Environment): Promise<Action> {
  const bundle = join(dir, 'dist');
  await cp(source, bundle, { recursive: true });
  return {
    async run({ inputs, apiEndpoint, registryEndpoint = '', env, watchMemory = false, expect = [0] }) {
      const temp = await mkdtemp(join(dir, 'step-'));
      const all = { ...inputs, 'registry-endpoint': registryEndpoint };
      const variables = Object.entries(all).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]);
      try {
        return await timed({
          command: process.execPath,
          args: [...nodeOptions(), join(bundle, 'index.js')],
          env: {
            ...environment,
            RUNNER_TEMP: temp,
            RUNNER_ENVIRONMENT: 'github-hosted',
            AWS_ENDPOINT_URL_ECR: apiEndpoint,
            AWS_ACCESS_KEY_ID: 'bench',
            AWS_SECRET_ACCESS_KEY: 'bench',
            ...env,
            ...Object.fromEntries(variables),
          },
          watchMemory,
          expect,
        });
      } finally {
        await rm(temp, { recursive: true, force: true });
      }
    },
  };
}

/** `BENCH_NODE_OPTIONS` is for whoever looks where the time goes: `--cpu-prof --cpu-prof-dir=profiles`. */
function nodeOptions(): string[] {
  return (process.env.BENCH_NODE_OPTIONS ?? '').split(' ').filter(Boolean);
}

/** The inputs of a build that publishes on its own. */
export function buildInputs(
  regions: readonly string[],
  { context, tag }: { context: string; tag: string },
): Record<string, string> {
  return {
    mode: 'build',
    legs: 'none',
    repository: REPOSITORY,
    regions: regions.join(),
    platforms: PLATFORMS,
    tags: tag,
    context,
    'build-contexts': namedContexts(context).join('\n'),
    provenance: 'false',
  };
}
