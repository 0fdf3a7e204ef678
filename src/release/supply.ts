import { uniqueByDigest } from '../image/descriptor.ts';
import type { Digest } from '../image/digest.ts';
import { describe, type ManifestContent } from '../image/manifest.ts';
import { anyOf, type Source } from './content.ts';
import { type DecidedTag, isChange } from './decide.ts';
import type { Replica } from './replicate.ts';

/** A destination, and what its tags shall show. */
interface Decided {
  readonly replica: Pick<Replica, 'destination' | 'copyFrom'>;
  readonly decided: readonly DecidedTag[];
}

/**
 * Gives what copies images that tags shall show instead of the release, which destinations need not hold: each comes from
 * those that show it, with all that it refers to.
 * @param held what is released, which all hold
 * @param all the destinations with what was decided for them, those that go no further too: they can be read
 * @param relay makes a source that reads what several want once for all of them
 * @returns a function that copies what one of the destinations needs, and tells whether it needed anything
 */
export function supplyOf(
  held: readonly ManifestContent[],
  all: readonly Decided[],
  relay: (upstream: Source) => Source,
): (step: Decided) => Promise<boolean> {
  const sources = new Map<Digest, Source>();
  const sourceOf = (digest: Digest): Source => {
    const known = sources.get(digest);
    if (known) return known;
    const holders = all.filter(({ decided }) => decided.some(({ before }) => before?.digest === digest));
    const source = relay(anyOf(holders.map(({ replica }) => replica.destination)));
    sources.set(digest, source);
    return source;
  };
  return async ({ replica, decided }) => {
    const wanted = decided.filter(
      (each) => isChange(each) && !held.some(({ digest }) => digest === each.after.digest),
    );
    const others = uniqueByDigest(wanted.map(({ after }) => describe(after)));
    // One after the other: when one fails, nothing is still running.
    for (const other of others) await replica.copyFrom(sourceOf(other.digest), other);
    return others.length > 0;
  };
}
