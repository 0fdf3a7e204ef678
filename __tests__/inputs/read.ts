import type { BuildOptions } from '../../src/buildx/arguments.ts';
import { type ImageBuild, type Inputs, parseInputs } from '../../src/inputs/inputs.ts';
import type { Access, InputEnvironment } from '../../src/inputs/target.ts';
import { Problems } from '../../src/problems.ts';

/** Inputs by their names; one that is not here is empty, as the runner has it. */
export type Values = Readonly<Record<string, string>>;

/** Enough for a build without anything else. */
export const BUILD: Values = { repository: 'team/app', regions: 'us-east-1' };
export const STITCH: Values = { ...BUILD, mode: 'stitch', tags: 'v1' };
export const MIRROR: Values = { ...BUILD, mode: 'mirror', source: 'public.ecr.aws/nginx/nginx:1.29' };

export async function read(values: Values, environment: InputEnvironment = {}): Promise<Inputs> {
  return (await readPublishing(values, environment)).inputs;
}

async function readPublishing(values: Values, environment: InputEnvironment) {
  const parsed = await parseInputs((name) => valueIn(values, name), environment);
  if (!('access' in parsed)) throw new Error('this is a plan');
  return parsed;
}

/** The region that a build has by default gives way to destinations. */
function valueIn(values: Values, name: string): string {
  const isDefault = name === 'regions' && values.regions === BUILD.regions && values.destinations;
  return isDefault ? '' : (values[name] ?? '');
}

/** As whom inputs have ECR called. */
export async function readAccess(values: Values): Promise<Access> {
  return (await readPublishing(values, {})).access;
}

/** The image that a build's inputs have built. */
export async function readImage(values: Values): Promise<ImageBuild> {
  const inputs = await read({ ...BUILD, ...values });
  if (inputs.mode !== 'build' || inputs.image.kind !== 'build') throw new Error('nothing is built');
  return inputs.image;
}

/** The options for buildx that a build's inputs give. */
export async function readOptions(values: Values): Promise<BuildOptions> {
  return (await readImage(values)).options;
}

/** Everything that is wrong with inputs; nothing when they are good. */
export async function problemsOf(values: Values, environment?: InputEnvironment): Promise<readonly string[]> {
  try {
    await read(values, environment);
    return [];
  } catch (error) {
    if (error instanceof Problems) return error.problems;
    throw error;
  }
}
