/** Uploads that are begun ahead, at the most: those that are not needed are left to expire. */
const MOST = 3;
/** How long one that was begun ahead may wait for its blob, in milliseconds. */
const AGE = 30_000;

/** Uploads that are begun before it is known which blobs they are for: an upload belongs to no blob until it ends. */
export class BegunUploads {
  #begun: { readonly at: number; readonly target: Promise<URL> }[] = [];

  /** Has one more begun, if there are not enough. A failure is found out by the upload itself. */
  expect(begin: () => Promise<URL>): void {
    this.#forgetOld();
    if (this.#begun.length >= MOST) return;
    const target = begin();
    target.catch(() => undefined);
    this.keep(target);
  }

  /** Keeps one that was begun just now. */
  keep(target: Promise<URL>): void {
    this.#begun.push({ at: performance.now(), target });
  }

  /** Where the bytes of one go, or nothing when there is none. */
  take(): Promise<URL> | undefined {
    this.#forgetOld();
    return this.#begun.shift()?.target;
  }

  #forgetOld(): void {
    const oldest = performance.now() - AGE;
    this.#begun = this.#begun.filter(({ at }) => at > oldest);
  }
}
