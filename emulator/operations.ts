import type { IncomingMessage } from 'node:http';
import * as z from 'zod/mini';
import { parseRoute, type Route } from '../src/distribution/server/routes.ts';
import { isRepositoryName } from '../src/image/reference.ts';
import { targetOf } from './addresses.ts';
import { arn } from './arn.ts';
import type { Permission } from './iam/policy.ts';

/** An operation that a request is, or that it comes down to. */
export interface EcrOperation {
  readonly service: 'ecr' | 'ecr-public' | 'sts';
  /** Such as `PutImage`. */
  readonly name: string;
  /** The repository that it is on, `*` for all of a registry's; nothing where it is on none. */
  readonly repository?: string;
  /** The account of the registry, where the request names one. */
  readonly account?: string;
  /** Whether the request can go on without it, as one can that would mount a blob. */
  readonly optional?: true;
}

/** What of a request tells its operations. */
export type RequestHead = Pick<IncomingMessage, 'method' | 'url' | 'headers'>;

/**
 * The operations that a request is: of the JSON API, the one that it names; of the distribution API, those that
 * ECR's documentation lists for pushing and pulling. A request that asks for nothing of ECR's has none.
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html
 * @param input the JSON that came with a call of the JSON API
 */
export function operationsOf(request: RequestHead, input?: unknown): EcrOperation[] {
  const target = targetOf(request);
  return target ? operationsOfCall(target, input) : operationsOfRoute(request);
}

/** The permission that an operation needs in the registry that its request came to. */
export function permissionOf(
  { service, name, repository, account }: EcrOperation,
  registry: { readonly account: string; readonly region: string },
): Permission {
  const owner = { region: registry.region, account: account ?? registry.account };
  return {
    action: `${service}:${name}`,
    resource: repository === undefined ? '*' : arn(service, owner, `repository/${repository}`),
  };
}

/** What of a call's JSON tells where it acts; whether it is as it should be, the operation says. */
const placeSchema = z.object({
  registryId: z.catch(z.optional(z.string()), undefined),
  repositoryName: z.catch(z.optional(z.string()), undefined),
  repositoryNames: z.catch(z.optional(z.array(z.string())), undefined),
  resourceArn: z.catch(z.optional(z.string()), undefined),
  tags: z.catch(z.array(z.unknown()), []),
});

function operationsOfCall(
  { service, operation: name }: { service: 'ecr' | 'ecr-public'; operation: string },
  input: unknown,
): EcrOperation[] {
  const place = z.safeParse(placeSchema, input).data;
  const arnParts = place?.resourceArn?.split(':', 6);
  const account = place?.registryId ?? arnParts?.[4];
  const owner = account === undefined ? {} : { account };
  const repositories = place?.repositoryNames ?? [place?.repositoryName ?? repositoryIn(arnParts)];
  const operations = repositories.map((repository): EcrOperation => {
    const named = repository ?? (name === 'DescribeRepositories' ? '*' : undefined);
    return { service, name, ...owner, ...(named !== undefined && { repository: named }) };
  });
  if (service === 'ecr-public' && name === 'GetAuthorizationToken') {
    return [...operations, { service: 'sts', name: 'GetServiceBearerToken' }];
  }
  // Who may create a repository may not give it tags for that.
  if (name !== 'CreateRepository' || !place || place.tags.length === 0) return operations;
  return [...operations, ...operations.map((each) => ({ ...each, name: 'TagResource' }))];
}

function repositoryIn(arnParts: readonly string[] | undefined): string | undefined {
  return /^repository\/(.+)$/.exec(arnParts?.[5] ?? '')?.[1];
}

function operationsOfRoute(request: RequestHead): EcrOperation[] {
  const [path = '', query = ''] = (request.url ?? '').split('?', 2);
  const route = routeOf(path);
  if (!route || route.kind === 'ping') return [];
  const operations = OPERATIONS[route.kind][request.method ?? '']?.({
    hasBody: hasBody(request),
    query: new URLSearchParams(query),
  });
  return (operations ?? []).map((each) => ({
    service: 'ecr',
    repository: route.name,
    ...(typeof each === 'string' ? { name: each } : each),
  }));
}

function routeOf(path: string): Route | undefined {
  try {
    return parseRoute(path);
  } catch {
    return undefined;
  }
}

function hasBody({ headers }: RequestHead): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

type OperationsOf = (request: {
  readonly hasBody: boolean;
  readonly query: URLSearchParams;
}) => readonly (string | Pick<EcrOperation, 'name' | 'repository' | 'optional'>)[];

/** What the methods of each kind of address come down to, on the address's repository unless they name another. */
const OPERATIONS: Readonly<Record<Exclude<Route['kind'], 'ping'>, Readonly<Record<string, OperationsOf>>>> = {
  uploads: {
    POST: ({ hasBody, query }) => [
      'InitiateLayerUpload',
      ...sourceOf(query),
      ...(query.has('digest') ? completion(hasBody) : []),
    ],
  },
  upload: {
    PATCH: () => ['UploadLayerPart'],
    PUT: ({ hasBody }) => completion(hasBody),
  },
  blob: {
    HEAD: () => ['BatchCheckLayerAvailability'],
    GET: () => ['GetDownloadUrlForLayer'],
  },
  manifest: {
    HEAD: () => ['BatchGetImage'],
    GET: () => ['BatchGetImage'],
    PUT: () => ['PutImage'],
    DELETE: () => ['BatchDeleteImage'],
  },
  tags: { GET: () => ['ListImages'] },
  // https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ListImageReferrers.html
  referrers: { GET: () => ['BatchGetImage'] },
};

/**
 * What mounting a blob needs of the repository that has it.
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/blob-mounting.html
 */
function sourceOf(query: URLSearchParams): Pick<EcrOperation, 'name' | 'repository' | 'optional'>[] {
  const repository = query.get('from') ?? '';
  const mounts = query.has('mount') && isRepositoryName(repository);
  return mounts ? [{ name: 'GetDownloadUrlForLayer', repository, optional: true }] : [];
}

function completion(hasBody: boolean): string[] {
  return hasBody ? ['UploadLayerPart', 'CompleteLayerUpload'] : ['CompleteLayerUpload'];
}
