import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as Core from '@actions/core';
import { lazyTransport } from './distribution/lazyTransport.ts';
import { DEFAULT_RETRY } from './distribution/retry.ts';
import { createEcrApi } from './ecr/api.ts';
import { untilCancelled } from './github/cancel.ts';
import { readContext } from './github/context.ts';
import { runnerDocker } from './github/docker.ts';
import { artifactLegs } from './github/legs.ts';
import { createProgress } from './github/progress.ts';
import { imagesOf, resultLine, summaryOf } from './github/report.ts';
import { type Inputs, parseInputs } from './inputs/inputs.ts';
import { runBuild } from './modes/build.ts';
import { runMirror } from './modes/mirror.ts';
import type { Log, Outcome, RunContext, Services } from './modes/services.ts';
import { runStitch } from './modes/stitch.ts';
import { Problems } from './problems.ts';
import { toError } from './release/errors.ts';
import { isDone } from './release/release.ts';

const USER_AGENT = 'ecr-multiarch/1.0.0';
const CONNECTIONS_PER_ORIGIN = 16;

type Toolkit = typeof Core;

/**
 * The whole action: reads the inputs, runs the mode, sets the outputs and the summary, and fails once with everything
 * that went wrong.
 */
export async function runAction(core: Toolkit, environment: NodeJS.ProcessEnv): Promise<void> {
  // Hosted runners have no role of their own: asking the metadata service for one only costs time.
  if (environment.RUNNER_ENVIRONMENT === 'github-hosted') environment.AWS_EC2_METADATA_DISABLED ??= 'true';
  try {
    const tempDir = await makeTempDir(environment);
    const removeTempDir = () => rmSync(tempDir, { recursive: true, force: true, maxRetries: 3 });
    await untilCancelled(process, () => runInputs(core, environment, tempDir), removeTempDir);
  } catch (error) {
    fail(core, error);
  }
}

async function makeTempDir({ RUNNER_TEMP }: NodeJS.ProcessEnv): Promise<string> {
  const parent = RUNNER_TEMP || tmpdir();
  return mkdtemp(join(parent, 'ecr-multiarch-')).catch((error: Error) => {
    throw new Problems([`no folder can be made in RUNNER_TEMP, "${parent}": ${error.message}`]);
  });
}

async function runInputs(core: Toolkit, environment: NodeJS.ProcessEnv, tempDir: string): Promise<void> {
  const inputs = await parseInputs((name) => core.getInput(name, { trimWhitespace: false }), environment);
  const services = createServices(core, environment, await readContext(environment, tempDir));
  try {
    await report(core, environment, inputs, await runMode(inputs, services));
  } finally {
    await services.transport.close();
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

function createServices(core: Toolkit, environment: NodeJS.ProcessEnv, run: RunContext): Services {
  const log: Log = { info: (message) => core.info(oneLine(message)), group: core.group };
  return {
    log,
    run,
    docker: runnerDocker(process.stdout),
    legs: artifactLegs(async () => (await import('@actions/artifact')).default, run.tempDir),
    transport: lazyTransport(async () => {
      const { createTransport } = await import('./distribution/transport.ts');
      return createTransport({
        connections: CONNECTIONS_PER_ORIGIN,
        userAgent: USER_AGENT,
        proxy: readProxy(environment),
      });
    }),
    retry: DEFAULT_RETRY,
    observer: createProgress(log.info),
    createApi: (region) => createEcrApi({ region, userAgent: USER_AGENT }),
    mask: (secret) => maskEverywhere(core, secret),
  };
}

/** Names from outside must not begin a line of their own: one that starts with "::" would be a workflow command. */
function oneLine(message: string): string {
  return message.replace(/\p{Cc}+/gu, ' ');
}

/** A token for basic authentication is a password in base64, and neither may be shown. */
function maskEverywhere(core: Toolkit, secret: string): void {
  const [, password = ''] = Buffer.from(secret, 'base64').toString().split(/^AWS:/);
  for (const text of [secret, password]) {
    if (text.trim()) core.setSecret(text);
  }
}

function readProxy(environment: NodeJS.ProcessEnv): { http?: string; https?: string; no?: string } {
  const either = (name: string) => environment[name.toLowerCase()] || environment[name];
  const [http, https, no] = [either('HTTP_PROXY'), either('HTTPS_PROXY'), either('NO_PROXY')];
  return { ...(http && { http }), ...(https && { https }), ...(no && { no }) };
}

const HEADINGS: Readonly<Record<Inputs['mode'], string>> = {
  build: 'Built',
  stitch: 'Published',
  mirror: 'Mirrored',
};

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
  const complete = results.every(isDone);
  const summary = summaryOf(
    outcome,
    `${complete ? HEADINGS[inputs.mode] : 'Not published:'} ${inputs.target.repository}`,
  );
  for (const result of results) core.info(resultLine(result));
  if (environment.GITHUB_STEP_SUMMARY) {
    // What was published is published, and what failed has to be told, with or without a summary.
    await core.summary
      .addRaw(summary, true)
      .write()
      .catch((error: Error) => core.warning(`the job's summary was not written: ${error.message}`));
  }
  if (!complete) throw new Problems(results.flatMap(({ error }) => error ?? []));
}

/** Only debug logging shows where in the code an error came from. */
function fail(core: Toolkit, error: unknown): void {
  const failure = toError(error);
  core.debug(failure.stack ?? failure.message);
  if (failure.cause instanceof Error) core.debug(failure.cause.stack ?? failure.cause.message);
  core.setFailed(failure.message);
}
