import type { Authorization, EcrApi } from './api.ts';

/** A token is replaced when it has less than this left, in milliseconds. */
const MARGIN = 15 * 60 * 1000;

/** The authorization token of one region: asked for once, shared by all requests, renewed before it ends. */
export class RegionToken {
  readonly #api: EcrApi;
  readonly #onToken: (token: string) => void;
  readonly #now: () => number;
  #current: Promise<Authorization> | undefined;

  /** @param onToken told of every new token before it is used, so that it can be masked */
  constructor(api: EcrApi, onToken: (token: string) => void, now: () => number = Date.now) {
    this.#api = api;
    this.#onToken = onToken;
    this.#now = now;
  }

  /**
   * The authorization that is good now.
   * @param refused the value of a header that the registry did not take: another one is given if there is any
   */
  async current(refused?: string): Promise<Authorization> {
    const held = this.#current ?? this.#fetch();
    const authorization = await held;
    const good = authorization.expiresAt - this.#now() > MARGIN && toHeader(authorization) !== refused;
    return good ? authorization : this.#replace(held);
  }

  /** The value of the `Authorization` header; see {@link current}. */
  async header(refused?: string): Promise<string> {
    return toHeader(await this.current(refused));
  }

  /** One call for all who find the same token wanting. */
  #replace(stale: Promise<Authorization>): Promise<Authorization> {
    return this.#current && this.#current !== stale ? this.#current : this.#fetch();
  }

  #fetch(): Promise<Authorization> {
    const asked = this.#api.authorize();
    this.#current = asked.then(
      (authorization) => {
        this.#onToken(authorization.token);
        return authorization;
      },
      (error) => {
        // A failure is told to those who wait for it, and the next one asks again.
        this.#current = undefined;
        throw error;
      },
    );
    return this.#current;
  }
}

function toHeader({ token }: Authorization): string {
  return `Basic ${token}`;
}
