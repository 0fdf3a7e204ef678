import { type Emulator, type EmulatorOptions, startEmulator } from '../../emulator/emulator.ts';
import type { RecordedRequest } from '../../emulator/traffic.ts';
import { createEcrApi } from '../../src/ecr/api.ts';
import { type EcrTarget, openDestinations } from '../../src/ecr/destinations.ts';
import type { Destination } from '../../src/release/content.ts';
import { atEnd } from './ends.ts';
import { NO_AWS, setEnvironment } from './environment.ts';
import { EAGER, openTransport } from './server.ts';

export const REGIONS = ['us-east-1', 'eu-west-1', 'sa-east-1'];
export const REPOSITORY = 'team/app';

/** Starts ECR in a box and leads the SDK to it, until the test has ended. */
export async function emulate(options: Partial<EmulatorOptions> = {}): Promise<Emulator> {
  const emulator = await startEmulator({ regions: REGIONS, repositories: [REPOSITORY], ...options });
  atEnd(() => emulator.close());
  setEnvironment({
    ...NO_AWS,
    AWS_ACCESS_KEY_ID: 'AKIDTEST',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_ENDPOINT_URL_ECR: emulator.endpoint,
  });
  return emulator;
}

const TARGET: EcrTarget = {
  repository: REPOSITORY,
  regions: REGIONS,
  account: undefined,
  registryEndpoint: undefined,
  apiOverridden: true,
  createRepository: false,
};

/** Opens the repository in the emulator's regions, as the action does. */
export async function openEmulated(
  target: Partial<EcrTarget> = {},
  mask: (secret: string) => void = () => undefined,
): Promise<readonly Destination[]> {
  const { destinations, createMissing } = await openDestinations(
    { ...TARGET, ...target },
    {
      transport: openTransport(),
      retry: EAGER,
      createApi: (region) => createEcrApi({ region, userAgent: 'test' }),
      mask,
      log: { info() {} },
    },
  );
  await createMissing();
  return destinations;
}

/** How many of the requests do this: `PUT manifests`, or an operation of the JSON API. */
export function countOf(requests: readonly RecordedRequest[], what: string, region?: string): number {
  return requests.filter((request) => {
    if (region !== undefined && request.region !== region) return false;
    const { method, path, operation } = request;
    return operation === what || what === `${method} ${path.split('/').at(-2) ?? ''}`;
  }).length;
}
