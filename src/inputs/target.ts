import { readFile } from 'node:fs/promises';
import { kmsProblems } from '../ecr/encryption.ts';
import { accountOfRole, type Endpoints, endpointsProblem, regionProblem } from '../ecr/partitions.ts';
import type { Place, Role } from '../ecr/places.ts';
import { parseRepositorySettings } from '../ecr/repositorySettings.ts';
import type { EcrTarget } from '../ecr/target.ts';
import { isRepositoryName } from '../image/reference.ts';
import { Problems } from '../problems.ts';
import type { OnRegionFailure, TagPolicy } from '../release/plan.ts';
import { withoutLogin } from '../words.ts';
import { type DestinationLine, placesIn, ROLE_ADVICE, readDestinations } from './destinations.ts';
import type { InputReader } from './reader.ts';

/** Where to publish, in every mode. */
export interface Target extends Omit<EcrTarget, 'apiOverridden' | 'publicEndpoint'> {
  /** The repository's name where a destination does not say another; what legs are told apart by. */
  readonly repository: string;
  /** Whether anything is pushed there. If not, nobody is asked for anything there either. */
  readonly push: boolean;
  /** What becomes of tags that exist. */
  readonly ifTagExists: TagPolicy;
}

const ON_REGION_FAILURE: readonly OnRegionFailure[] = ['abort', 'continue', 'warn'];
const TAG_POLICIES: readonly TagPolicy[] = ['fail', 'same-images', 'keep', 'replace'];

/** As whom ECR is called. */
export interface Access {
  /** Assumed before everything else; by default the ambient credentials are used as they are. */
  readonly role: Role | undefined;
  readonly sessionName: string;
  /** In seconds. */
  readonly duration: number | undefined;
  readonly audience: string;
}

/** What of the environment the inputs' defaults depend on. */
export interface InputEnvironment {
  readonly AWS_REGION?: string | undefined;
  readonly AWS_DEFAULT_REGION?: string | undefined;
  readonly AWS_USE_FIPS_ENDPOINT?: string | undefined;
  readonly AWS_USE_DUALSTACK_ENDPOINT?: string | undefined;
}

/** What else was read, on which it depends where to publish. */
interface Already {
  readonly repository: string;
  /** The lines of `destinations`, which stand instead of `regions`. */
  readonly destinations: readonly DestinationLine[];
  readonly role: Role | undefined;
}

/** Reads where to publish: by default in the account of the role that is assumed. */
export async function readTarget(
  reader: InputReader,
  { repository, destinations, role }: Already,
  environment: InputEnvironment,
): Promise<Target> {
  const account = reader.text('account-id') || (role && accountOfRole(role.arn));
  if (account && !/^\d{12}$/.test(account)) {
    reader.refuse('account-id', account, 'an account id has twelve digits; in YAML put it in quotes');
  }
  const endpoints = {
    fips: reader.flag('use-fips-endpoint', environment.AWS_USE_FIPS_ENDPOINT === 'true'),
    dualStack: reader.flag('use-dualstack-endpoint', environment.AWS_USE_DUALSTACK_ENDPOINT === 'true'),
  };
  const defaults = { repository, account, endpoints };
  assertOneOf(reader);
  const places = reader.text('destinations')
    ? readDestinations(reader, destinations, defaults)
    : placesIn(readRegions(reader, endpoints, environment), defaults);
  return {
    repository,
    places,
    registryEndpoint: readEndpoint(reader),
    ...(await readCreation(reader, places)),
    mountFrom: readMountFrom(reader),
    push: reader.flag('push', true),
    ifTagExists: reader.oneOf('if-tag-exists', TAG_POLICIES, 'fail'),
    onRegionFailure: reader.oneOf('on-region-failure', ON_REGION_FAILURE, 'abort'),
    regionTimeout: reader.duration('region-timeout'),
  };
}

/** The matrix's regions are the default of `regions`: left out without a word, they would be missed. */
function assertOneOf(reader: InputReader): void {
  if (!reader.text('destinations')) return;
  const regions = reader.list('regions');
  if (regions.length === 0) return;
  reader.refuse(
    'regions',
    regions.join(', '),
    '"destinations" stands instead of it: write regions there, one a line, and leave "regions" out (in a job whose matrix has regions: write "regions: \'\'")',
  );
}

async function readCreation(
  reader: InputReader,
  places: readonly Place[],
): Promise<Pick<Target, 'createRepository' | 'settings'>> {
  const createRepository = reader.flag('create-repository', false);
  const text = reader.text('repository-settings');
  if (!text) return { createRepository, settings: undefined };
  if (!createRepository) {
    reader.problems.push(
      'input "repository-settings" is for repositories that are created: add "create-repository: true", or leave it out',
    );
  }
  try {
    const settings = await parseRepositorySettings(text, (path) => readFile(path, 'utf8'));
    const created = places.flatMap((place) => (place.kind === 'private' ? [place] : []));
    reader.problems.push(...kmsProblems(settings, created));
    return { createRepository, settings };
  } catch (error) {
    if (!(error instanceof Problems)) throw error;
    reader.problems.push(...error.problems);
    return { createRepository, settings: undefined };
  }
}

/** What names of repositories with their registry have, which is no harm to the grammar of names. */
const REGISTRY = /\.dkr[.-]ecr/;

function readMountFrom(reader: InputReader): string[] {
  const names = [...new Set(reader.list('mount-from'))];
  for (const name of names.filter((each) => !isRepositoryName(each) || REGISTRY.test(each))) {
    reader.refuse(
      'mount-from',
      name,
      'write names of repositories in the same registries, such as "team/base"',
    );
  }
  return names;
}

/** Reads as whom ECR is called. */
export function readAccess(reader: InputReader): Access {
  const arn = reader.text('role-to-assume');
  const externalId = reader.text('role-external-id');
  if (arn && !accountOfRole(arn)) reader.refuse('role-to-assume', arn, ROLE_ADVICE);
  if (externalId && !arn) {
    reader.refuse('role-external-id', externalId, 'an external id needs a role: set "role-to-assume"');
  }
  return {
    role: arn ? { arn, ...(externalId && { externalId }) } : undefined,
    sessionName: readSessionName(reader),
    duration: readDuration(reader),
    audience: reader.text('audience') || 'sts.amazonaws.com',
  };
}

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
function readSessionName(reader: InputReader): string {
  const name = reader.text('role-session-name') || 'ecr-multiarch';
  if (!/^[\w+=,.@-]{2,64}$/.test(name)) {
    reader.refuse('role-session-name', name, 'write 2 to 64 letters, digits and "_+=,.@-"');
  }
  return name;
}

function readDuration(reader: InputReader): number | undefined {
  const seconds = reader.number('role-duration-seconds');
  if (seconds !== undefined && (seconds < 900 || seconds > 43_200)) {
    reader.refuse('role-duration-seconds', String(seconds), 'a role is assumed for 900 to 43200 seconds');
  }
  return seconds;
}

function readRegions(reader: InputReader, endpoints: Endpoints, environment: InputEnvironment): string[] {
  const fallback = environment.AWS_REGION || environment.AWS_DEFAULT_REGION;
  const stated = reader.list('regions');
  const regions = stated.length > 0 ? [...new Set(stated)] : fallback ? [fallback] : [];
  if (regions.length === 0 && !reader.isGiven('regions')) {
    reader.problems.push(
      'input "regions" is missing: write the AWS regions to publish in, such as "us-east-1, eu-west-1"',
    );
  }
  for (const region of regions) {
    const problem = regionProblem(region) ?? endpointsProblem(region, endpoints);
    if (problem) reader.problems.push(`input "regions": ${problem}`);
  }
  return regions;
}

function readEndpoint(reader: InputReader): string | undefined {
  const text = reader.text('registry-endpoint');
  if (!text) return undefined;
  const sample = text.replaceAll('{account}', '123456789012').replaceAll('{region}', 'us-east-1');
  const url = URL.canParse(sample) ? new URL(sample) : undefined;
  if (!url || `${url.origin}/` !== url.href || !/^https?:$/.test(url.protocol) || /[{}]/.test(sample)) {
    reader.refuse(
      'registry-endpoint',
      withoutLogin(text),
      'write a URL of scheme, host and port alone, such as "http://{account}.dkr.ecr.{region}.localhost:4566"',
    );
  }
  return text;
}
