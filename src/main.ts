import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lazyTransport } from './distribution/lazyTransport.ts';
import { DEFAULT_RETRY } from './distribution/retry.ts';
import { BlobStore } from './distribution/server/blobStore.ts';
import { createApis } from './ecr/apis.ts';
import { DEFAULT_PATIENCE } from './ecr/patience.ts';
import { untilCancelled } from './github/cancel.ts';
import { readContext } from './github/context.ts';
import { runnerDocker } from './github/docker.ts';
import { dockerConfigs } from './github/dockerConfig.ts';
import { dockerLogins } from './github/dockerLogins.ts';
import { artifactLegs } from './github/legs.ts';
import { logLine } from './github/lines.ts';
import { createProgress } from './github/progress.ts';
import { readProxy } from './github/proxy.ts';
import { type Toolkit, tellFailure, tellOutcome, tellPlan } from './github/tell.ts';
import { type Inputs, parseInputs } from './inputs/inputs.ts';
import type { Access } from './inputs/target.ts';
import { runBuild } from './modes/build.ts';
import { runMirror } from './modes/mirror.ts';
import { planJobs } from './modes/plan.ts';
import type { Log, Outcome, RunContext, Services } from './modes/services.ts';
import { runStitch } from './modes/stitch.ts';
import { Problems } from './problems.ts';
import { UnfinishedError } from './release/late.ts';
import type { Interruption } from './release/plan.ts';
import { isDone } from './release/result.ts';
import { withinTime } from './timeout.ts';
import { UnderWay } from './underWay.ts';

const USER_AGENT = 'ecr-multiarch/1.0.0';
const CONNECTIONS_PER_ORIGIN = 16;

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
    let ending: Ending = 'ended';
    await untilCancelled(
      process,
      async (cancellation) => {
        ending = await runInputs(core, environment, tempDir, cancellation);
      },
      {
        giveUp: () => tellFailure(core, environment, new UnfinishedError('the step was cancelled')),
        cleanUp: () => rmSync(tempDir, { recursive: true, force: true, maxRetries: 3 }),
      },
    );
    return ending;
  } catch (error) {
    await tellFailure(core, environment, error);
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
    tellPlan(core, environment, planJobs(parsed.inputs));
    return 'ended';
  }
  const { inputs, access, timeout } = parsed;
  const run = await readContext(environment, tempDir);
  const underWay = new UnderWay();
  const services = createServices(core, environment, run, access, underWay);
  const tellWhere = () => {
    const { words } = underWay;
    if (words) services.log.info(`Under way when the step had to end: ${words}`);
  };
  cancellation.signal.addEventListener('abort', tellWhere, { once: true });
  try {
    const outcome = await withinTime(
      timeout,
      cancellation,
      (interruption) => runMode(inputs, { ...services, cancellation: interruption }),
      { underWay },
    );
    await tellOutcome(core, environment, inputs, outcome);
    // What failed may have been given up, with calls that are still waited for.
    return outcome.results.every(isDone) && !outcome.problems ? 'ended' : 'given up';
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
  underWay: UnderWay,
): Omit<Services, 'cancellation'> & { close(): Promise<void> } {
  const log: Log = {
    info: (message) => core.info(logLine(message)),
    warn: (message) => core.warning(logLine(message)),
    group: (title, step) =>
      underWay.during(
        () => title,
        () => core.group(title, step),
      ),
    during: (what, step) => underWay.during(what, step),
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
