import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll } from '@jest/globals';
import { type OidcService, startOidcService } from '../../../emulator/github/oidcService.ts';
import { commitAll, type WorkflowResult } from '../engines/act.ts';
import { run } from '../engines/process.ts';
import { toolEnvironment } from '../engines/tools.ts';
import { CREDENTIALS_OF_STUB } from './cloud.ts';
import { engines } from './engines.ts';
import { pullRequestAt, runWithAct, type Setting } from './workflow.ts';

const REPOSITORY = 'org/ecr-multiarch';
const FILE = '.github/workflows/multiarch.yml';
const SUBJECT = 'repo:shop/web:ref:refs/heads/main';

/** The role that the examples name, as whoever lets GitHub's tokens assume it describes it. */
export const ROLE = 'arn:aws:iam::123456789012:role/publish-images';
export const ROLES = { [ROLE]: { trust: [{ audience: 'sts.amazonaws.com', subject: SUBJECT }] } };

interface Calling {
  /** The action's repository at a version, for act. */
  readonly action: string;
  /** Git repositories by their names, for the stand-in for actions/checkout. */
  readonly repositories: string;
  readonly oidc: OidcService;
}

/** A run of a workflow that calls ours. */
export interface Call {
  /** The caller's file, or the inputs and secrets of a caller that there is no file for. */
  readonly workflow: string | { readonly with: Readonly<Record<string, unknown>>; readonly secrets?: object };
  readonly builder: string;
  /** What was pushed, `refs/heads/main` for instance, or `refs/pull/7/merge` for a pull request from a fork. */
  readonly ref: string;
}

/**
 * Lets a suite run workflows that call ours, of which GitHub gives the jobs OIDC tokens and nothing else, and not even those
 * where a pull request comes from a fork.
 * @param name of this suite alone
 */
export function caller(name: string): (setting: Setting, call: Call) => Promise<WorkflowResult> {
  let calling: Calling | undefined;
  beforeAll(async () => {
    const dir = join(engines().dir, `${name}-action`);
    calling = { ...(await makeRepository(dir)), oidc: await startOidcService({ subject: SUBJECT }) };
  });
  afterAll(() => calling?.oidc.close());
  return async (setting, { workflow, builder, ref }) => {
    if (!calling) throw new Error('the action has no repository');
    const { action, repositories, oidc } = calling;
    const file = typeof workflow === 'string' ? workflow : writeCaller(setting, workflow);
    const env = {
      ...(pullRequestAt(ref) === undefined && {
        ...CREDENTIALS_OF_STUB,
        ACTIONS_ID_TOKEN_REQUEST_URL: oidc.url,
        ACTIONS_ID_TOKEN_REQUEST_TOKEN: oidc.requestToken,
        E2E_AWS_ROLE: ROLE,
      }),
      // What a job logs docker in to, no other run has to do with.
      DOCKER_CONFIG: toolEnvironment(join(engines().dir, `${setting.runId}-docker`)).DOCKER_CONFIG ?? '',
      E2E_BUILDER: builder,
      E2E_REPOSITORIES: repositories,
      E2E_SOURCE: setting.workspace,
    };
    return runWithAct(setting, file, ref, env, action);
  };
}

/** Makes the action's repository, and what act reads the reusable workflow from. */
async function makeRepository(dir: string): Promise<Omit<Calling, 'oidc'>> {
  const repositories = join(dir, 'repositories');
  const repository = join(repositories, REPOSITORY);
  cpSync(engines().action, repository, { recursive: true });
  mkdirSync(join(repository, '.github/workflows'), { recursive: true });
  const text = readFileSync(fileURLToPath(new URL(`../../../${FILE}`, import.meta.url)), 'utf8');
  writeFileSync(join(repository, FILE), text);
  await commitAll(repository);
  const sha = (await run('git', ['-C', repository, 'rev-parse', 'HEAD'])).trim();
  const action = join(dir, 'for-act');
  cpSync(engines().action, action, { recursive: true });
  mkdirSync(join(action, '.github/workflows'), { recursive: true });
  writeFileSync(join(action, FILE), asActTakesIt(text, sha));
  return { action, repositories };
}

/** What GitHub knows and act does not: whose a called workflow's jobs are, and that more than one may wait in a group. */
function asActTakesIt(text: string, sha: string): string {
  const changes: [string, string][] = [
    ['job.workflow_repository', `'${REPOSITORY}'`],
    ['job.workflow_sha', `'${sha}'`],
    ['      queue: max\n', ''],
  ];
  return changes.reduce((changed, [from, to]) => {
    if (!changed.includes(from)) throw new Error(`${FILE} has no ${from.trim()}`);
    return changed.replaceAll(from, to);
  }, text);
}

function writeCaller({ engines: { dir }, runId }: Setting, call: Exclude<Call['workflow'], string>): string {
  const file = join(dir, `${runId}-caller.yml`);
  const jobs = { publish: { uses: `${REPOSITORY}/${FILE}@v1`, ...call } };
  // All JSON is YAML.
  writeFileSync(file, JSON.stringify({ name: 'Publish', on: ['push', 'pull_request'], jobs }, null, 2));
  return file;
}
