import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { listen } from '../../src/distribution/server/listen.ts';
import { GITHUB_ISSUER } from '../iam/roles.ts';
import { json } from './twirp.ts';

export interface OidcOptions {
  /** Whom tokens are about, such as `repo:octo-org/octo-repo:ref:refs/heads/main`. */
  readonly subject: string;
  /** Who says so, GitHub unless told otherwise. */
  readonly issuer?: string;
  /** How long a token is good, in seconds; five minutes unless told otherwise. */
  readonly lifetime?: number;
  /** The clock, in epoch milliseconds. */
  readonly now?: () => number;
}

export interface OidcService {
  /** For ACTIONS_ID_TOKEN_REQUEST_URL; it has a query already, as GitHub's has. */
  readonly url: string;
  /** For ACTIONS_ID_TOKEN_REQUEST_TOKEN. */
  readonly requestToken: string;
  close(): Promise<void>;
}

/**
 * Starts a stand-in for the service that gives a job with `id-token: write` its OIDC tokens. It listens on loopback
 * only. No token is signed by anybody who is known, as the emulator's STS checks no signature.
 * https://docs.github.com/en/actions/reference/security/oidc
 */
export async function startOidcService(options: OidcOptions): Promise<OidcService> {
  const key = randomBytes(32);
  const requestToken = randomBytes(32).toString('base64url');
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    if (request.method !== 'GET' || pathname !== PATH) {
      return json(response, 404, { message: `there is nothing at ${request.method} ${pathname}` });
    }
    if (request.headers.authorization !== `Bearer ${requestToken}`) {
      return json(response, 401, { message: 'not the request token of this job' });
    }
    const value = issue(options, searchParams.get('audience') ?? ownerOf(options.subject), key);
    return json(response, 200, { count: value.length, value });
  };
  const { port, close } = await listen(handle, { host: '127.0.0.1', port: 0 });
  return { url: `http://127.0.0.1:${port}${PATH}?api-version=2.0`, requestToken, close };
}

const PATH = '/idtoken';

function issue(
  { subject, issuer = GITHUB_ISSUER, lifetime = 300, now = Date.now }: OidcOptions,
  audience: string,
  key: Buffer,
): string {
  const iat = Math.floor(now() / 1_000);
  const claims = { jti: randomUUID(), iss: issuer, aud: audience, sub: subject, iat, exp: iat + lifetime };
  const unsigned = [{ alg: 'HS256', typ: 'JWT' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${unsigned}.${createHmac('sha256', key).update(unsigned).digest('base64url')}`;
}

/** Whom a token is for that names no audience: the repository's owner. */
function ownerOf(subject: string): string {
  return `https://github.com/${/^repo:([^/]+)\//.exec(subject)?.[1] ?? ''}`;
}
