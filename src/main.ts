import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as Core from '@actions/core';
import { lazyTransport } from './distribution/lazyTransport.ts';
import { DEFAULT_RETRY } from './distribution/retry.ts';
import { BlobStore } from './distribution/server/blobStore.ts';
import { createApis } from './ecr/apis.ts';
import { DEFAULT_PATIENCE } from './ecr/settling.ts';
import { untilCancelled } from './github/cancel.ts';
import { readContext } from './github/context.ts';
import { runnerDocker } from './github/docker.ts';
import { dockerConfigs } from './github/dockerConfig.ts';
import { dockerLogins } from './github/dockerLogins.ts';
import { artifactLegs } from './github/legs.ts';
import { logLine } from './github/lines.ts';
import { createProgress } from './github/progress.ts';
import { readProxy } from './github/proxy.ts';
import {
  failureSummary,
  imagesOf,
  keptLines,
  repairedLines,
  resultLine,
  summaryOf,
} from './github/report.ts';
import { shownLines } from './github/shown.ts';
import { type Inputs, parseInputs } from './inputs/inputs.ts';
import type { Access } from './inputs/target.ts';
import { runBuild } from './modes/build.ts';
import { runMirror } from './modes/mirror.ts';
import { type PlannedJob, planJobs } from './modes/plan.ts';
import type { Log, Outcome, RunContext, Services } from './modes/services.ts';
import { runStitch } from './modes/stitch.ts';
import { Problems } from './problems.ts';
import { toError } from './release/errors.ts';
import type { Interruption } from './release/plan.ts';
import { TimeLimitError, UnfinishedError } from './release/regionTimeout.ts';
import { isDone } from './release/result.ts';
import { withinTime } from './timeout.ts';

const USER_AGENT = 'ecr-multiarch/1.0.0';
const CONNECTIONS_PER_ORIGIN = 16;

type Toolkit = typeof Core;

/** How a step ended: by itself, or while something was still waited for that was given up. */
type Ending = 'ended' | 'given up';

/**
 * The whole action: reads the inputs, runs the mode, sets the outputs and the summary, and fails once with everything
 * that went wrong.
 */
export async function runAction(core: Toolkit, environment: NodeJS.ProcessEnv): Promise<Ending> {
  // Hosted runners have no role of their own: asking the metadata service for one only costs time.
  if (environment.RUNNER_ENVIRONMENT === 'github-hosted') environment.AWS_EC2_METADATA_DISABLED ??= 'true';
  // buildx holds its log back, for up to 150 ms; what is about to be pushed is read there while the builder waits.
  environment.TTY_DISPLAY_RATE ??= '20';
  try {
    const tempDir = await makeTempDir(environment);
    const removeTempDir = () => rmSync(tempDir, { recursive: true, force: true, maxRetries: 3 });
    let ending: Ending = 'ended';
    await untilCancelled(
      process,
      async (cancellation) => {
        ending = await runInputs(core, environment, tempDir, cancellation);
      },
      removeTempDir,
    );
    return ending;
  } catch (error) {
    // The group of lines in which it was given up would fold the error away.
    if (error instanceof TimeLimitError) core.endGroup();
    const heading = error instanceof UnfinishedError ? 'Nobody knows what was published' : undefined;
    await writeSummary(core, environment, failureSummary(toError(error).message, heading));
    fail(core, error);
    // What failed may have left calls behind that nobody waits for.
    return 'given up';
  }
}

async function makeTempDir({ RUNNER_TEMP }: NodeJS.ProcessEnv): Promise<string> {
  const parent = RUNNER_TEMP || tmpdir();
  return mkdtemp(join(parent, 'ecr-multiarch-')).catch((error: Error) => {
    throw new Problems([`no folder can be made in RUNNER_TEMP, "${parent}": ${error.message}`]);
  });
}

async function runInputs(
  core: Toolkit,
  environment: NodeJS.ProcessEnv,
  tempDir: string,
  cancellation: Interruption,
): Promise<Ending> {
  const parsed = await parseInputs((name) => core.getInput(name, { trimWhitespace: false }), environment);
  if (!('access' in parsed)) {
    reportPlan(core, planJobs(parsed.inputs));
    return 'ended';
  }
  const { inputs, access, timeout } = parsed;
  const run = await readContext(environment, tempDir);
  const services = createServices(core, environment, run, access);
  try {
    const outcome = await withinTime(timeout, cancellation, (interruption) =>
      runMode(inputs, { ...services, cancellation: interruption }),
    );
    await report(core, environment, inputs, outcome);
    conclude(core, inputs, outcome);
    // A region that failed may have been given up, with calls that are still waited for.
    return outcome.results.every(isDone) ? 'ended' : 'given up';
  } finally {
    await services.close();
  }
}

function runMode(inputs: Inputs, services: Services): Promise<Outcome> {
  switch (inputs.mode) {
    case 'build':
      return runBuild(inputs, services);
    case 'stitch':
      return runStitch(inputs, services);
    case 'mirror':
      return runMirror(inputs, services);
  }
}

function createServices(
  core: Toolkit,
  environment: NodeJS.ProcessEnv,
  run: RunContext,
  access: Access,
): Omit<Services, 'cancellation'> & { close(): Promise<void> } {
  const log: Log = {
    info: (message) => core.info(logLine(message)),
    warn: (message) => core.warning(logLine(message)),
    group: core.group,
  };
  const mask = (secret: string) => maskEverywhere(core, secret);
  const proxy = readProxy(environment);
  const apis = createApis({
    ...access,
    proxy,
    environment,
    userAgent: USER_AGENT,
    oidcToken: oidcToken(core, environment),
    mask,
  });
  const transport = lazyTransport(async () => {
    const { createTransport } = await import('./distribution/transport.ts');
    return createTransport({
      connections: CONNECTIONS_PER_ORIGIN,
      userAgent: USER_AGENT,
      proxy,
    });
  });
  return {
    log,
    run,
    docker: runnerDocker(process.stdout, environment),
    dockerConfig: dockerConfigs(environment, run.tempDir),
    legs: artifactLegs(async () => (await import('@actions/artifact')).default, run.tempDir),
    openStore: (dir) => new BlobStore(dir),
    transport,
    retry: DEFAULT_RETRY,
    patience: DEFAULT_PATIENCE,
    observer: createProgress(log.info),
    ...apis,
    logins: dockerLogins(environment),
    mask,
    close: async () => {
      apis.close();
      await transport.close();
    },
  };
}

/** GitHub gives tokens to jobs with `permissions: id-token: write` alone, which have these. */
function oidcToken(
  core: Toolkit,
  { ACTIONS_ID_TOKEN_REQUEST_URL, ACTIONS_ID_TOKEN_REQUEST_TOKEN }: NodeJS.ProcessEnv,
): ((audience: string) => Promise<string>) | undefined {
  if (!ACTIONS_ID_TOKEN_REQUEST_URL || !ACTIONS_ID_TOKEN_REQUEST_TOKEN) return undefined;
  return (audience) => core.getIDToken(audience);
}

/** What authenticates with user and password is both in base64, and the password may not be shown either. */
function maskEverywhere(core: Toolkit, secret: string): void {
  const decoded = Buffer.from(secret, 'base64');
  const isBasic = decoded.toString('base64') === secret && /^[ -~]+:[ -~]+$/.test(decoded.toString());
  const password = isBasic ? decoded.toString().slice(decoded.indexOf(':') + 1) : '';
  for (const text of [secret, password]) {
    if (text.trim()) core.setSecret(text);
  }
}

/** What failed in a region fails the step, unless the others are enough. */
function conclude(core: Toolkit, { target }: Inputs, outcome: Outcome): void {
  const { results } = outcome;
  if (results.every(isDone)) return;
  const problems = [...results.flatMap(({ error }) => error ?? []), ...shownLines(outcome)];
  const isEnough = target.onRegionFailure === 'warn' && results.some(isDone);
  if (!isEnough) fail(core, new Problems(problems));
  else {
    const told = problems.map((problem) => logLine(problem)).join('\n');
    core.warning(`This does not fail the step, since "on-region-failure" is "warn":\n${told}`);
  }
}

const HEADINGS: Readonly<Record<Inputs['mode'], string>> = {
  build: 'Built',
  stitch: 'Published',
  mirror: 'Mirrored',
};

function reportPlan(core: Toolkit, jobs: readonly PlannedJob[]): void {
  for (const { platform, runner, qemu } of jobs) {
    const where = typeof runner === 'string' ? runner : JSON.stringify(runner);
    core.info(logLine(`${platform} on ${where}${qemu ? `, emulating ${qemu}` : ''}`));
  }
  core.setOutput('matrix', JSON.stringify({ include: jobs }));
}

async function report(
  core: Toolkit,
  environment: NodeJS.ProcessEnv,
  inputs: Inputs,
  outcome: Outcome,
): Promise<void> {
  const { results } = outcome;
  core.setOutput('digest', outcome.digest);
  core.setOutput('images', JSON.stringify(imagesOf(outcome)));
  core.setOutput('results', JSON.stringify(results));
  core.setOutput('metadata', outcome.metadata);
  const summary = summaryOf(outcome, headingOf(inputs, outcome));
  for (const result of results) core.info(logLine(resultLine(result)));
  for (const line of [...keptLines(outcome), ...repairedLines(outcome)]) core.notice(logLine(line));
  await writeSummary(core, environment, summary);
}

function headingOf({ mode, target }: Inputs, { tags, results }: Outcome): string {
  // A build that writes tags of its own is a release as well.
  const done = tags.length > 0 && mode === 'build' ? 'Published' : HEADINGS[mode];
  const count = results.filter(isDone).length;
  if (count === results.length) return `${target.push ? done : 'Checked, not pushed:'} ${target.repository}`;
  if (!target.push) {
    return `Checked, not pushed: ${target.repository} would be refused in ${results.length - count} of ${results.length} regions`;
  }
  return count > 0
    ? `${done} in ${count} of ${results.length} regions: ${target.repository}`
    : `Not published: ${target.repository}`;
}

/** What was published is published, and what failed has to be told, with or without a summary. */
async function writeSummary(core: Toolkit, environment: NodeJS.ProcessEnv, text: string): Promise<void> {
  if (!environment.GITHUB_STEP_SUMMARY) return;
  await core.summary
    .addRaw(text, true)
    .write()
    .catch((error: Error) => core.warning(`the job's summary was not written: ${error.message}`));
}

/** Only debug logging shows where in the code an error came from. */
function fail(core: Toolkit, error: unknown): void {
  const failure = toError(error);
  core.debug(failure.stack ?? failure.message);
  if (failure.cause instanceof Error) core.debug(failure.cause.stack ?? failure.cause.message);
  core.setFailed(failure.message);
}
