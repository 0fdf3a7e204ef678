import type { Docker } from '../../src/buildx/docker.ts';
import { BlobStore } from '../../src/distribution/server/blobStore.ts';
import { parsePlatform } from '../../src/image/platform.ts';
import { placesIn } from '../../src/inputs/destinations.ts';
import type { BuildInputs, ImageBuild, LayoutImage } from '../../src/inputs/inputs.ts';
import type { Target } from '../../src/inputs/target.ts';
import type { Outcome, RunContext, Services } from '../../src/modes/services.ts';
import type { Leg } from '../../src/release/leg.ts';
import { optionsOf } from '../buildx/options.ts';
import { APIS, REGIONS, REPOSITORY, SWIFT } from './emulated.ts';
import { makeFolder } from './folder.ts';
import { SILENT } from './memory.ts';
import { EAGER, openTransport } from './server.ts';

/** Where the tests' modes publish. */
export const EVERYWHERE: Target = {
  repository: REPOSITORY,
  places: placesIn(REGIONS, {
    repository: REPOSITORY,
    account: undefined,
    endpoints: { fips: false, dualStack: false },
  }),
  registryEndpoint: undefined,
  createRepository: false,
  settings: undefined,
  push: true,
  ifTagExists: 'fail',
  mountFrom: [],
  onRegionFailure: 'abort',
  regionTimeout: undefined,
};

/** What of an image that is to be built a test has otherwise. */
type MoreInputs = Partial<BuildInputs> & Partial<Omit<ImageBuild, 'kind'>>;

/** The inputs of a leg for one platform in every region; what is more or otherwise, the test says. */
export function buildInputs(platform: string, more: MoreInputs = {}): BuildInputs {
  const { transport = 'auto', options = optionsOf(), baseRegistries = [], ...own } = more;
  return {
    mode: 'build',
    image: { kind: 'build', transport, options, baseRegistries },
    target: EVERYWHERE,
    platforms: [parsePlatform(platform)],
    tags: [],
    legs: 'artifact',
    jobIndex: undefined,
    jobTotal: undefined,
    ...own,
  };
}

/** An image that lies in this folder. */
export function inLayout(dir: string): LayoutImage {
  return { kind: 'layout', dir };
}

const NO_DOCKER: Docker = {
  ask: async () => Promise.reject(new Error('there is no docker')),
  show: async () => Promise.reject(new Error('there is no docker')),
};

export interface TestServices extends Services {
  /** The legs that were handed over. */
  readonly left: Leg[];
  readonly masked: string[];
}

/** The collaborators of a mode, with the emulator behind them, and legs that are kept in memory. */
export async function servicesWith(
  more: Partial<Pick<Services, 'docker'>> & {
    readonly run?: Partial<RunContext>;
    readonly left?: Leg[];
  } = {},
): Promise<TestServices> {
  const left = more.left ?? [];
  const masked: string[] = [];
  return {
    left,
    masked,
    log: { info() {}, warn() {}, group: (_, step) => step(), during: (_, step) => step() },
    run: {
      runId: '7',
      runAttempt: 1,
      job: 'build',
      call: undefined,
      repositoryUrl: 'https://github.com/o/r',
      runUrl: 'https://github.com/o/r/actions/runs/7/attempts/1',
      privateRepository: false,
      noDefaultAttestations: false,
      tempDir: await makeFolder(),
      apiOverridden: true,
      publicEndpoint: undefined,
      ...more.run,
    },
    docker: more.docker ?? NO_DOCKER,
    dockerConfig: async () => Promise.reject(new Error('nobody needs a login')),
    legs: {
      save: async (leg) => void left.push(leg),
      list: async () => left,
    },
    openStore: (dir) => new BlobStore(dir),
    transport: openTransport(),
    retry: EAGER,
    observer: SILENT,
    cancellation: { signal: new AbortController().signal, hold: (work) => work() },
    patience: SWIFT,
    ...APIS,
    logins: async () => undefined,
    mask: (secret) => masked.push(secret),
  };
}

/** What became of each region. */
export function statesOf({ results }: Outcome): string[] {
  return results.map(({ state }) => state);
}
