import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod/mini';
import { safeJson } from '../distribution/errors.ts';
import { dockerFolder } from './dockerConfig.ts';

const configSchema = z.looseObject({
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

const answerSchema = z.looseObject({ Username: z.string(), Secret: z.string() });

/** Docker Hub's logins are kept under its first address. */
const HUB = 'https://index.docker.io/v1/';

/**
 * The logins that `docker login`, and so docker/login-action, has left for registries.
 * https://docs.docker.com/reference/cli/docker/login/#credential-stores
 * @param environment for DOCKER_CONFIG, the folder of docker's settings
 * @returns a function that gives a registry's user and password as basic authentication has them, or nothing
 */
export function dockerLogins(
  environment: NodeJS.ProcessEnv,
): (registry: string) => Promise<string | undefined> {
  const file = join(dockerFolder(environment), 'config.json');
  return async (registry) => {
    const config = await readConfig(file);
    const names =
      registry === 'registry-1.docker.io' ? [HUB, 'docker.io'] : [registry, `https://${registry}`];
    for (const name of names) {
      const helper = config.credHelpers[name] ?? config.credsStore;
      // An identity token is no password, and what stands beside it has none.
      const { auth, identitytoken } = config.auths[name] ?? {};
      const login = (helper && (await askHelper(helper, name))) || (identitytoken ? undefined : auth);
      if (login) return login;
    }
    return undefined;
  };
}

/** A file that is not there, or is empty, says nothing. What is wrong with another is not told by its text, which is secret. */
async function readConfig(file: string): Promise<z.infer<typeof configSchema>> {
  try {
    const text = await readFile(file, 'utf8');
    return z.parse(configSchema, JSON.parse(text.trim() || '{}'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      return z.parse(configSchema, {});
    throw new Error(
      `docker's settings, "${file}", cannot be read: mend the file, or log in to the registry anew`,
    );
  }
}

/** A program that keeps logins; that it has none for a registry is no failure. */
async function askHelper(helper: string, registry: string): Promise<string | undefined> {
  const asked = promisify(execFile)(`docker-credential-${helper}`, ['get'], { timeout: 30_000 });
  asked.child.stdin?.on('error', () => undefined).end(registry);
  const answer = await asked.then(
    ({ stdout }) => z.safeParse(answerSchema, safeJson(stdout)),
    () => undefined,
  );
  if (!answer?.success) return undefined;
  const { Username, Secret } = answer.data;
  // A token of the kind that has no user cannot be used as a password.
  if (Username === '<token>') return undefined;
  return Buffer.from(`${Username}:${Secret}`).toString('base64');
}
