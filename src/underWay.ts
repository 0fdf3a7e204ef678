/** What is being done at the moment, to be told when it takes too long. */
export class UnderWay {
  readonly #steps = new Set<() => string>();

  /**
   * Does a step.
   * @param what says what it is about at the moment
   */
  async during<T>(what: () => string, step: () => Promise<T>): Promise<T> {
    this.#steps.add(what);
    try {
      return await step();
    } finally {
      this.#steps.delete(what);
    }
  }

  /** All that is being done, in words, from what was begun first; empty when nothing is. */
  get words(): string {
    return [...this.#steps].map((what) => what()).join('; ');
  }
}
