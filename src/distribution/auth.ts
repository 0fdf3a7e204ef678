import * as z from 'zod/mini';
import { RegistryError, safeJson } from './errors.ts';
import type { Transport } from './transport.ts';

/** What a request wants to do with a repository. */
export interface Scope {
  readonly repository: string;
  readonly actions: 'pull' | 'pull,push';
}

/** Gives the `Authorization` header for one registry. */
export interface Authorizer {
  /** The header to send, or nothing. */
  header(scope: Scope): Promise<string | undefined>;
  /**
   * Told that the registry answered 401 to a request with the header `sent`; true when there is another header now,
   * so that the request is worth sending once more.
   */
  challenged(challenge: string | undefined, scope: Scope, sent: string | undefined): Promise<boolean>;
}

/**
 * Authorizes with a token that somebody else keeps.
 * @param fetchToken gives the whole header value; told the value that was refused, it gives a newer one if it can
 */
export function tokenAuthorizer(fetchToken: (refused?: string) => Promise<string>): Authorizer {
  return {
    header: () => fetchToken(),
    challenged: async (_challenge, _scope, sent) => (await fetchToken(sent)) !== sent,
  };
}

const tokenSchema = z.looseObject({ token: z.optional(z.string()), access_token: z.optional(z.string()) });

/**
 * Authorizes as nobody: a registry that wants a bearer token even for public images is asked for an anonymous one.
 * https://distribution.github.io/distribution/spec/auth/token/
 */
export function anonymousAuthorizer(transport: Transport): Authorizer {
  const tokens = new Map<string, string>();
  return {
    header: async (scope) => tokens.get(scope.repository),
    async challenged(challenge, scope, sent) {
      if (tokens.get(scope.repository) !== sent) return true;
      const realm = readBearerChallenge(challenge);
      if (!realm) return false;
      const url = new URL(realm.realm);
      if (realm.service) url.searchParams.set('service', realm.service);
      url.searchParams.set('scope', realm.scope ?? `repository:${scope.repository}:${scope.actions}`);
      tokens.set(scope.repository, `Bearer ${await fetchAnonymousToken(transport, url)}`);
      return true;
    },
  };
}

async function fetchAnonymousToken(transport: Transport, url: URL): Promise<string> {
  const answer = await transport.send({ method: 'GET', url });
  const body = (await answer.bytes(64 * 1024)).toString();
  if (answer.status !== 200) throw new RegistryError({ method: 'GET', url }, { status: answer.status, body });
  const token = z.safeParse(tokenSchema, safeJson(body));
  const value = token.data?.token ?? token.data?.access_token;
  if (!value)
    throw new RegistryError({ method: 'GET', url }, { status: 200, body: 'an answer without a token' });
  return value;
}

interface BearerChallenge {
  readonly realm: string;
  readonly service: string | undefined;
  readonly scope: string | undefined;
}

/** Reads `WWW-Authenticate: Bearer realm="…",service="…",scope="…"`. */
function readBearerChallenge(header: string | undefined): BearerChallenge | undefined {
  if (!header || !/^bearer\s/i.test(header)) return undefined;
  const field = (name: string) => new RegExp(`[\\s,]${name}="([^"]*)"`, 'i').exec(header)?.[1];
  const realm = field('realm');
  if (!realm || !URL.canParse(realm)) return undefined;
  return { realm, service: field('service'), scope: field('scope') };
}
