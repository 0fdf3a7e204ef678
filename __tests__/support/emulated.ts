import { type Emulator, type EmulatorOptions, startEmulator } from '../../emulator/emulator.ts';
import type { RecordedRequest } from '../../emulator/traffic.ts';
import { createApis } from '../../src/ecr/apis.ts';
import { type OpeningOptions, openDestinations } from '../../src/ecr/destinations.ts';
import type { Patience } from '../../src/ecr/patience.ts';
import type { EcrCollaborators, EcrTarget } from '../../src/ecr/target.ts';
import { placesIn } from '../../src/inputs/destinations.ts';
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
    AWS_ENDPOINT_URL_STS: emulator.endpoint,
  });
  return emulator;
}

const TARGET: Omit<EcrTarget, 'places'> = {
  registryEndpoint: undefined,
  apiOverridden: true,
  publicEndpoint: undefined,
  createRepository: false,
  settings: undefined,
  mountFrom: [],
  onRegionFailure: 'abort',
  regionTimeout: undefined,
};

/** ECR's APIs with the credentials of the environment. */
export const APIS = createApis({
  role: undefined,
  sessionName: 'test',
  duration: undefined,
  audience: 'sts.amazonaws.com',
  oidcToken: undefined,
  proxy: {},
  environment: process.env,
  userAgent: 'test',
  mask: () => undefined,
});

/** Waits for a registry to settle, but not for long. */
export const SWIFT: Patience = { first: 5, most: 20, limit: 2_000 };

/** What the tests vary: regions of one account, or any places, and collaborators. */
interface Varied extends Partial<EcrTarget>, Partial<EcrCollaborators>, Pick<OpeningOptions, 'opened'> {
  readonly regions?: readonly string[];
  readonly account?: string;
}

/** Opens the repository in the emulator's regions, as the action does. */
export async function openEmulated({
  regions = REGIONS,
  account,
  opened,
  ...varied
}: Varied = {}): Promise<readonly Destination[]> {
  const { destinations, createMissing } = await openDestinations(
    {
      ...TARGET,
      places: placesIn(regions, {
        repository: REPOSITORY,
        account,
        endpoints: { fips: false, dualStack: false },
      }),
      ...varied,
    },
    {
      transport: openTransport(),
      retry: EAGER,
      patience: SWIFT,
      ...APIS,
      logins: async () => undefined,
      mask: () => undefined,
      log: { info() {}, warn() {} },
      ...varied,
    },
    { ...(opened && { opened }) },
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
