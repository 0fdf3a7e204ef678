import { copyFile, mkdtemp, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import * as z from 'zod/mini';

const FILE = 'config.json';

const settingsSchema = z.looseObject({
  auths: z._default(
    z.record(
      z.string(),
      z.looseObject({ auth: z.optional(z.string()), identitytoken: z.optional(z.string()) }),
    ),
    {},
  ),
  credsStore: z.optional(z.string()),
  credHelpers: z._default(z.record(z.string(), z.string()), {}),
});

/** Docker's settings, as far as they say which logins there are, with all else that they have. */
type DockerSettings = z.infer<typeof settingsSchema>;

function folderOf({ DOCKER_CONFIG }: NodeJS.ProcessEnv): string {
  return DOCKER_CONFIG || join(homedir(), '.docker');
}

/**
 * Reads docker's settings. A file that is not there, or is empty, says nothing.
 * @param environment for DOCKER_CONFIG, the folder of them
 * @throws Error when they cannot be read, without a word of what is in them: it is secret
 */
export async function readDockerSettings(environment: NodeJS.ProcessEnv): Promise<DockerSettings> {
  const file = join(folderOf(environment), FILE);
  try {
    const text = await readFile(file, 'utf8');
    return z.parse(settingsSchema, JSON.parse(text.trim() || '{}'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      return z.parse(settingsSchema, {});
    throw new Error(
      `docker's settings, "${file}", cannot be read: mend the file, or log in to the registry anew`,
    );
  }
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
  const usual = resolve(folderOf(environment));
  return async (logins) => {
    const dir = await mkdtemp(join(tempDir, 'docker-'));
    const names = await readdir(usual).catch(() => []);
    for (const name of names.filter((each) => each !== FILE)) await share(join(usual, name), join(dir, name));
    const settings = await readDockerSettings(environment);
    const auths = Object.fromEntries([...logins].map(([host, auth]) => [host, { auth }]));
    // A helper that keeps all logins would be asked for these, too, but for hosts that have one of their own: none.
    const helpers = Object.fromEntries([...logins.keys()].map((host) => [host, '']));
    const text = JSON.stringify({
      ...settings,
      auths: { ...settings.auths, ...auths },
      credHelpers: { ...settings.credHelpers, ...helpers },
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
