import * as z from 'zod/mini';
import type { WebIdentity } from '../iam/trust.ts';
import { StsError } from './errors.ts';

const claimsSchema = z.object({
  iss: z.string(),
  sub: z.string(),
  aud: z.union([z.string(), z.array(z.string())]),
  /** Epoch seconds. */
  exp: z.number(),
});

/**
 * Reads an OIDC token (RFC 7519). Its signature is not checked.
 * @param now epoch milliseconds
 * @throws StsError when it is none, or has expired
 */
export function readToken(token: string, now: number): WebIdentity {
  const claims = claimsOf(token);
  if (!claims) {
    throw new StsError(
      400,
      'InvalidIdentityToken',
      'The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)',
    );
  }
  const { iss, sub, aud, exp } = claims;
  const seconds = Math.floor(now / 1_000);
  if (exp <= seconds) {
    throw new StsError(
      400,
      'ExpiredTokenException',
      `Token expired: current date/time ${seconds} must be before the expiration date/time ${exp}`,
    );
  }
  return { issuer: iss, subject: sub, audiences: typeof aud === 'string' ? [aud] : aud };
}

function claimsOf(token: string): z.infer<typeof claimsSchema> | undefined {
  const [head, payload, signature, ...rest] = token.split('.');
  if (!head || !payload || !signature || rest.length > 0) return undefined;
  try {
    return z.safeParse(claimsSchema, JSON.parse(Buffer.from(payload, 'base64url').toString())).data;
  } catch {
    return undefined;
  }
}
