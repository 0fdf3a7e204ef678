import { setTimeout as sleep } from 'node:timers/promises';

/** How patiently a registry is waited for that does not see yet what it has taken. Times are in milliseconds. */
export interface Patience {
  /** The first pause; each one is twice as long as the one before. */
  readonly first: number;
  /** The longest pause. */
  readonly most: number;
  /** All of it together. */
  readonly limit: number;
}

export const DEFAULT_PATIENCE: Patience = { first: 200, most: 5_000, limit: 30_000 };

/** The pauses between the looks at something that is waited for. */
export class Pauses {
  readonly #most: number;
  readonly #deadline: number;
  #next: number;

  constructor({ first, most, limit }: Patience) {
    this.#most = most;
    this.#deadline = performance.now() + limit;
    this.#next = first;
  }

  /** Whether another pause would be over too late. */
  get isEnough(): boolean {
    return performance.now() + this.#next > this.#deadline;
  }

  /** Whether the time is over. */
  get isOver(): boolean {
    return performance.now() >= this.#deadline;
  }

  /** @throws the signal's reason, by an AbortError, when it is aborted meanwhile */
  async take(signal: AbortSignal): Promise<void> {
    await sleep(this.#next, undefined, { signal });
    this.#next = Math.min(2 * this.#next, this.#most);
  }
}
