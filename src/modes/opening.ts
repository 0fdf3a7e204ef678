import type { OpenDestinations } from '../ecr/destinations.ts';
import type { PrivateRegistries } from '../ecr/privateRegistries.ts';
import type { Target } from '../inputs/target.ts';
import type { Destination } from '../release/content.ts';
import { Holdings } from '../release/holdings.ts';
import { openTarget, type Services } from './services.ts';

/** Regions that are being opened. */
export interface OpeningRegions {
  readonly opening: Promise<OpenDestinations>;
  /** What each holds, from when that one is open; nothing for one that is gone on without. */
  readonly regions: readonly Promise<Holdings | undefined>[];
  /** The same, of those that are open. */
  readonly known: ReadonlyMap<Destination, Holdings>;
}

/** Opens the regions side by side, each of which may be asked as soon as it is open. */
export function openEach(
  target: Target,
  tags: readonly string[],
  registries: PrivateRegistries,
  services: Services,
): OpeningRegions {
  const known = new Map<Destination, Holdings>();
  const regions = target.places.map(() => Promise.withResolvers<Holdings | undefined>());
  const opening = openTarget(target, tags, services, {
    registries,
    opened: (destination, position) => {
      const holdings = new Holdings(destination);
      known.set(destination, holdings);
      regions[position]?.resolve(holdings);
    },
  });
  for (const { promise, resolve, reject } of regions) {
    opening.then(() => resolve(undefined), reject);
    // Whoever opens the regions tells why there are none.
    promise.catch(() => undefined);
  }
  return { opening, regions: regions.map(({ promise }) => promise), known };
}
