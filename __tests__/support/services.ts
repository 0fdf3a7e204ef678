import type { Docker } from '../../src/buildx/docker.ts';
import { createEcrApi } from '../../src/ecr/api.ts';
import type { Target } from '../../src/inputs/inputs.ts';
import type { Outcome, RunContext, Services } from '../../src/modes/services.ts';
import type { Leg } from '../../src/release/leg.ts';
import { REGIONS, REPOSITORY } from './emulated.ts';
import { makeFolder } from './folder.ts';
import { SILENT } from './memory.ts';
import { EAGER, openTransport } from './server.ts';

/** Where the tests' modes publish. */
export const EVERYWHERE: Target = {
  repository: REPOSITORY,
  regions: REGIONS,
  account: undefined,
  registryEndpoint: undefined,
  createRepository: false,
};

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
    log: { info() {}, group: (_, step) => step() },
    run: {
      runId: '7',
      runAttempt: 1,
      job: 'build',
      repositoryUrl: 'https://github.com/o/r',
      runUrl: 'https://github.com/o/r/actions/runs/7/attempts/1',
      privateRepository: false,
      noDefaultAttestations: false,
      tempDir: await makeFolder(),
      apiOverridden: true,
      ...more.run,
    },
    docker: more.docker ?? NO_DOCKER,
    legs: {
      save: async (leg) => void left.push(leg),
      list: async () => left,
    },
    transport: openTransport(),
    retry: EAGER,
    observer: SILENT,
    createApi: (region) => createEcrApi({ region, userAgent: 'test' }),
    mask: (secret) => masked.push(secret),
  };
}

/** What became of each region. */
export function statesOf({ results }: Outcome): string[] {
  return results.map(({ state }) => state);
}
