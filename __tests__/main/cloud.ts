import type { Behaviour } from '../../emulator/behaviour.ts';
import { type Emulator, type EmulatorOptions, startEmulator } from '../../emulator/emulator.ts';
import { startArtifactService } from '../../emulator/github/artifactService.ts';
import type { RecordedRequest } from '../../emulator/traffic.ts';
import { logIn } from '../emulator/support.ts';
import { atEnd } from '../support/ends.ts';
import { setEnvironment } from '../support/environment.ts';
import { makeFolder } from '../support/folder.ts';

export const REGIONS = ['us-east-1', 'eu-west-1', 'ap-southeast-2', 'sa-east-1'];
export const REPOSITORY = 'team/app';
const RUN_ID = '4711';

/** ECR and GitHub's artifacts on this machine. */
export interface TestCloud {
  readonly emulator: Emulator;
  /** The environment of a job's steps. */
  job(job: string, attempt?: number): NodeJS.ProcessEnv;
  /** What a tag shows in each region: its digest, or nothing. */
  shown(tag: string): Promise<(string | undefined)[]>;
  /** The requests by which content, manifests and tags were written or taken away. */
  writes(): RecordedRequest[];
}

export interface CloudOptions {
  readonly behaviour?: Partial<Behaviour>;
  /** Whether the repository is there, in every region. */
  readonly repository?: boolean;
  readonly fault?: EmulatorOptions['fault'];
  readonly accounts?: EmulatorOptions['accounts'];
  readonly roles?: EmulatorOptions['roles'];
}

/** Starts both until the test has ended, and puts what they need into the environment of this process. */
export async function startCloud({
  behaviour,
  repository = true,
  fault,
  accounts,
  roles,
}: CloudOptions = {}): Promise<TestCloud> {
  const emulator = await startEmulator({
    regions: REGIONS,
    repositories: repository ? [REPOSITORY] : [],
    ...(behaviour && { behaviour }),
    ...(fault && { fault }),
    ...(accounts && { accounts }),
    ...(roles && { roles }),
  });
  atEnd(() => emulator.close());
  const artifacts = await startArtifactService();
  atEnd(() => artifacts.close());
  const home = await makeFolder();
  const job: TestCloud['job'] = (name, attempt = 1) => ({
    AWS_ENDPOINT_URL_ECR: emulator.endpoint,
    AWS_ENDPOINT_URL_STS: emulator.endpoint,
    AWS_ACCESS_KEY_ID: 'AKIDTEST',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_SESSION_TOKEN: undefined,
    AWS_PROFILE: undefined,
    AWS_REGION: undefined,
    AWS_DEFAULT_REGION: undefined,
    AWS_CONFIG_FILE: `${home}/none`,
    AWS_SHARED_CREDENTIALS_FILE: `${home}/none`,
    ACTIONS_RESULTS_URL: artifacts.url,
    ACTIONS_RUNTIME_TOKEN: artifacts.token(RUN_ID, name, attempt),
    GITHUB_RUN_ID: RUN_ID,
    GITHUB_RUN_ATTEMPT: String(attempt),
    GITHUB_JOB: name,
    RUNNER_ENVIRONMENT: 'github-hosted',
  });
  setEnvironment(job('test'));
  return {
    emulator,
    job,
    shown: (tag) => Promise.all(REGIONS.map((region) => digestShown(emulator, region, tag))),
    writes: () => emulator.requests.filter(isWrite),
  };
}

function isWrite({ method, path, operation }: RecordedRequest): boolean {
  if (operation !== undefined) return /^(Put|Create|BatchDelete|Initiate|Upload|Complete)/.test(operation);
  return path.startsWith('/v2/') && !['GET', 'HEAD'].includes(method);
}

async function digestShown(emulator: Emulator, region: string, tag: string): Promise<string | undefined> {
  const registry = await logIn(emulator, region);
  const answer = await registry.call('HEAD', `/v2/${REPOSITORY}/manifests/${tag}`);
  return answer.headers.get('docker-content-digest') ?? undefined;
}
