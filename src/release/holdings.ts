import type { Digest } from '../image/digest.ts';
import { blobsOf, type Manifest } from '../image/manifest.ts';
import type { Destination } from './content.ts';

/** What has to be asked of a destination. */
type Asked = Pick<Destination, 'statBlob' | 'hasManifest'>;

/**
 * What one destination holds, as far as it was asked or can be concluded. Each question goes out once, however many want
 * to know; one that fails may be asked again.
 */
export class Holdings {
  readonly #destination: Asked;
  readonly #blobs = new Map<Digest, Promise<number | undefined>>();
  readonly #manifests = new Map<Digest, Promise<boolean>>();
  /** Blobs of which it is known whether it holds them. */
  readonly #known = new Set<Digest>();
  /** A manifest that it lacks most likely comes with blobs that it lacks. */
  #lacksSomething = false;

  constructor(destination: Asked) {
    this.#destination = destination;
  }

  /** The size in bytes of a blob that it holds, or nothing when it lacks the blob. */
  blob(digest: Digest): Promise<number | undefined> {
    return once(this.#blobs, digest, async () => {
      const size = await this.#destination.statBlob(digest);
      this.#known.add(digest);
      return size;
    });
  }

  manifest(digest: Digest): Promise<boolean> {
    return once(this.#manifests, digest, async () => {
      const held = await this.#destination.hasManifest(digest);
      this.#lacksSomething ||= !held;
      return held;
    });
  }

  /** Whether it is not known yet if it holds a blob, and most likely it does not. */
  mayLack(digest: Digest): boolean {
    return this.#lacksSomething && !this.#known.has(digest);
  }

  /** Takes note of a manifest that it holds: a registry takes one only with all that it refers to. */
  learn(manifest: Manifest): void {
    this.#manifests.set(manifest.digest, Promise.resolve(true));
    for (const { digest, size } of blobsOf(manifest)) {
      this.#blobs.set(digest, Promise.resolve(size));
      this.#known.add(digest);
    }
  }
}

/** The answer for a digest, asked for once; one that fails is forgotten, so that the next one asks again. */
export function once<T>(answers: Map<Digest, Promise<T>>, digest: Digest, ask: () => Promise<T>): Promise<T> {
  const known = answers.get(digest);
  if (known) return known;
  const asked = ask();
  answers.set(digest, asked);
  asked.catch(() => {
    if (answers.get(digest) === asked) answers.delete(digest);
  });
  return asked;
}

/** Whether all say yes; known to be false as soon as one says no, or cannot tell. */
export function allAgree(answers: readonly Promise<boolean>[]): Promise<boolean> {
  return Promise.all(answers.map(agreed)).then(
    () => true,
    () => false,
  );
}

/**
 * Settles when the first says yes.
 * @throws AggregateError when nobody does
 */
export function anyAgrees(answers: readonly Promise<boolean>[]): Promise<void> {
  return Promise.any(answers.map(agreed));
}

async function agreed(answer: Promise<boolean>): Promise<void> {
  if (!(await answer)) throw new Error('no');
}
