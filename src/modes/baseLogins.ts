import { explainFailure } from '../ecr/explain.ts';
import { loginTo, type PrivateRegistries } from '../ecr/privateRegistries.ts';
import type { ImageBuild } from '../inputs/inputs.ts';
import type { Target } from '../inputs/target.ts';
import { allOrProblems } from '../problems.ts';
import type { Services } from './services.ts';

/**
 * Gives the builder logins for the registries of ECR that base images come from, beside those that docker has. They are kept
 * from everybody else, and gone when this step ends. A registry that docker is logged in to keeps that login.
 * @returns the folder of docker's settings with these logins, or nothing when the usual ones are enough
 * @throws Problems when there is no login to be had
 */
export async function configForBases(
  { baseRegistries }: Pick<ImageBuild, 'baseRegistries'>,
  { registryEndpoint }: Pick<Target, 'registryEndpoint'>,
  registries: PrivateRegistries,
  { run, logins, dockerConfig, log }: Services,
): Promise<string | undefined> {
  const addresses = { registryEndpoint, apiOverridden: run.apiOverridden };
  const explain = (error: unknown, position: number) => {
    const registry = baseRegistries[position];
    const place = registry && ({ kind: 'private', ...registry, repository: '' } as const);
    return explainFailure(error, {
      name: 'input "base-registries"',
      repository: registry?.region ?? '',
      place,
    });
  };
  const given = await allOrProblems(
    baseRegistries.map((place) => loginTo(place, addresses, registries)),
    explain,
  );
  const missing = new Map<string, string>();
  for (const [host, basic] of given) {
    const known = (await logins(host)) !== undefined;
    log.info(`${host}: ${known ? 'docker is logged in already' : 'the builder has a login of this job'}`);
    if (!known) missing.set(host, basic);
  }
  return missing.size > 0 ? dockerConfig(missing) : undefined;
}
