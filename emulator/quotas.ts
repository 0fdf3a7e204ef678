import type { Behaviour } from './behaviour.ts';

/** What is left of one quota, and when that was reckoned. */
interface Bucket {
  left: number;
  /** Epoch milliseconds. */
  at: number;
}

/** What may be lost in adding up fractions. */
const TOLERANCE = 1e-6;

/**
 * How many requests a second an account may make in a region, for each operation.
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html
 */
export class Quotas {
  readonly #rates: ReadonlyMap<string, number>;
  readonly #window: Behaviour['quotaWindow'];
  readonly #now: () => number;
  readonly #buckets = new Map<string, Bucket>();

  /** @param now the clock, in epoch milliseconds */
  constructor({ quotas, quotaWindow }: Pick<Behaviour, 'quotas' | 'quotaWindow'>, now: () => number) {
    this.#rates = new Map(Object.entries(quotas));
    this.#window = quotaWindow;
    this.#now = now;
  }

  /**
   * Counts a request's operations, unless one of them has no room any more: then none is counted.
   * @returns whether the request may go on
   */
  take({ account, region }: { account: string; region: string }, operations: readonly string[]): boolean {
    const limited = [...Map.groupBy(operations, (name) => name)].flatMap(([name, { length }]) => {
      const rate = this.#rates.get(name);
      return rate === undefined
        ? []
        : [{ bucket: this.#bucket(`${account} ${region} ${name}`, rate), length }];
    });
    if (limited.some(({ bucket, length }) => bucket.left < length - TOLERANCE)) return false;
    for (const { bucket, length } of limited) bucket.left -= length;
    return true;
  }

  #bucket(key: string, rate: number): Bucket {
    const now = this.#now();
    const { left, at } = this.#buckets.get(key) ?? { left: rate, at: now };
    const bucket = { left: Math.min(rate, left + this.#refill({ rate, from: at, to: now })), at: now };
    this.#buckets.set(key, bucket);
    return bucket;
  }

  #refill({ rate, from, to }: { rate: number; from: number; to: number }): number {
    if (this.#window === 'bucket') return (rate * Math.max(0, to - from)) / 1_000;
    return Math.floor(from / 1_000) === Math.floor(to / 1_000) ? 0 : rate;
  }
}
