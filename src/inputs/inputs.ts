import { access } from 'node:fs/promises';
import type { BuildOptions } from '../buildx/arguments.ts';
import type { Transport } from '../buildx/build.ts';
import type { PrivateRegistry } from '../ecr/places.ts';
import type { Reference } from '../image/reference.ts';
import { Problems } from '../problems.ts';
import { readBaseRegistries } from './baseRegistries.ts';
import { readBuildOptions, refuseContradictions } from './build.ts';
import type { CommonInputs } from './common.ts';
import { ownRepositories, readDestinationLines } from './destinations.ts';
import { type BuildHandOff, readBuildHandOff } from './legs.ts';
import { readNames, tryReference } from './names.ts';
import { type PlanInputs, readPlan } from './plan.ts';
import { type GetInput, InputReader } from './reader.ts';
import { readStitch, type StitchInputs } from './stitch.ts';
import { type Access, type InputEnvironment, readAccess, readTarget } from './target.ts';
import { refuseUnread } from './unread.ts';

/** An image that another tool has built, in the folder of an OCI layout. */
export interface LayoutImage {
  readonly kind: 'layout';
  readonly dir: string;
}

/** An image that is to be built. */
export interface ImageBuild {
  readonly kind: 'build';
  readonly options: BuildOptions;
  /** How it comes from the builder. */
  readonly transport: Transport;
  /** Registries of ECR that the builder pulls base images from. */
  readonly baseRegistries: readonly PrivateRegistry[];
}

export interface BuildInputs extends CommonInputs {
  readonly mode: 'build';
  readonly image: LayoutImage | ImageBuild;
  /** How a stitch, which publishes it, gets this leg. `none`: it is published here. */
  readonly legs: BuildHandOff;
  /** The job's place in its matrix, where the runner tells it. */
  readonly jobIndex: number | undefined;
  readonly jobTotal: number | undefined;
}

export interface MirrorInputs extends CommonInputs {
  readonly mode: 'mirror';
  readonly source: Reference;
  /** Whether what refers to the image is copied with it. */
  readonly referrers: boolean;
}

/** The inputs of the modes that publish. */
export type Inputs = BuildInputs | StitchInputs | MirrorInputs;

/** What the action was asked for, as whom it calls ECR, and how long it may take, in milliseconds. A plan calls nobody. */
export type Parsed =
  | { readonly inputs: PlanInputs }
  | { readonly inputs: Inputs; readonly access: Access; readonly timeout: number | undefined };

/**
 * Turns the action's inputs into what one mode needs.
 * @throws Problems with everything that is wrong, each naming the input, its value, and what to write instead
 */
export async function parseInputs(get: GetInput, environment: InputEnvironment): Promise<Parsed> {
  const reader = new InputReader(get);
  const mode = reader.oneOf('mode', ['build', 'stitch', 'mirror', 'plan'], 'build');
  // What is wrong with inputs for another mode than was meant would lead astray.
  if (reader.problems.length > 0) throw new Problems(reader.problems);
  refuseContradictions(reader);
  return mode === 'plan' ? parsePlan(reader) : parsePublishing(reader, mode, environment);
}

function parsePlan(reader: InputReader): Parsed {
  const inputs = readPlan(reader);
  refuseUnread(reader, '"mode: plan"');
  if (reader.problems.length > 0) throw new Problems(reader.problems);
  return { inputs };
}

async function parsePublishing(
  reader: InputReader,
  mode: Inputs['mode'],
  environment: InputEnvironment,
): Promise<Parsed> {
  const destinations = readDestinationLines(reader);
  const { repository, tags } = readNames(reader, ownRepositories(destinations));
  const access = readAccess(reader);
  const common = {
    target: await readTarget(reader, { repository, destinations, role: access.role }, environment),
    platforms: reader.platforms('platforms'),
    tags,
  };
  const timeout = reader.duration('timeout');
  const inputs = await readMode(reader, mode, common);
  const isBuilt = inputs?.mode === 'build' && inputs.image.kind === 'layout';
  refuseUnread(reader, `"mode: ${mode}"${isBuilt ? ' with "oci-layout"' : ''}`);
  if (reader.problems.length > 0 || !inputs) throw new Problems(reader.problems);
  return { inputs, access, timeout };
}

async function readMode(
  reader: InputReader,
  mode: Inputs['mode'],
  common: CommonInputs,
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

async function readBuild(reader: InputReader, common: CommonInputs): Promise<BuildInputs> {
  const legs = readBuildHandOff(reader, common);
  const dir = reader.text('oci-layout');
  const image = dir ? await readLayout(reader, dir) : await readImageBuild(reader);
  return {
    mode: 'build',
    ...common,
    image,
    legs,
    jobIndex: reader.number('job-index'),
    jobTotal: reader.number('job-total'),
  };
}

async function readLayout(reader: InputReader, dir: string): Promise<LayoutImage> {
  reader.problems.push(...(await missing('oci-layout', dir)));
  return { kind: 'layout', dir };
}

async function readImageBuild(reader: InputReader): Promise<ImageBuild> {
  const options = readBuildOptions(reader);
  reader.problems.push(...(await missingFiles(options)));
  return {
    kind: 'build',
    options,
    transport: reader.oneOf('transport', ['auto', 'registry', 'layout'], 'auto'),
    baseRegistries: readBaseRegistries(reader),
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

function readMirror(reader: InputReader, common: CommonInputs): MirrorInputs | undefined {
  const referrers = reader.flag('referrers', false);
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
  return { mode: 'mirror', ...common, tags, source, referrers };
}
