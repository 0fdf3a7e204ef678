import type { Digest } from '../image/digest.ts';

/** An immutable tag that shows something else than it should. */
export interface TakenTag {
  readonly tag: string;
  readonly shown: Digest;
  readonly wanted: Digest;
  /** Whether the images of all platforms are the same, so that only what speaks of them differs. */
  readonly sameImages: boolean;
}

/** Immutable tags of a destination that show something else than they should; found before any tag was written. */
export class TagTakenError extends Error {
  override readonly name = 'TagTakenError';
  readonly taken: readonly TakenTag[];

  constructor(taken: readonly TakenTag[]) {
    const each = taken.map(
      ({ tag, shown, wanted }) => `the tag "${tag}" is immutable and shows ${shown}, not ${wanted}`,
    );
    super(`${each.join('; ')}: ${adviceOn(taken)}`);
    this.taken = taken;
  }
}

function adviceOn(taken: readonly TakenTag[]): string {
  const others = 'publish under a new tag, set "if-tag-exists: keep", or make the tag mutable';
  if (taken.some(({ sameImages }) => !sameImages)) return others;
  return `its images are those of this release, so that "if-tag-exists: same-images" leaves it as it is; or ${others}`;
}

/** What a tag shows, and where. */
export interface TagPlaces {
  readonly shown: Digest;
  /** The names of the destinations. */
  readonly names: readonly string[];
}

/** A tag that shows different images in different destinations. */
export interface DifferingTag {
  readonly tag: string;
  readonly shows: readonly TagPlaces[];
}

/** Tags that have to be kept, but are not the same everywhere; found before any tag was written. */
export class TagsDifferError extends Error {
  override readonly name = 'TagsDifferError';
  readonly differing: readonly DifferingTag[];

  constructor(differing: readonly DifferingTag[]) {
    const each = differing.map(({ tag, shows }) => {
      const places = shows.map(({ shown, names }) => `${shown} in ${names.join(', ')}`);
      return `the tag "${tag}" shows ${places.join(', and ')}`;
    });
    super(
      `${each.join('; ')}: a tag that is kept has to show the same everywhere: remove it where it is wrong, publish under a new tag, or set "if-tag-exists" to something else than "keep"`,
    );
    this.differing = differing;
  }
}
