interface Deliverer {
  deliver(now: number): number | undefined;
}

/**
 * One timer for all pipes: with a few hundred chunks a second on each of dozens of connections, a timer a chunk would cost
 * more than moving the bytes. A tick delivers whatever is due; that it comes up to a millisecond late does not add up,
 * since every chunk's time is counted from the one before it and not from the tick.
 */
export class Clock {
  readonly #waiting = new Map<Deliverer, number>();
  #timer: NodeJS.Timeout | undefined;
  #ringsAt = Number.POSITIVE_INFINITY;

  /** Has the pipe deliver at that moment, as `performance.now` counts. */
  wake(pipe: Deliverer, at: number): void {
    this.#waiting.set(pipe, at);
    this.#ring(at);
  }

  #ring(at: number): void {
    if (at >= this.#ringsAt) return;
    clearTimeout(this.#timer);
    this.#ringsAt = at;
    this.#timer = setTimeout(() => this.#tick(), Math.max(1, at - performance.now()));
  }

  #tick(): void {
    this.#ringsAt = Number.POSITIVE_INFINITY;
    const now = performance.now();
    const due = [...this.#waiting].filter(([, at]) => at <= now + 0.5);
    for (const [pipe] of due) this.#waiting.delete(pipe);
    for (const [pipe] of due) pipe.deliver(now + 0.5);
    const next = Math.min(...this.#waiting.values());
    if (Number.isFinite(next)) this.#ring(next);
  }
}
