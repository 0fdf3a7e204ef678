import { isDeepStrictEqual } from 'node:util';
import {
  accountOfRole,
  type Endpoints,
  endpointsProblem,
  parseRegistryHost,
  regionProblem,
} from '../ecr/partitions.ts';
import { type Place, PUBLIC_HOST, type Role } from '../ecr/places.ts';
import { ImageReferenceError, isRepositoryName, parseReference } from '../image/reference.ts';
import type { InputReader } from './reader.ts';

/** What holds for every destination that does not say otherwise. */
interface Defaults {
  readonly repository: string;
  readonly account: string | undefined;
  readonly endpoints: Endpoints;
}

/** A line of `destinations`: where, and what belongs to it alone. */
export interface DestinationLine {
  /** As it was written. */
  readonly text: string;
  /** A region, or the host of a registry. */
  readonly host: string;
  /** What follows the host; empty when nothing does. */
  readonly path: string;
  readonly role: Role | undefined;
}

/** Takes `destinations` apart: one a line, with `role=ARN` and `external-id=ID` if need be. */
export function readDestinationLines(reader: InputReader): DestinationLine[] {
  return reader.lines('destinations').map((text) => readLine(reader, text));
}

/**
 * The repository that each line names itself, as it is called in its registry: without the alias of a public one. Nothing
 * for a line that names none.
 */
export function ownRepositories(lines: readonly DestinationLine[]): (string | undefined)[] {
  return lines.map(({ host, path }) => {
    const isAliasAlone = host === PUBLIC_HOST && !path.includes('/');
    if (path === '' || isAliasAlone) return undefined;
    return host === PUBLIC_HOST ? path.slice(path.indexOf('/') + 1) : path;
  });
}

/**
 * The places that the lines of `destinations` name: a region, the host of an ECR registry, or a repository of any registry.
 * One that is named twice counts once.
 */
export function readDestinations(
  reader: InputReader,
  lines: readonly DestinationLine[],
  defaults: Defaults,
): Place[] {
  const found: { text: string; place: Place }[] = [];
  for (const line of lines) {
    const refuse = (advice: string) => reader.refuse('destinations', line.text, advice);
    const place = readPlace(line, defaults, refuse);
    if (!place) continue;
    const same = found.find((each) => locationOf(each.place) === locationOf(place));
    if (!same) found.push({ text: line.text, place });
    else if (!isDeepStrictEqual(same.place, place)) {
      refuse(`"${same.text}" is the same repository, reached in another way: keep one of the two`);
    }
  }
  return found.map(({ place }) => place);
}

function locationOf(place: Place): string {
  const registry =
    place.kind === 'private'
      ? `${place.account} ${place.region}`
      : place.kind === 'other'
        ? place.registry
        : PUBLIC_HOST;
  return `${registry} ${place.repository}`;
}

/** The places that `regions` names, all in one account. */
export function placesIn(regions: readonly string[], { repository, account, endpoints }: Defaults): Place[] {
  return regions.map((region) => ({
    kind: 'private',
    region,
    account,
    repository,
    role: undefined,
    ...endpoints,
  }));
}

const OPTION = /^(role|external-id)=(.+)$/;

function readLine(reader: InputReader, text: string): DestinationLine {
  const [where = '', ...rest] = text.replace(/^-\s+/, '').split(/\s+/);
  const options = new Map<string, string>();
  for (const each of rest) {
    const [, key = '', value = ''] = OPTION.exec(each) ?? [];
    if (!key) {
      reader.refuse(
        'destinations',
        each,
        'a line has one destination, after which come "role=ARN" and "external-id=ID" alone',
      );
    } else if (options.has(key)) reader.refuse('destinations', text, `write "${key}=" once`);
    options.set(key, value);
  }
  const [arn, externalId] = [options.get('role'), options.get('external-id')];
  if (externalId && !arn) reader.refuse('destinations', text, 'an external id needs a role: add "role=ARN"');
  if (arn && !accountOfRole(arn)) reader.refuse('destinations', arn, ROLE_ADVICE);
  const slash = where.indexOf('/');
  return {
    text,
    host: slash < 0 ? where : where.slice(0, slash),
    path: slash < 0 ? '' : where.slice(slash + 1),
    role: arn ? { arn, ...(externalId && { externalId }) } : undefined,
  };
}

/** How a role is written. */
export const ROLE_ADVICE = 'write a role\'s ARN, such as "arn:aws:iam::123456789012:role/publish"';

function readPlace(
  { text, host, path, role }: DestinationLine,
  defaults: Defaults,
  refuse: (advice: string) => void,
): Place | undefined {
  const [scheme] = /^\w+:\/\//.exec(text) ?? [];
  if (scheme) {
    refuse(`write the registry and the repository without "${scheme}"`);
    return undefined;
  }
  if (path && !isRepositoryName(path)) {
    refuse(
      `"${path}" is no repository: write lower case letters and digits, separated by "/", "-", "_" or ".", and tags in "tags"`,
    );
    return undefined;
  }
  const repository = path || defaults.repository;
  const address = parseRegistryHost(host);
  if (address) {
    // What is asked for holds everywhere; a host may ask for it by itself.
    const { endpoints } = defaults;
    const fips = address.fips || endpoints.fips;
    const dualStack = address.dualStack || endpoints.dualStack;
    const problem = endpointsProblem(address.region, { fips, dualStack });
    if (problem) refuse(problem);
    return { kind: 'private', ...address, fips, dualStack, repository, role };
  }
  if (host === PUBLIC_HOST) return readPublic(path, defaults, role, refuse);
  if (/[.:]/.test(host) || host === 'localhost') return readOther(host, repository, role, refuse);
  return readRegion(path ? `${host}/${path}` : host, { ...defaults, role }, refuse);
}

function readPublic(
  path: string,
  defaults: Defaults,
  role: Role | undefined,
  refuse: (advice: string) => void,
): Place | undefined {
  if (path === '') {
    const name = defaults.repository || 'NAME';
    refuse(`write the alias of your public registry after the host: ${PUBLIC_HOST}/ALIAS/${name}`);
    return undefined;
  }
  return { kind: 'public', repository: path.includes('/') ? path : `${path}/${defaults.repository}`, role };
}

function readOther(
  host: string,
  repository: string,
  role: Role | undefined,
  refuse: (advice: string) => void,
): Place | undefined {
  const registry = registryAt(host);
  if (!registry) refuse(`"${host}" is no host name`);
  else if (/(^|\.)dkr[.-]ecr/i.test(host)) refuse(`"${host}" is no registry of ECR's: write ${HOST_FORM}`);
  else if (role)
    refuse('a role is for ECR: log in to other registries with docker/login-action before this step');
  else return { kind: 'other', registry, repository };
  return undefined;
}

/** The registry as references name it: Docker Hub's answers at an address of its own. */
function registryAt(host: string): string | undefined {
  try {
    return parseReference(`${host}/some/name`).registry;
  } catch (error) {
    if (!(error instanceof ImageReferenceError)) throw error;
    return undefined;
  }
}

const HOST_FORM = '123456789012.dkr.ecr.us-east-1.amazonaws.com';

function readRegion(
  region: string,
  { repository, account, endpoints, role }: Defaults & { role: Role | undefined },
  refuse: (advice: string) => void,
): Place | undefined {
  const problem = regionProblem(region) ?? endpointsProblem(region, endpoints);
  if (problem) {
    refuse(
      `${problem}; a destination is a region, ${HOST_FORM}, or HOST/REPOSITORY, each on a line of its own`,
    );
    return undefined;
  }
  const roleAccount = role && accountOfRole(role.arn);
  return { kind: 'private', region, account: roleAccount ?? account, repository, role, ...endpoints };
}
