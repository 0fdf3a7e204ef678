import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { commitAll } from '../engines/act.ts';
import { registerArm64 } from '../engines/binfmt.ts';
import { createRemoteBuilder, startBuildkitd } from '../engines/buildkitd.ts';
import { createContainerBuilder, removeContainerBuilder } from '../engines/containerBuilder.ts';
import { startDockerd } from '../engines/dockerd.ts';
import { toolEnvironment } from '../engines/tools.ts';
import { assembleWebContext } from '../engines/webImage.ts';

/** The builders that a run may choose from, as setup-buildx-action's users have them. */
export const BUILDERS = {
  /** A buildkitd on the host's network, behind a unix socket. */
  host: 'host',
  /** buildx's docker-container driver on the default bridge. */
  bridge: 'bridge',
  /** The docker driver: BuildKit inside of dockerd. */
  docker: 'default',
} as const;

/** The variable in which the suites find the engines that run for them. */
export const ENGINES_VARIABLE = 'E2E_ENGINES';

const enginesSchema = z.object({
  /** A folder for whatever the suites write; its path is short, for unix sockets have 107 characters. */
  dir: z.string(),
  /** What act wrote, one file a run. */
  logs: z.string(),
  /** The action as a release has it: action.yml and dist/. */
  action: z.string(),
  /** The web image's build context, all of it committed: the repository for which the examples run. */
  webContext: z.string(),
  dockerd: z.object({ socket: z.string(), containerdSocket: z.string() }),
  /** In which `docker buildx` is the one that was set up, with all builders. */
  environment: z.record(z.string(), z.string()),
});

/** What all suites share: it takes half a minute to start, and nothing that a suite does changes it. */
export type Engines = z.infer<typeof enginesSchema>;

export interface RunningEngines extends Engines {
  stop(): Promise<void>;
}

/**
 * Starts dockerd and the builders, and takes a copy of the action as it is now.
 * @param root the checkout
 * @param dir a folder of this run's own
 */
export async function startEngines(root: string, dir: string): Promise<RunningEngines> {
  const action = join(dir, 'action');
  const webContext = join(dir, 'web');
  const logs = join(dir, 'logs');
  mkdirSync(logs);
  for (const part of ['action.yml', 'dist'])
    cpSync(join(root, part), join(action, part), { recursive: true });
  await assembleWebContext(webContext);
  await commitAll(webContext);
  await registerArm64();
  const stops: (() => Promise<void>)[] = [];
  const stop = async () => {
    // A terminal's Ctrl-C has reached them too: what one of them was to do may be done or impossible by now.
    for (const each of stops.toReversed()) {
      await each().catch((error: Error) => console.error(`while stopping: ${error.message}`));
    }
  };
  try {
    const { stop: stopDockerd, ...dockerd } = await startDockerd(join(dir, 'docker'));
    stops.push(stopDockerd);
    const buildkitd = await startBuildkitd(join(dir, 'buildkit'));
    stops.push(() => buildkitd.stop());
    const environment = toolEnvironment(join(dir, 'home'), { dockerSocket: dockerd.socket });
    await createRemoteBuilder(BUILDERS.host, buildkitd.endpoint, environment);
    await createContainerBuilder(BUILDERS.bridge, environment);
    stops.push(() => removeContainerBuilder(BUILDERS.bridge, environment));
    return { dir, logs, action, webContext, dockerd, environment, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * The engines that main.ts has started.
 * @throws when jest was started without it
 */
export function engines(): Engines {
  const text = process.env[ENGINES_VARIABLE];
  if (text === undefined) throw new Error('the engines are not running: start the suites with npm run e2e');
  return z.parse(enginesSchema, JSON.parse(text));
}
