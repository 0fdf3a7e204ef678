import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import * as z from 'zod/mini';
import { Refusal } from '../src/distribution/server/refusal.ts';

/** What an authorization token speaks for. */
export interface Grant {
  readonly account: string;
  readonly region: string;
  /** Epoch milliseconds. */
  readonly expires: number;
}

const grantSchema = z.object({ account: z.string(), region: z.string(), expires: z.number() });

/**
 * Authorization tokens, as GetAuthorizationToken gives them out and /v2/ takes them: base64 of `AWS:` and a
 * password, which here carries the grant and a seal over it.
 */
export class Tokens {
  readonly #key = randomBytes(32);
  readonly #now: () => number;

  /** @param now the clock, in epoch milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** A token for this grant. */
  issue(grant: Grant): string {
    const payload = Buffer.from(JSON.stringify(grant)).toString('base64url');
    return Buffer.from(`AWS:${payload}.${this.#seal(payload).toString('base64url')}`).toString('base64');
  }

  /**
   * Reads the Authorization header of a request to a region's registry.
   * @param host for the challenge
   * @throws Refusal 401 without a token of ours, 400 with one of another region, 403 with one that has expired
   */
  check(header: string | undefined, { region, host }: { region: string; host: string }): Grant {
    const grant = this.#open(header);
    if (!grant) {
      throw new Refusal(401, 'UNAUTHORIZED', 'Not Authorized', {
        headers: { 'Www-Authenticate': `Basic realm="https://${host}/",service="ecr.amazonaws.com"` },
        plain: true,
      });
    }
    if (grant.region !== region) throw new Refusal(400, 'DENIED', 'Your Authorization Token is invalid.');
    if (grant.expires <= this.#now()) {
      throw new Refusal(403, 'DENIED', 'Your authorization token has expired. Reauthenticate and try again.');
    }
    return grant;
  }

  #open(header: string | undefined): Grant | undefined {
    const token = /^Basic +(\S+)$/i.exec(header ?? '')?.[1];
    const [user, password] = Buffer.from(token ?? '', 'base64')
      .toString()
      .split(':', 2);
    const [payload, seal] = (password ?? '').split('.', 2);
    if (user !== 'AWS' || !payload || !seal) return undefined;
    const [given, expected] = [Buffer.from(seal, 'base64url'), this.#seal(payload)];
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
    return z.parse(grantSchema, JSON.parse(Buffer.from(payload, 'base64url').toString()));
  }

  #seal(payload: string): Buffer {
    return createHmac('sha256', this.#key).update(payload).digest();
  }
}
