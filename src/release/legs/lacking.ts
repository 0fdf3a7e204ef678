import { formatPlatform } from '../../image/platform.ts';
import type { FoundLeg, LegImage } from '../leg.ts';

/**
 * Says which destinations no leg has landed an image in, as with a job for each platform and region: they get it from the others.
 * @param images those that are stitched
 * @param legs all that have them; one that does not say where it landed is taken to have landed everywhere
 * @returns one line for each destination and image that is copied to it
 */
export function lackingIn(
  images: readonly LegImage[],
  legs: readonly FoundLeg[],
  destinations: readonly { readonly name: string; readonly image: string }[],
): string[] {
  return images.flatMap(({ descriptor }) => {
    const having = legs.filter((leg) =>
      leg.images.some((each) => each.descriptor.digest === descriptor.digest),
    );
    if (having.some((leg) => leg.destinations.length === 0)) return [];
    const landed = new Set(having.flatMap((leg) => leg.destinations));
    const holders = destinations.filter(({ image }) => landed.has(image)).map(({ name }) => name);
    if (holders.length === 0) return [];
    return destinations
      .filter(({ image }) => !landed.has(image))
      .map(
        ({ name }) =>
          `${name}: no job has built ${formatPlatform(descriptor.platform)} for it: it is copied from ${holders.join(', ')}`,
      );
  });
}
