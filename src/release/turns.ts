/** Lets a few pieces of work run beside each other; of those that wait, the largest has the next turn. */
export class Turns {
  readonly #waiting: { readonly size: number; readonly begin: () => void }[] = [];
  #free: number;

  /** @param most how many run beside each other */
  constructor(most: number) {
    this.#free = most;
  }

  /**
   * Runs work as soon as it has a turn, and gives what it gives.
   * @param size of the work, in whatever unit all of it is measured in
   */
  async run<T>(size: number, work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await this.#turn(size);
    try {
      return await work();
    } finally {
      // A turn is handed on: nobody who comes at this moment gets in between.
      const next = this.#waiting.shift();
      if (next) next.begin();
      else this.#free += 1;
    }
  }

  #turn(size: number): Promise<void> {
    return new Promise((begin) => {
      const place = this.#waiting.findIndex((other) => other.size < size);
      this.#waiting.splice(place < 0 ? this.#waiting.length : place, 0, { size, begin });
    });
  }
}
