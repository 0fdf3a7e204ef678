import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from '../../emulator/traffic.ts';

/**
 * Has the emulator answer in rounds: no request of a round is answered before no more have come for a while. What comes
 * in a later round has waited for an answer of an earlier one, however slow this machine is.
 */
export class Rounds {
  readonly #quiet: number;
  #counting = false;
  #count = 0;
  #round: Promise<void> | undefined;
  #lastCame = 0;

  /** @param quiet how long nothing has to come until a round is over, in milliseconds */
  constructor(quiet = 50) {
    this.#quiet = quiet;
  }

  /** How many rounds there were: the round trips one after the other. */
  get count(): number {
    return this.#count;
  }

  /** Lets requests pass until {@link start}. */
  readonly fault: Fault = async () => {
    if (!this.#counting) return undefined;
    this.#lastCame = performance.now();
    this.#round ??= this.#begin();
    await this.#round;
    return undefined;
  };

  start(): void {
    this.#counting = true;
  }

  async #begin(): Promise<void> {
    this.#count += 1;
    for (let left = this.#quiet; left > 0; left = this.#quiet - (performance.now() - this.#lastCame)) {
      await sleep(left);
      // When this process was held up, what has come meanwhile is still to be heard of.
      for (let turns = 0; turns < 5; turns += 1) await nextTurn();
    }
    this.#round = undefined;
  }
}
