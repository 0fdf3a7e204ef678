import * as z from 'zod/mini';
import type { Access } from '../access.ts';
import { invalidParameter } from '../errors.ts';
import type { Principal, Principals } from '../iam/principals.ts';
import type { Cloud, Registry } from '../state/cloud.ts';
import type { Repository } from '../state/repository.ts';
import { isEcrName, NAME_RULE } from '../state/settings.ts';
import type { Tokens } from '../tokens.ts';
import type { Presign } from '../v2/backend.ts';

/** What the operations of the JSON API work on. */
export interface Service {
  readonly cloud: Cloud;
  readonly principals: Principals;
  readonly access: Access;
  readonly tokens: Tokens;
  readonly presign: Presign;
  /** The clock, in epoch milliseconds. */
  readonly now: () => number;
  /** How long a token lives, in seconds. */
  readonly tokenLifetime: number;
  /** The URL that a registry is told to have. */
  readonly addressOf: (registry: { readonly account: string; readonly region: string }) => string;
}

/** One call: who asks, in which region. */
export interface Call {
  readonly service: Service;
  readonly principal: Principal;
  /** The principal's. */
  readonly account: string;
  readonly region: string;
}

/** An operation: takes a request's JSON, gives the answer's. */
export type Operation = (input: unknown, call: Call) => unknown;

/**
 * An operation whose request has this shape.
 * @throws EcrError (InvalidParameterException) from the operation, when the request has another
 */
export function operation<T extends z.ZodMiniType>(
  schema: T,
  run: (input: z.infer<T>, call: Call) => unknown,
): Operation {
  return (input, call) => {
    const parsed = z.safeParse(schema, input);
    if (parsed.success) return run(parsed.data, call);
    const issue = parsed.error.issues[0];
    throw invalidParameter(issue?.path.join('.') ?? '', issue?.message ?? 'must be valid');
  };
}

/** The registry that a call is for: that of its registryId, else the caller's own. */
export function registryOf({ registryId }: { registryId?: string | undefined }, call: Call): Registry {
  const account = registryId ?? call.account;
  const registry = call.service.cloud.registry(account, call.region);
  if (!registry)
    throw invalidParameter('registryId', `must be an account that the emulator knows, not ${account}`);
  return registry;
}

export const registryIdSchema = z.optional(
  z.string().check(z.regex(/^\d{12}$/, "must satisfy regular expression '[0-9]{12}'")),
);
export const nameSchema = z.string('must not be null').check(z.refine(isEcrName, NAME_RULE));
/** The fields by which most operations name a repository. */
export const inRepository = { registryId: registryIdSchema, repositoryName: nameSchema };

/** The repository that a call is for. */
export function repositoryOf(
  input: { registryId?: string | undefined; repositoryName: string },
  call: Call,
): Repository {
  return registryOf(input, call).repository(input.repositoryName);
}

/** How answers name a repository. */
export function idsOf({ account, name }: Repository): { registryId: string; repositoryName: string } {
  return { registryId: account, repositoryName: name };
}

/** The fields of operations that answer in pages. */
export const paging = {
  maxResults: z.optional(
    z.int('must be a number').check(z.gte(1, 'must be 1 or more'), z.lte(1000, 'must be 1000 or less')),
  ),
  nextToken: z.optional(z.string()),
};

/** One page of all there is, and the token of the next one. */
export function pageOf<T>(
  all: readonly T[],
  { maxResults = 100, nextToken }: { maxResults?: number | undefined; nextToken?: string | undefined },
): { page: T[]; next: { nextToken?: string } } {
  const start = nextToken === undefined ? 0 : Number(Buffer.from(nextToken, 'base64url').toString());
  if (!Number.isSafeInteger(start) || start < 0)
    throw invalidParameter('nextToken', 'must be a token of this operation');
  const end = start + maxResults;
  const next = end < all.length ? { nextToken: Buffer.from(String(end)).toString('base64url') } : {};
  return { page: all.slice(start, end), next };
}

/** Epoch milliseconds as the JSON API writes times: in seconds. */
export function timestamp(epoch: number): number {
  return epoch / 1_000;
}
