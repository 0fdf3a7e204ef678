/** Uploads that are begun ahead, at the most: those that are not needed are left to expire. */
const MOST = 3;
/** How long one that was begun ahead may wait for its blob, in milliseconds. */
const AGE = 30_000;

/** Asks the registry to begin an upload, and gives where its bytes go. */
type Begin = () => Promise<URL>;

/** A blob that waits for an upload. */
interface Waiting {
  readonly size: number;
  readonly begin: Begin;
  readonly resolve: (target: URL) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Uploads that are begun before it is known which blobs they are for: an upload belongs to no blob until it ends. Of the
 * blobs that wait, the largest gets the first that the registry has begun, whoever asked for it, since it takes longest.
 */
export class BegunUploads {
  #begun: { readonly at: number; readonly target: URL }[] = [];
  /** The largest first. */
  readonly #waiting: Waiting[] = [];
  #underWay = 0;

  /** Has one more begun, if there are not enough. A failure is found out by the blob that would have had it. */
  expect(begin: Begin): void {
    this.#forgetOld();
    if (this.#begun.length + this.#underWay - this.#waiting.length >= MOST) return;
    this.#begin(begin, () => {
      const lacking = this.#lacking();
      if (lacking) this.#beginFor(lacking);
    });
  }

  /** Keeps one that was begun just now. */
  keep(target: URL): void {
    const next = this.#waiting.shift();
    if (next) next.resolve(target);
    else this.#begun.push({ at: performance.now(), target });
  }

  /**
   * Where the bytes of a blob go.
   * @param size of the blob in bytes
   * @throws what came of beginning an upload, when there is none for it
   */
  take(size: number, begin: Begin): Promise<URL> {
    this.#forgetOld();
    const begun = this.#begun.shift();
    if (begun) return Promise.resolve(begun.target);
    return new Promise((resolve, reject) => {
      const waiting = { size, begin, resolve, reject };
      const place = this.#waiting.findIndex((other) => other.size < size);
      this.#waiting.splice(place < 0 ? this.#waiting.length : place, 0, waiting);
      if (this.#lacking()) this.#beginFor(waiting);
    });
  }

  #beginFor({ begin }: Waiting): void {
    this.#begin(begin, (error) => {
      if (!this.#lacking()) return;
      this.#waiting.pop()?.reject(error);
    });
  }

  #begin(begin: Begin, failed: (error: unknown) => void): void {
    this.#underWay += 1;
    begin().then(
      (target) => {
        this.#underWay -= 1;
        this.keep(target);
      },
      (error: unknown) => {
        this.#underWay -= 1;
        failed(error);
      },
    );
  }

  /** A blob for which no upload is being begun: the smallest, for each upload goes to the largest. */
  #lacking(): Waiting | undefined {
    return this.#waiting.length > this.#underWay ? this.#waiting.at(-1) : undefined;
  }

  #forgetOld(): void {
    const oldest = performance.now() - AGE;
    this.#begun = this.#begun.filter(({ at }) => at > oldest);
  }
}
