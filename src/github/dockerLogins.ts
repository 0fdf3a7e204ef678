import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import * as z from 'zod/mini';
import { safeJson } from '../distribution/errors.ts';
import { readDockerSettings } from './dockerConfig.ts';

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
  return async (registry) => {
    const settings = await readDockerSettings(environment);
    const names =
      registry === 'registry-1.docker.io' ? [HUB, 'docker.io'] : [registry, `https://${registry}`];
    for (const name of names) {
      const helper = settings.credHelpers[name] ?? settings.credsStore;
      // An identity token is no password, and what stands beside it has none.
      const { auth, identitytoken } = settings.auths[name] ?? {};
      const login = (helper && (await askHelper(helper, name))) || (identitytoken ? undefined : auth);
      if (login) return login;
    }
    return undefined;
  };
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
