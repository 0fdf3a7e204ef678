import { ECRClient, GetAuthorizationTokenCommand, ListImagesCommand } from '@aws-sdk/client-ecr';
import { type Emulator, type EmulatorOptions, startEmulator } from '../../../emulator/emulator.ts';
import { type ArtifactService, startArtifactService } from '../../../emulator/github/artifactService.ts';
import type { Environment } from '../engines/process.ts';
import { loginConfig, type Registry } from '../engines/readers.ts';

const ACCESS_KEY = 'AKIAE2E0000000000000';
const SECRET_KEY = 'e2e-secret-access-key-that-no-log-may-show';

/** A region's registry, with who may pull. */
export interface RegionRegistry extends Registry {
  region: string;
}

/** AWS and GitHub in a box, with a docker configuration that is logged in to every region. */
export interface Cloud {
  readonly emulator: Emulator;
  readonly artifacts: ArtifactService;
  readonly registries: readonly RegionRegistry[];
  /** The folder of the docker configuration. */
  readonly config: string;
  close(): Promise<void>;
}

export type CloudOptions = Partial<Pick<EmulatorOptions, 'roles' | 'behaviour'>>;

/**
 * Starts ECR in these regions, and the artifact service.
 * @param dir a folder of this cloud's own
 * @param repositories those that are there from the start, in every region
 * @param options the roles that can be assumed, and how ECR behaves
 */
export async function startCloud(
  dir: string,
  regions: readonly string[],
  repositories: readonly string[] = [],
  options: CloudOptions = {},
): Promise<Cloud> {
  const emulator = await startEmulator({ regions, repositories, ...options });
  const artifacts = await startArtifactService();
  const registries = await Promise.all(regions.map((region) => logIn(emulator, region)));
  return {
    emulator,
    artifacts,
    registries,
    config: loginConfig(dir, registries),
    async close() {
      await Promise.all([emulator.close(), artifacts.close()]);
    },
  };
}

async function logIn(emulator: Emulator, region: string): Promise<RegionRegistry> {
  const client = ecrClient(emulator, region);
  const { authorizationData } = await client.send(new GetAuthorizationTokenCommand({}));
  client.destroy();
  const token = Buffer.from(authorizationData?.[0]?.authorizationToken ?? '', 'base64').toString();
  const [username = '', password = ''] = token.split(':');
  return { region, host: new URL(emulator.url(region)).host, username, password };
}

function ecrClient({ endpoint }: Emulator, region: string): ECRClient {
  const credentials = { accessKeyId: ACCESS_KEY, secretAccessKey: SECRET_KEY };
  return new ECRClient({ endpoint, region, credentials });
}

/** Where an AWS tool finds this cloud. */
export function endpointOf({ emulator }: Cloud): Environment {
  return {
    AWS_ENDPOINT_URL_ECR: emulator.endpoint,
    AWS_ENDPOINT_URL_STS: emulator.endpoint,
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}

/** The credentials, as the stand-in for configure-aws-credentials takes them. */
export const CREDENTIALS_OF_STUB: Environment = {
  E2E_AWS_ACCESS_KEY_ID: ACCESS_KEY,
  E2E_AWS_SECRET_ACCESS_KEY: SECRET_KEY,
};

/** The credentials, as AWS' tools take them. */
export const CREDENTIALS: Environment = {
  AWS_ACCESS_KEY_ID: ACCESS_KEY,
  AWS_SECRET_ACCESS_KEY: SECRET_KEY,
};

/**
 * What no log may show: the credentials' secret part, and how every token of this cloud begins, in the form in which
 * ECR gives it out as well as in the one in which tools take it as a password.
 */
export function secretsOf({ registries }: Cloud): string[] {
  const beginnings = registries.flatMap(({ username, password }) => {
    const token = Buffer.from(`${username}:${password}`).toString('base64');
    return [password.slice(0, 24), token.slice(0, 24)];
  });
  return [...new Set([SECRET_KEY, ...beginnings])];
}

/** The tags and the digests that a repository has in every region. */
export async function contentsOf(
  { emulator, registries }: Cloud,
  repositoryName: string,
): Promise<{ region: string; tags: string[]; digests: string[] }[]> {
  return Promise.all(
    registries.map(async ({ region }) => {
      const client = ecrClient(emulator, region);
      const { imageIds = [] } = await client.send(new ListImagesCommand({ repositoryName }));
      client.destroy();
      return {
        region,
        tags: imageIds.flatMap(({ imageTag }) => imageTag ?? []).toSorted(),
        digests: [...new Set(imageIds.flatMap(({ imageDigest }) => imageDigest ?? []))].toSorted(),
      };
    }),
  );
}
