import { readFile } from 'node:fs/promises';
import * as z from 'zod/mini';
import type { RunContext } from '../modes/services.ts';

/** What the runner puts into the environment of a step; all of it may be absent outside of GitHub. */
const environmentSchema = z.looseObject({
  GITHUB_RUN_ID: z._default(z.string(), '0'),
  GITHUB_RUN_ATTEMPT: z._default(z.string(), '1'),
  GITHUB_JOB: z._default(z.string(), ''),
  ACTIONS_ORCHESTRATION_ID: z._default(z.string(), ''),
  GITHUB_SERVER_URL: z._default(z.string(), ''),
  GITHUB_REPOSITORY: z._default(z.string(), ''),
  GITHUB_EVENT_PATH: z._default(z.string(), ''),
  BUILDX_NO_DEFAULT_ATTESTATIONS: z._default(z.string(), ''),
  AWS_ENDPOINT_URL: z._default(z.string(), ''),
  AWS_ENDPOINT_URL_ECR: z._default(z.string(), ''),
  AWS_ENDPOINT_URL_ECR_PUBLIC: z._default(z.string(), ''),
});

const eventSchema = z.looseObject({
  repository: z.optional(z.looseObject({ private: z.optional(z.boolean()) })),
});

/**
 * Reads what the workflow run is.
 * @param tempDir a folder that exists, for this run alone
 */
export async function readContext(environment: NodeJS.ProcessEnv, tempDir: string): Promise<RunContext> {
  const read = z.parse(environmentSchema, environment);
  const onGitHub = read.GITHUB_SERVER_URL && read.GITHUB_REPOSITORY;
  const repositoryUrl = onGitHub ? `${read.GITHUB_SERVER_URL}/${read.GITHUB_REPOSITORY}` : '';
  return {
    runId: read.GITHUB_RUN_ID,
    runAttempt: Number(read.GITHUB_RUN_ATTEMPT) || 1,
    job: read.GITHUB_JOB,
    call: callOf(read.ACTIONS_ORCHESTRATION_ID, read.GITHUB_JOB),
    repositoryUrl,
    runUrl: onGitHub
      ? `${repositoryUrl}/actions/runs/${read.GITHUB_RUN_ID}/attempts/${read.GITHUB_RUN_ATTEMPT}`
      : '',
    privateRepository: await isPrivate(read.GITHUB_EVENT_PATH),
    noDefaultAttestations: /^(1|true)$/i.test(read.BUILDX_NO_DEFAULT_ATTESTATIONS),
    tempDir,
    apiOverridden: read.AWS_ENDPOINT_URL_ECR !== '' || read.AWS_ENDPOINT_URL !== '',
    publicEndpoint: read.AWS_ENDPOINT_URL_ECR_PUBLIC || undefined,
  };
}

/**
 * Where a job is among the calls of reusable workflows: its id, which is the same in each call, does not say. Runners since
 * 2.331 tell it by an id that nobody promises the form of: the run's own, the jobs that call, the job, and its place in the
 * matrix, joined by dots (https://github.com/actions/runner/pull/4178).
 * @returns the calls joined by dots, empty in none; nothing where that cannot be told
 */
function callOf(orchestrationId: string, job: string): string | undefined {
  const [, ...path] = orchestrationId.split('.');
  const position = path.indexOf(job);
  return position < 0 || path.lastIndexOf(job) !== position ? undefined : path.slice(0, position).join('.');
}

async function isPrivate(eventPath: string): Promise<boolean> {
  const event = await readFile(eventPath, 'utf8')
    .then((text): unknown => JSON.parse(text))
    .catch(() => undefined);
  return z.safeParse(eventSchema, event).data?.repository?.private ?? false;
}
