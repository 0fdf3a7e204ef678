/** A token is replaced when it has less than this left, in milliseconds; one that has not even twice that, at half its time. */
const MARGIN = 15 * 60 * 1000;

/** What every authorization has. */
interface Expiring {
  /** The value after `Basic `. */
  readonly token: string;
  /** In milliseconds since 1970. */
  readonly expiresAt: number;
}

/** The authorization token of one registry: asked for once, shared by all requests, renewed before it ends. */
export class RegistryToken<A extends Expiring> {
  readonly #api: { authorize(): Promise<A> };
  readonly #onToken: (token: string) => void;
  readonly #now: () => number;
  #current: Promise<Held<A>> | undefined;

  /** @param onToken told of every new token before it is used, so that it can be masked */
  constructor(
    api: { authorize(): Promise<A> },
    onToken: (token: string) => void,
    now: () => number = Date.now,
  ) {
    this.#api = api;
    this.#onToken = onToken;
    this.#now = now;
  }

  /**
   * The authorization that is good now.
   * @param refused the value of a header that the registry did not take: another one is given if there is any
   */
  async current(refused?: string): Promise<A> {
    const asked = this.#current ?? this.#fetch();
    const held = await asked;
    const good = this.#now() < held.renewAt && toHeader(held.authorization) !== refused;
    return good ? held.authorization : (await this.#replace(asked)).authorization;
  }

  /** The value of the `Authorization` header; see {@link current}. */
  async header(refused?: string): Promise<string> {
    return toHeader(await this.current(refused));
  }

  /** One call for all who find the same token wanting. */
  #replace(stale: Promise<Held<A>>): Promise<Held<A>> {
    return this.#current && this.#current !== stale ? this.#current : this.#fetch();
  }

  #fetch(): Promise<Held<A>> {
    const asked = this.#api.authorize();
    this.#current = asked.then(
      (authorization) => {
        this.#onToken(authorization.token);
        return { authorization, renewAt: renewalOf(authorization, this.#now()) };
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

/** An authorization, and when another one is wanted, in milliseconds since 1970. */
interface Held<A> {
  readonly authorization: A;
  readonly renewAt: number;
}

function renewalOf({ expiresAt }: Expiring, now: number): number {
  const left = expiresAt - now;
  // A token that has just been given out is good: it is this machine's clock that is wrong. The registry will tell.
  if (left <= 0) return Number.POSITIVE_INFINITY;
  return now + Math.max(left - MARGIN, left / 2);
}

function toHeader({ token }: Expiring): string {
  return `Basic ${token}`;
}
