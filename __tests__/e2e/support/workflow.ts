import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type JobRun, runWorkflow, type WorkflowResult, type WorkflowRun } from '../engines/act.ts';
import type { Environment } from '../engines/process.ts';
import { type Cloud, CREDENTIALS, CREDENTIALS_OF_STUB, endpointOf } from './cloud.ts';
import type { Engines } from './engines.ts';

/** As the examples name the action. */
const ACTION = 'org/ecr-multiarch@v1';

/** What a workflow runs with. */
export interface Setting {
  readonly engines: Engines;
  readonly cloud: Cloud;
  /** The repository that the workflow is for. A git work tree. */
  readonly workspace: string;
  /** Of this run alone: it tells runs of one cloud apart, and names the logs. Digits, as GitHub has it. */
  readonly runId: string;
}

/**
 * Runs a workflow file, as a push to a public repository starts it.
 * @param builder the one that setup-buildx-action gives the jobs
 * @param ref what was pushed, `refs/tags/v1` for instance
 */
export async function push(
  setting: Setting,
  { workflow, builder, ref }: { workflow: string; builder: string; ref: string },
): Promise<WorkflowResult> {
  // Every job has to assume the role that the workflow names.
  const role = /^ {2}ROLE: (\S+)$/m.exec(readFileSync(workflow, 'utf8'))?.[1];
  if (role === undefined) throw new Error(`${workflow} names no ROLE`);
  const env = { ...CREDENTIALS_OF_STUB, E2E_BUILDER: builder, E2E_AWS_ROLE: role };
  return runWithAct(setting, workflow, ref, env);
}

/** A job that checks the repository out, and then has the action as its only step. */
export interface ActionJob {
  readonly inputs: Readonly<Record<string, string>>;
  readonly needs?: string;
  readonly env?: Environment;
}

/** Runs jobs that there is no workflow file for. */
export async function runJobs(
  setting: Setting,
  jobs: Readonly<Record<string, ActionJob>>,
): Promise<WorkflowResult> {
  const dir = join(setting.engines.dir, `${setting.runId}-workflow`);
  mkdirSync(dir);
  const workflow = join(dir, 'workflow.yml');
  const described = Object.entries(jobs).map(([name, { inputs, ...job }]) => [
    name,
    {
      'runs-on': 'ubuntu-24.04',
      ...job,
      steps: [{ uses: 'actions/checkout@v5' }, { uses: ACTION, with: inputs }],
    },
  ]);
  // All JSON is YAML.
  writeFileSync(workflow, JSON.stringify({ name: 'Jobs', on: 'push', jobs: Object.fromEntries(described) }));
  return runWithAct(setting, workflow, 'refs/heads/main', { ...CREDENTIALS, AWS_REGION: 'us-east-1' });
}

/**
 * Runs a workflow file with an environment of one's own.
 * @param ref what was pushed, or `refs/pull/7/merge` for a pull request from a fork
 * @param action the folder that has the action
 */
export async function runWithAct(
  { engines, cloud, workspace, runId }: Setting,
  workflow: string,
  ref: string,
  env: Environment,
  action = engines.action,
): Promise<WorkflowResult> {
  return runWorkflow({
    workflow,
    workspace,
    dir: join(engines.dir, runId),
    ...eventAt(ref),
    env: {
      ...engines.environment,
      ...endpointOf(cloud),
      ...env,
      ACTIONS_RESULTS_URL: cloud.artifacts.url,
      ACTIONS_RUNTIME_TOKEN: cloud.artifacts.token(runId, 'job'),
      GITHUB_RUN_ID: runId,
      GITHUB_RUN_ATTEMPT: '1',
    },
    localRepositories: { [ACTION]: action },
    nodeDir: dirname(process.execPath),
    logFile: join(engines.logs, `${runId}.log`),
  });
}

/** The number of the pull request whose merge a ref is, if it is one. */
export function pullRequestAt(ref: string): string | undefined {
  return /^refs\/pull\/(\d+)\/merge$/.exec(ref)?.[1];
}

function eventAt(ref: string): Pick<WorkflowRun, 'event' | 'payload'> {
  const repository = { full_name: 'shop/web', name: 'web', owner: { login: 'shop' }, private: false };
  const number = pullRequestAt(ref);
  if (number === undefined) return { event: 'push', payload: { ref, repository } };
  const head = { ref: 'change', repo: { full_name: 'guest/web', fork: true } };
  const base = { ref: 'main', repo: repository };
  return {
    event: 'pull_request',
    payload: { number: Number(number), pull_request: { number: Number(number), head, base }, repository },
  };
}

/**
 * The job of that name, as the file names it of the workflow or of one that it calls.
 * @throws with the log when the run has no such job
 */
export function jobOf({ jobs, output }: WorkflowResult, name: string): JobRun {
  const job = jobs.find((each) => each.name.replace(/-\d+$/, '').endsWith(`/${name}`));
  if (!job) throw new Error(`the run has no job "${name}"\n${output}`);
  return job;
}

/**
 * Hands a run back if it succeeded.
 * @throws with the log if it failed
 */
export function succeeded(run: WorkflowResult): WorkflowResult {
  if (run.code !== 0) throw new Error(`the workflow failed with exit code ${run.code}\n${run.output}`);
  return run;
}
