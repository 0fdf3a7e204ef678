import { access } from 'node:fs/promises';
import type { BuildOptions } from '../buildx/arguments.ts';
import type { Transport } from '../buildx/build.ts';
import { regionProblem } from '../ecr/regions.ts';
import type { Platform } from '../image/platform.ts';
import type { Reference } from '../image/reference.ts';
import { Problems } from '../problems.ts';
import { readBuildOptions } from './build.ts';
import { readNames, tryReference } from './names.ts';
import { type GetInput, InputReader } from './reader.ts';

/** Where to publish, in every mode. */
export interface Target {
  readonly repository: string;
  readonly regions: readonly string[];
  readonly account: string | undefined;
  readonly registryEndpoint: string | undefined;
  readonly createRepository: boolean;
}

export interface BuildInputs {
  readonly mode: 'build';
  readonly target: Target;
  readonly platforms: readonly Platform[];
  readonly tags: readonly string[];
  /** `artifact`: stitch publishes what this leg built. `none`: it is published here. */
  readonly legs: 'artifact' | 'none';
  readonly transport: Transport;
  /** A folder with an image that is built already. */
  readonly ociLayout: string | undefined;
  readonly options: BuildOptions;
  /** The job's place in its matrix, where the runner tells it. */
  readonly jobIndex: number | undefined;
  readonly jobTotal: number | undefined;
}

export interface StitchInputs {
  readonly mode: 'stitch';
  readonly target: Target;
  readonly platforms: readonly Platform[];
  readonly tags: readonly string[];
  readonly annotations: Readonly<Record<string, string>>;
}

export interface MirrorInputs {
  readonly mode: 'mirror';
  readonly target: Target;
  readonly platforms: readonly Platform[];
  readonly tags: readonly string[];
  readonly source: Reference;
}

export type Inputs = BuildInputs | StitchInputs | MirrorInputs;

/** What of the environment the inputs' defaults depend on. */
export interface InputEnvironment {
  readonly AWS_REGION?: string | undefined;
  readonly AWS_DEFAULT_REGION?: string | undefined;
}

/**
 * Turns the action's inputs into what one mode needs.
 * @throws Problems with everything that is wrong, each naming the input, its value, and what to write instead
 */
export async function parseInputs(get: GetInput, environment: InputEnvironment): Promise<Inputs> {
  const reader = new InputReader(get);
  const mode = reader.oneOf('mode', ['build', 'stitch', 'mirror'], 'build');
  if (!reader.flag('push', true))
    reader.refuse('push', 'false', 'this action publishes what it builds: leave "push" out');
  const { repository, tags } = readNames(reader);
  const common = {
    target: readTarget(reader, repository, environment),
    platforms: reader.platforms('platforms'),
    tags,
  };
  const inputs = await readMode(reader, mode, common);
  if (reader.problems.length > 0 || !inputs) throw new Problems(reader.problems);
  return inputs;
}

type Common = Pick<StitchInputs, 'target' | 'platforms' | 'tags'>;

async function readMode(
  reader: InputReader,
  mode: Inputs['mode'],
  common: Common,
): Promise<Inputs | undefined> {
  switch (mode) {
    case 'build':
      return readBuild(reader, common);
    case 'stitch':
      return readStitch(reader, common);
    case 'mirror':
      return readMirror(reader, common);
  }
}

async function readBuild(reader: InputReader, common: Common): Promise<BuildInputs> {
  const legs = reader.oneOf('legs', ['artifact', 'none'], 'artifact');
  if (legs === 'artifact' && common.tags.length > 0) {
    reader.refuse(
      'tags',
      common.tags.join(', '),
      'tags belong to the step with "mode: stitch", which publishes all platforms under them; to publish this build alone, add "legs: none"',
    );
  }
  const options = readBuildOptions(reader);
  const ociLayout = reader.text('oci-layout') || undefined;
  const checked = ociLayout ? await missing('oci-layout', ociLayout) : await missingFiles(options);
  reader.problems.push(...checked);
  return {
    mode: 'build',
    ...common,
    legs,
    options,
    ociLayout,
    transport: reader.oneOf('transport', ['auto', 'registry', 'layout'], 'auto'),
    jobIndex: reader.number('job-index'),
    jobTotal: reader.number('job-total'),
  };
}

/** A local context that is not there is better told now than after tokens were asked for in every region. */
async function missingFiles({ context, file }: BuildOptions): Promise<string[]> {
  if (context === '-')
    return ['input "context": "-": a step has no standard input; write a folder or a Git URL'];
  if (/^(https?|git|ssh):\/\/|^git@|^github\.com\//.test(context)) return [];
  return [...(await missing('context', context)), ...(file ? await missing('file', file) : [])];
}

async function missing(name: string, path: string): Promise<string[]> {
  const there = await access(path).then(
    () => true,
    () => false,
  );
  const advice = name === 'context' ? ': does the job run actions/checkout before?' : '';
  return there ? [] : [`input "${name}": "${path}": there is no such file or folder${advice}`];
}

function readStitch(reader: InputReader, common: Common): StitchInputs {
  reader.oneOf('legs', ['artifact'], 'artifact');
  if (common.tags.length === 0) {
    reader.problems.push(
      'input "tags" is missing: write the tags to publish the image under, such as "latest, v1.2.3"',
    );
  }
  return { mode: 'stitch', ...common, annotations: readAnnotations(reader) };
}

/** An annotation that says what it is for: `index:key=value`, `manifest,index:key=value`. */
const LEVELLED = /^((?:(?:manifest|index)(?:-descriptor)?(?:\[[^\]]*\])?,?)+):(.*)$/s;

/** Those for the index: `key=value`, `index:key=value`. What metadata-action writes for manifests is the legs'. */
function readAnnotations(reader: InputReader): Record<string, string> {
  const entries = reader.lines('annotations').flatMap((line) => {
    const [, level, text = line] = LEVELLED.exec(line) ?? [];
    const levels = (level ?? 'index').split(',');
    const equals = text.indexOf('=');
    if (equals <= 0) reader.refuse('annotations', line, 'write key=value');
    return levels.includes('index') ? [[text.slice(0, equals), text.slice(equals + 1)]] : [];
  });
  return Object.fromEntries(entries);
}

function readMirror(reader: InputReader, common: Common): MirrorInputs | undefined {
  const text = reader.text('source');
  if (!text) {
    reader.problems.push(
      'input "source" is missing: write the image to mirror, such as "public.ecr.aws/nginx/nginx:1.29"',
    );
    return undefined;
  }
  const source = tryReference(reader, 'source', text);
  if (!source) return undefined;
  const tags = common.tags.length > 0 ? common.tags : source.tag ? [source.tag] : [];
  return { mode: 'mirror', ...common, tags, source };
}

function readTarget(reader: InputReader, repository: string, environment: InputEnvironment): Target {
  const account = reader.text('account-id') || undefined;
  if (account && !/^\d{12}$/.test(account)) {
    reader.refuse('account-id', account, 'an account id has twelve digits; in YAML put it in quotes');
  }
  return {
    repository,
    regions: readRegions(reader, environment),
    account,
    registryEndpoint: readEndpoint(reader),
    createRepository: reader.flag('create-repository', false),
  };
}

function readRegions(reader: InputReader, environment: InputEnvironment): string[] {
  const fallback = environment.AWS_REGION || environment.AWS_DEFAULT_REGION;
  const stated = reader.list('regions');
  const regions = stated.length > 0 ? stated : fallback ? [fallback] : [];
  if (regions.length === 0) {
    reader.problems.push(
      'input "regions" is missing: write the AWS regions to publish in, such as "us-east-1, eu-west-1"',
    );
  }
  for (const region of regions) {
    const problem = regionProblem(region);
    if (problem) reader.problems.push(`input "regions": ${problem}`);
  }
  return [...new Set(regions)];
}

function readEndpoint(reader: InputReader): string | undefined {
  const text = reader.text('registry-endpoint');
  if (!text) return undefined;
  const sample = text.replaceAll('{account}', '123456789012').replaceAll('{region}', 'us-east-1');
  const url = URL.canParse(sample) ? new URL(sample) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.search || /[{}]/.test(sample)) {
    reader.refuse(
      'registry-endpoint',
      text,
      'write a URL of scheme, host and port, such as "http://{account}.dkr.ecr.{region}.localhost:4566"',
    );
  }
  return text;
}
