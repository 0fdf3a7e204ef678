import type { Manifest } from '../image/manifest.ts';
import type { Destination } from './content.ts';
import { type ReleasePlan, releasedBy, shownBy } from './plan.ts';
import { ManifestRefusedError } from './refused.ts';
import { type Result, resultWithoutTraffic } from './result.ts';

/** A destination that is named, but asked nothing and sent nothing. */
export type Named = Pick<Destination, 'name' | 'image' | 'refusals'>;

/** What would be shown, where, and under which names. */
export interface Rehearsal extends Pick<ReleasePlan, 'root' | 'platforms' | 'tags' | 'beside' | 'startedAt'> {
  readonly named: readonly Named[];
  /**
   * Reads what would be copied, as far as it is within reach, and gives its manifests.
   * @throws when some of it is missing or damaged
   */
  readonly read: () => Promise<readonly Manifest[]>;
  /** Words for the user why a destination would fail. */
  readonly explain: (error: Error, destination: Pick<Named, 'name' | 'image'>) => string;
}

/**
 * Goes through a release without any registry: reads the content, and holds every manifest against what each destination takes.
 * @returns one result for each destination, in order, as a release gives them
 * @throws what `read` throws: content that is not whole could be published nowhere
 */
export async function rehearse(rehearsal: Rehearsal, now = Date.now): Promise<Result[]> {
  const read = await rehearsal.read();
  const all = [...releasedBy(rehearsal), ...read];
  const manifests = [...new Map(all.map((manifest) => [manifest.digest, manifest])).values()];
  return rehearsal.named.map((destination) => toResult(rehearsal, destination, manifests, now()));
}

function toResult(
  rehearsal: Rehearsal,
  destination: Named,
  manifests: readonly Manifest[],
  endedAt: number,
): Result {
  const refused = manifests.flatMap((manifest) => {
    const reasons = destination.refusals(manifest);
    return reasons.length > 0 ? [{ digest: manifest.digest, reasons }] : [];
  });
  const shown = [...shownBy(rehearsal)].map(([tag, { digest }]) => [tag, digest]);
  return {
    ...resultWithoutTraffic(destination, rehearsal, endedAt),
    state: refused.length > 0 ? 'failed' : 'not pushed',
    tags: refused.length > 0 ? {} : Object.fromEntries(shown),
    platforms: rehearsal.platforms,
    ...(refused.length > 0 && { error: rehearsal.explain(new ManifestRefusedError(refused), destination) }),
  };
}
