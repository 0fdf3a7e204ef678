import * as z from 'zod/mini';
import { Refusal } from '../src/distribution/server/refusal.ts';
import type { Behaviour } from './behaviour.ts';
import { Sealer } from './sealer.ts';

/** What an authorization token speaks for. */
export interface Grant {
  /** The account of the registry that it is for. */
  readonly account: string;
  readonly region: string;
  /** Whose it is. */
  readonly accessKey: string;
  /** Epoch milliseconds. */
  readonly expires: number;
}

const grantSchema = z.object({
  account: z.string(),
  region: z.string(),
  accessKey: z.string(),
  expires: z.number(),
});

type Refusals = Pick<Behaviour, 'expiredToken' | 'foreignToken' | 'notAuthorized'>;

/**
 * Authorization tokens, as GetAuthorizationToken gives them out and /v2/ takes them: base64 of `AWS:` and a
 * password, which here carries the grant and a seal over it.
 */
export class Tokens {
  readonly #sealer = new Sealer(grantSchema);
  readonly #refusals: Refusals;
  readonly #now: () => number;

  /** @param now the clock, in epoch milliseconds */
  constructor(refusals: Refusals, now: () => number) {
    this.#refusals = refusals;
    this.#now = now;
  }

  /** A token for this grant. */
  issue(grant: Grant): string {
    return Buffer.from(`AWS:${this.#sealer.seal(grant)}`).toString('base64');
  }

  /**
   * Reads the Authorization header of a request to a region's registry.
   * @param host for the challenge
   * @throws Refusal 401 without a token of ours, 400 with one of another region, 403 with one that has expired, as
   *   far as the behaviour does not have it otherwise
   */
  check(header: string | undefined, { region, host }: { region: string; host: string }): Grant {
    const grant = this.#open(header);
    const challenge = `Basic realm="https://${host}/",service="ecr.amazonaws.com"`;
    const { expiredToken, foreignToken } = this.#refusals;
    if (!grant) throw unauthorized(challenge, this.#refusals);
    if (grant.region !== region) {
      if (foreignToken === 401) throw unauthorized(challenge, this.#refusals);
      throw new Refusal(foreignToken, 'DENIED', 'Your Authorization Token is invalid.');
    }
    if (grant.expires <= this.#now()) {
      if (expiredToken === 401) throw unauthorized(challenge, this.#refusals);
      const message = 'Your authorization token has expired. Reauthenticate and try again.';
      throw new Refusal(expiredToken, 'DENIED', message);
    }
    return grant;
  }

  #open(header: string | undefined): Grant | undefined {
    const token = /^Basic +(\S+)$/i.exec(header ?? '')?.[1];
    const [user, password] = Buffer.from(token ?? '', 'base64')
      .toString()
      .split(':', 2);
    return user === 'AWS' ? this.#sealer.open(password ?? '') : undefined;
  }
}

/** A refusal that challenges whoever asks to say who they are. */
export function unauthorized(
  challenge: string,
  { notAuthorized }: Pick<Behaviour, 'notAuthorized'>,
): Refusal {
  return new Refusal(401, 'UNAUTHORIZED', 'Not Authorized', {
    headers: { 'Www-Authenticate': challenge },
    plain: notAuthorized === 'text',
  });
}
