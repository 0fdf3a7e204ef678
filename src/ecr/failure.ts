import { RegistryError, wordsOf } from '../distribution/errors.ts';
import { failedCall } from './calls.ts';
import { RoleError } from './credentials.ts';
import { operationsOf, type PacedOperation } from './operations.ts';
import { accountInHost, repositoryArn } from './partitions.ts';
import { PERMISSIONS } from './permissions.ts';
import { type Place, PUBLIC_HOST } from './places.ts';

/** Where something failed, as far as it is known. */
export interface Where {
  /** How messages name it: a region or a host. */
  readonly name: string;
  readonly repository: string;
  readonly place?: Place | undefined;
  /** The host of the place's registry, once it is known. */
  readonly host?: string | undefined;
  /** Whether it is only read from. */
  readonly isSource?: true;
}

/** Who refused: a private registry or its API, Amazon ECR Public, another registry, the storage behind ECR, or a role. */
export type Refuser = 'private' | 'public' | 'other' | 'storage' | 'role';

/** An action, and the ARN of what it is on. */
export interface Lack {
  readonly action: string;
  /** `*` stands for what is not known. */
  readonly resource: string;
}

/** A failure, whichever library told of it. */
export interface Failure {
  readonly refuser: Refuser;
  /**
   * By what names it goes: the codes of the distribution API, the exception of AWS's API without "Exception", or the
   * system's code, such as ENOTFOUND.
   */
  readonly codes: readonly string[];
  /** The status of the answer, if the registry gave one. */
  readonly status: number | undefined;
  /** In the words of whoever refused, or of the library that failed. */
  readonly said: string;
  /** The host that was asked, as far as it is known. */
  readonly host: string | undefined;
  /** The operations of ECR's API that the request was, such as `PutImage`. */
  readonly operations: readonly PacedOperation[];
  /** What a policy has to allow, as far as can be told; which means nothing when that is not what is wrong. */
  readonly lacks: readonly Lack[];
  /** The ARN of the role that could not be assumed. */
  readonly role: string | undefined;
  readonly region: string;
  readonly where: Where;
}

/** Reads what is known of a failure. */
export function failureOf(error: unknown, where: Where): Failure {
  const request = findCause(error, (each) => each instanceof RegistryError);
  // The words of a registry alone: around them are addresses, with names that could be taken for words.
  const call = failedCall(error);
  const said = request?.said ?? call?.said ?? wordsOf(error);
  const url = request?.url;
  const host = url?.host;
  const role = findCause(error, (each) => each instanceof RoleError)?.message.split(' ', 1)[0];
  const refuser = role ? 'role' : refuserOf(host, where);
  const operations = request ? operationsOf(request.method, request.url) : [];
  const region = regionOf(host, where);
  const service = refuser === 'public' ? 'ecr-public' : 'ecr';
  return {
    refuser,
    codes: [...(request?.codes ?? []), ...namesOf(error)],
    status: request?.status ?? call?.status,
    said,
    host,
    operations,
    lacks: lacksOf(
      said,
      call ? [call.operation] : operations,
      (action) => resourceOf(action, { url, region, where }),
      service,
    ),
    role,
    region,
    where,
  };
}

/** The nearest of an error and its causes that is of a kind. */
function findCause<E extends Error>(error: unknown, is: (error: Error) => error is E): E | undefined {
  if (!(error instanceof Error)) return undefined;
  return is(error) ? error : findCause(error.cause, is);
}

/** The names and codes of an error and of its causes. */
function namesOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  const code = 'code' in error && typeof error.code === 'string' ? [error.code] : [];
  return [error.name.replace(/Exception$/, ''), ...code, ...namesOf(error.cause)];
}

function refuserOf(host: string | undefined, { place, host: own }: Where): Refuser {
  const kind = place?.kind ?? 'private';
  if (host === undefined || host === own) return kind;
  if (accountInHost(host)) return 'private';
  if (host === PUBLIC_HOST) return 'public';
  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
  if (/(?:^|\.)s3[.-].*\.amazonaws\./.test(host)) return 'storage';
  return own === undefined ? kind : 'other';
}

function regionOf(host: string | undefined, { name, place }: Where): string {
  const named = /\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\./.exec(host ?? '')?.[1];
  return named ?? (place?.kind === 'private' ? place.region : name);
}

/**
 * What AWS says is missing, or, where it does not say so, what the request needed.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
 */
function lacksOf(
  said: string,
  operations: readonly string[],
  resourceOf: (action: string) => string,
  service: 'ecr' | 'ecr-public',
): Lack[] {
  const [, action, resource] =
    /not authorized to perform: ([\w-]+:\w+)(?: on resource: (\S*[\w*]))?/.exec(said) ?? [];
  // Reading what is public needs none, so that not every operation has an action.
  const derived = operations.map((name) => `${service}:${name}`);
  const actions = action ? [action] : derived.filter(isListed);
  return actions.map((each) => ({ action: each, resource: resource ?? resourceOf(each) }));
}

function isListed(action: string): boolean {
  return PERMISSIONS.some((each) => each.action === action);
}

/** The resource of an action, as a policy names it; `*` stands for an account that is not known. */
function resourceOf(
  action: string,
  { url, region, where }: { url: URL | undefined; region: string; where: Where },
): string {
  if (PERMISSIONS.every((each) => each.action !== action || each.on === 'all')) return '*';
  const repository =
    /^\/v2\/(.+?)\/(?:manifests|blobs|referrers)\//.exec(url?.pathname ?? '')?.[1] ?? where.repository;
  if (action.startsWith('ecr-public:')) {
    // The registry's alias is no part of the ARN.
    return `arn:aws:ecr-public::*:repository/${repository.slice(repository.indexOf('/') + 1)}`;
  }
  const known = where.place?.kind === 'private' ? where.place.account : undefined;
  return repositoryArn(accountInHost(url?.host ?? '') ?? known ?? '*', region, repository);
}
