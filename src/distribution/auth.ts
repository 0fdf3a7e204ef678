import * as z from 'zod/mini';
import { ContentError, RegistryError, redactUrl, safeJson, wordsOf } from './errors.ts';
import { webAddress } from './location.ts';
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

/** What fits into a header. */
const valueSchema = z.optional(z.string().check(z.regex(/^[!-~]+$/)));
const tokenSchema = z.looseObject({ token: valueSchema, access_token: valueSchema });

/**
 * Gives user and password as basic authentication has them, in base64; nothing to be nobody. Told of what was refused, it gives
 * others if it can.
 */
export type Login = (refused?: string) => Promise<string | undefined>;

/**
 * Authorizes as the registry's challenge asks: with user and password, or with a bearer token, which many registries want even
 * for public images and give to nobody in particular.
 * https://distribution.github.io/distribution/spec/auth/token/
 * @param origin the registry's own; to a token service elsewhere user and password go only over TLS, unless the registry itself
 *   is spoken to without
 * @param onToken told of every bearer token before it is used, so that it can be masked
 */
export function challengedAuthorizer(
  origin: string,
  transport: Transport,
  login: Login = async () => undefined,
  onToken: (token: string) => void = () => undefined,
): Authorizer {
  const headers = new Map<string, string>();
  const answers = new Map<string, Promise<boolean>>();
  const keyOf = ({ repository, actions }: Scope) => `${repository} ${actions}`;
  const answer: Authorizer['challenged'] = async (challenge, scope, sent) => {
    const basic = await login();
    const realm = readBearerChallenge(challenge);
    if (realm) {
      const trusted = realm.realm.protocol === 'https:' || origin.startsWith('http:');
      const ask = (as: string | undefined) => fetchToken(transport, tokenUrl(realm, scope), as);
      const token = trusted && basic ? await asOneOf(basic, login, ask) : await ask(undefined);
      onToken(token);
      headers.set(keyOf(scope), `Bearer ${token}`);
      return true;
    }
    const header = basic && /^basic\b/i.test(challenge ?? '') ? `Basic ${basic}` : undefined;
    if (!header || header === sent) return false;
    headers.set(keyOf(scope), header);
    return true;
  };
  return {
    header: async (scope) => headers.get(keyOf(scope)),
    async challenged(challenge, scope, sent) {
      const key = keyOf(scope);
      if (headers.get(key) !== sent) return true;
      // Requests that are challenged together share one answer.
      const answered = answers.get(key) ?? answer(challenge, scope, sent).finally(() => answers.delete(key));
      answers.set(key, answered);
      return answered;
    },
  };
}

/** Asks as somebody, and once more as whoever the login gives instead, where that one is not taken. */
async function asOneOf(
  basic: string,
  login: Login,
  ask: (as: string | undefined) => Promise<string>,
): Promise<string> {
  try {
    return await ask(basic);
  } catch (error) {
    if (!(error instanceof RegistryError) || (error.status !== 401 && error.status !== 403)) throw error;
    const another = await login(basic);
    if (!another || another === basic) throw error;
    return ask(another);
  }
}

function tokenUrl({ realm, service, scope }: BearerChallenge, { repository, actions }: Scope): URL {
  const url = new URL(realm);
  if (service) url.searchParams.set('service', service);
  url.searchParams.set('scope', scope ?? `repository:${repository}:${actions}`);
  return url;
}

async function fetchToken(transport: Transport, url: URL, basic: string | undefined): Promise<string> {
  const { status, body } = await readAnswer(transport, url, basic).catch((error: unknown) => {
    if (error instanceof RegistryError) throw error;
    throw new Error(`GET ${redactUrl(url)}: ${wordsOf(error)}`, { cause: error });
  });
  if (status !== 200) throw new RegistryError({ method: 'GET', url }, { status, body });
  const json = safeJson(body);
  if (json === undefined) throw new ContentError(`GET ${redactUrl(url)}: the answer is no JSON`);
  const token = z.safeParse(tokenSchema, json);
  const value = token.data?.token ?? token.data?.access_token;
  if (!value) throw new RegistryError({ method: 'GET', url }, { status, body: 'an answer without a token' });
  return value;
}

async function readAnswer(
  transport: Transport,
  url: URL,
  basic: string | undefined,
): Promise<{ readonly status: number; readonly body: string }> {
  const answer = await transport.send({
    method: 'GET',
    url,
    headers: { ...(basic && { authorization: `Basic ${basic}` }) },
  });
  return { status: answer.status, body: (await answer.bytes(64 * 1024)).toString() };
}

interface BearerChallenge {
  readonly realm: URL;
  readonly service: string | undefined;
  readonly scope: string | undefined;
}

/** Reads `WWW-Authenticate: Bearer realm="…",service="…",scope="…"`. */
function readBearerChallenge(header: string | undefined): BearerChallenge | undefined {
  if (!header || !/^bearer\s/i.test(header)) return undefined;
  const field = (name: string) => new RegExp(`[\\s,]${name}="([^"]*)"`, 'i').exec(header)?.[1];
  const realm = webAddress(field('realm'));
  return realm && { realm, service: field('service'), scope: field('scope') };
}
