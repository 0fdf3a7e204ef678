import type { Descriptor } from '../image/descriptor.ts';
import type { Digest } from '../image/digest.ts';

/** Blobs that are expected at the most: uploads that are not needed after all are left to expire. */
const MOST = 10;
/** How long a blob is expected, and an upload that was begun ahead waits for one, in milliseconds. */
const AGE = 30_000;

/** Asks the registry to begin an upload, and gives where its bytes go. */
type Begin = () => Promise<URL>;

/** A blob that may come; its size in bytes is not known of one that was only asked for. */
export type ExpectedBlob = Pick<Descriptor, 'digest'> & Partial<Pick<Descriptor, 'size'>>;

/** A blob for which an upload is wanted. */
interface Claim {
  readonly digest: Digest;
  size: number;
  at: number;
  /** Where its bytes go, when that is known before it has come. */
  target?: URL;
  /** Who has it, when it has come. */
  waiting?: { readonly begin: Begin; resolve(target: URL): void; reject(error: unknown): void };
}

/**
 * Uploads that are begun before the blobs come that they are for: to begin one takes a round trip, and it belongs to no blob
 * until it ends. Each goes to the largest blob that waits or is expected, since that takes longest.
 */
export class BegunUploads {
  #claims: Claim[] = [];
  #spare: { readonly at: number; readonly target: URL }[] = [];
  #underWay = 0;

  /** Has one begun for a blob that may come, if there are not enough. A failure is found out by the blob itself. */
  expect({ digest, size = 0 }: ExpectedBlob, begin: Begin): void {
    this.#forgetOld();
    const known = this.#claims.find((claim) => claim.digest === digest);
    if (known) known.size = Math.max(known.size, size);
    else if (this.#claims.filter(({ waiting }) => !waiting).length < MOST) {
      this.#claims.push({ digest, size, at: performance.now() });
      this.#beginIfLacking(begin, 'ahead');
    }
  }

  /** Keeps one that was begun just now. */
  keep(target: URL): void {
    const [next] = this.#lacking();
    const at = performance.now();
    if (!next) this.#spare.push({ at, target });
    else if (!next.waiting) Object.assign(next, { at, target });
    else {
      this.#remove(next);
      next.waiting.resolve(target);
    }
  }

  /**
   * Where the bytes of a blob go.
   * @throws what came of beginning an upload, when there is none for it
   */
  take({ digest, size }: Pick<Descriptor, 'digest' | 'size'>, begin: Begin): Promise<URL> {
    this.#forgetOld();
    const expected = this.#claims.find((claim) => claim.digest === digest && !claim.waiting);
    if (expected) this.#remove(expected);
    const target = expected?.target ?? this.#spare.shift()?.target;
    if (target) return Promise.resolve(target);
    return new Promise((resolve, reject) => {
      this.#claims.push({ digest, size, at: performance.now(), waiting: { begin, resolve, reject } });
      this.#beginIfLacking(begin, 'now');
    });
  }

  /** Those that have no upload yet, the largest first. */
  #lacking(): Claim[] {
    return this.#claims.filter(({ target }) => !target).toSorted((one, other) => other.size - one.size);
  }

  /** Begins an upload, unless as many are under way as are lacking. */
  #beginIfLacking(begin: Begin, when: 'ahead' | 'now'): void {
    if (this.#lacking().length <= this.#underWay) return;
    this.#underWay += 1;
    begin().then(
      (target) => {
        this.#underWay -= 1;
        this.keep(target);
      },
      (error: unknown) => {
        this.#underWay -= 1;
        this.#failed(error, when);
      },
    );
  }

  /** Whoever else waits gets those that are under way: one that failed is the smallest blob's. */
  #failed(error: unknown, when: 'ahead' | 'now'): void {
    const lacking = this.#lacking();
    const last = lacking.at(-1);
    if (!last || lacking.length <= this.#underWay) return;
    if (last.waiting && when === 'ahead') {
      this.#beginIfLacking(last.waiting.begin, 'now');
      return;
    }
    this.#remove(last);
    last.waiting?.reject(error);
  }

  #remove(claim: Claim): void {
    this.#claims = this.#claims.filter((each) => each !== claim);
  }

  #forgetOld(): void {
    const oldest = performance.now() - AGE;
    this.#claims = this.#claims.filter(({ at, waiting }) => waiting || at > oldest);
    this.#spare = this.#spare.filter(({ at }) => at > oldest);
  }
}
