import type { Clock } from '../../src/ecr/pacing.ts';
import { turn } from '../support/memory.ts';

/** A clock that goes on as soon as all others wait for it; in whole milliseconds, as timers have them. */
export class FakeClock implements Clock {
  readonly #late: () => number;
  #now = 0;
  #sleepers: { readonly at: number; readonly wake: () => void }[] = [];

  /** @param late how many milliseconds too late the next sleeper is woken */
  constructor(late: () => number = () => 0) {
    this.#late = late;
  }

  now(): number {
    return this.#now;
  }

  sleep(milliseconds: number): Promise<void> {
    return new Promise((wake) => {
      this.#sleepers.push({ at: Math.ceil(this.#now + milliseconds) + this.#late(), wake });
    });
  }

  /** Lets time pass until nobody waits for it any more. */
  async run(): Promise<void> {
    for (await turn(); this.#sleepers.length > 0; await turn()) {
      this.#now = Math.max(this.#now, Math.min(...this.#sleepers.map(({ at }) => at)));
      const due = this.#sleepers.filter(({ at }) => at <= this.#now);
      this.#sleepers = this.#sleepers.filter(({ at }) => at > this.#now);
      for (const { wake } of due) wake();
    }
  }
}
