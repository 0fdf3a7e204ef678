import { copyFile, mkdtemp, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import * as z from 'zod/mini';

const FILE = 'config.json';

const configSchema = z.looseObject({
  auths: z._default(z.record(z.string(), z.unknown()), {}),
  credHelpers: z._default(z.record(z.string(), z.string()), {}),
});

/** The folder of docker's settings. */
export function dockerFolder({ DOCKER_CONFIG }: NodeJS.ProcessEnv): string {
  return DOCKER_CONFIG || join(homedir(), '.docker');
}

/**
 * Makes folders of docker's settings with more logins, for a command that is run with one: `docker login` would leave its
 * logins to everybody who runs on this machine, and jobs that share it would log each other out. All else in the folder, such
 * as builders and plugins, is the usual folder's own.
 * https://docs.docker.com/reference/cli/docker/#docker-cli-configuration-file-configjson-properties
 * @param tempDir a folder of this run's own, which is removed with all that is in it
 */
export function dockerConfigs(
  environment: NodeJS.ProcessEnv,
  tempDir: string,
): (logins: ReadonlyMap<string, string>) => Promise<string> {
  const usual = resolve(dockerFolder(environment));
  return async (logins) => {
    const dir = await mkdtemp(join(tempDir, 'docker-'));
    const names = await readdir(usual).catch(() => []);
    for (const name of names.filter((each) => each !== FILE)) await share(join(usual, name), join(dir, name));
    const config = await readSettings(join(usual, FILE));
    const auths = Object.fromEntries([...logins].map(([host, auth]) => [host, { auth }]));
    // A helper that keeps all logins would be asked for these, too, but for hosts that have one of their own: none.
    const helpers = Object.fromEntries([...logins.keys()].map((host) => [host, '']));
    const text = JSON.stringify({
      ...config,
      auths: { ...config.auths, ...auths },
      credHelpers: { ...config.credHelpers, ...helpers },
    });
    await writeFile(join(dir, FILE), text, { mode: 0o600 });
    return dir;
  };
}

/** Windows lets everybody link to folders alone. */
async function share(from: string, to: string): Promise<void> {
  const found = await stat(from).catch(() => undefined);
  if (found?.isDirectory()) await symlink(from, to, 'junction');
  else if (found?.isFile()) await copyFile(from, to);
}

/** That settings cannot be read was told when it was asked for their logins. */
async function readSettings(file: string): Promise<z.infer<typeof configSchema>> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return z.parse(configSchema, JSON.parse(text.trim() || '{}'));
}
