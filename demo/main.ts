import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { type Emulator, startEmulator } from '../emulator/emulator.ts';
import { startArtifactService } from '../emulator/github/artifactService.ts';
import { parsePlatform } from '../src/image/platform.ts';
import { runStep, type Step, type StepResult } from './action.ts';
import { writeLayout } from './image.ts';
import { pull } from './pull.ts';

const REGIONS = ['us-east-1', 'eu-central-1', 'ap-southeast-2', 'sa-east-1'];
const PLATFORMS = ['linux/amd64', 'linux/arm64'];
const REPOSITORY = 'team/web';
const TAG = 'v1.0.0';
const RUN_ID = '4711';

/** `--verbose` shows what is in the log's groups too. */
const { values } = parseArgs({ options: { verbose: { type: 'boolean', default: false } } });

const say = (line = '') => process.stdout.write(`${line}\n`);

/** The main job on one machine: two legs at once into four regions, the stitch, and a pull from each region. */
async function demo(dir: string): Promise<void> {
  const emulator = await startEmulator({ regions: REGIONS });
  const artifacts = await startArtifactService();
  try {
    const environment = (job: string): NodeJS.ProcessEnv => ({
      ...process.env,
      AWS_ENDPOINT_URL_ECR: emulator.endpoint,
      AWS_ACCESS_KEY_ID: 'demo',
      AWS_SECRET_ACCESS_KEY: 'demo',
      ACTIONS_RESULTS_URL: artifacts.url,
      ACTIONS_RUNTIME_TOKEN: artifacts.token(RUN_ID, job),
      GITHUB_RUN_ID: RUN_ID,
      GITHUB_JOB: job,
    });
    Object.assign(process.env, environment('pull'));
    await prepare(dir);
    const building = (await hasBuildx()) ? 'built by docker buildx' : 'taken from prepared OCI layouts';
    say(`ECR in a box: ${REGIONS.join(', ')}; no AWS account is used. The image is ${building}.`);

    say('\nTwo jobs at once, one for each architecture:');
    await Promise.all(PLATFORMS.map((platform) => buildLeg(dir, platform, environment('build'), building)));
    say('\nThe last job, which needs both:');
    const stitched = await step('stitch', {
      dir: join(dir, 'stitch'),
      environment: environment('publish'),
      inputs: { ...shared(), mode: 'stitch', tags: TAG, platforms: PLATFORMS.join() },
    });
    say(`\nThe job's summary:\n\n${stitched.summary}`);
    await pullBack(emulator);
  } finally {
    await Promise.all([artifacts.close(), emulator.close()]);
  }
}

function shared(): Record<string, string> {
  return { repository: REPOSITORY, regions: REGIONS.join(), 'create-repository': 'true' };
}

/** A build context, and a layout a platform for machines without Docker. */
async function prepare(dir: string): Promise<void> {
  const context = join(dir, 'context');
  await mkdir(context);
  await writeFile(
    join(context, 'Dockerfile'),
    'FROM scratch\nARG TARGETARCH\nCOPY machine-$TARGETARCH /machine\n',
  );
  for (const platform of PLATFORMS.map(parsePlatform)) {
    await writeFile(join(context, `machine-${platform.architecture}`), `I am ${platform.architecture}\n`);
    await writeLayout(join(dir, `layout-${platform.architecture}`), platform);
  }
}

async function hasBuildx(): Promise<boolean> {
  const run = promisify(execFile);
  return Promise.all([run('docker', ['buildx', 'version']), run('docker', ['info'])]).then(
    () => true,
    () => false,
  );
}

async function buildLeg(
  dir: string,
  platform: string,
  environment: NodeJS.ProcessEnv,
  how: string,
): Promise<void> {
  const { architecture } = parsePlatform(platform);
  const source = how.startsWith('built')
    ? { context: join(dir, 'context') }
    : { 'oci-layout': join(dir, `layout-${architecture}`) };
  await step(architecture, {
    dir: join(dir, architecture),
    environment,
    inputs: { ...shared(), ...source, platforms: platform },
  });
}

async function step(name: string, options: Omit<Step, 'say' | 'folded'>): Promise<StepResult> {
  const result = await runStep({
    ...options,
    folded: !values.verbose,
    say: (line) => say(`  ${name.padEnd(6)} │ ${line}`),
  });
  if (result.code !== 0) throw new Error(`the step "${name}" failed with exit code ${result.code}`);
  return result;
}

async function pullBack(emulator: Emulator): Promise<void> {
  say(`Pulled back as ${REPOSITORY}:${TAG}, every byte held against its digest:`);
  const pulled = await Promise.all(
    REGIONS.map(async (region) => ({
      region,
      ...(await pull(emulator.url(region), region, REPOSITORY, TAG)),
    })),
  );
  for (const { region, digest, platforms, bytes } of pulled) {
    say(`  ${region.padEnd(15)} ${digest} ${platforms.join(', ')} (${bytes} bytes)`);
  }
  if (new Set(pulled.map(({ digest }) => digest)).size !== 1)
    throw new Error('the regions show different images');
  say('The same image in every region.');
}

const dir = await mkdtemp(join(tmpdir(), 'ecr-multiarch-demo-'));
const removeDir = () => rmSync(dir, { recursive: true, force: true });
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    removeDir();
    process.exit(1);
  });
}
try {
  await demo(dir);
} finally {
  removeDir();
}
