import { composeIndex } from '../../image/index.ts';
import type { Manifest } from '../../image/manifest.ts';
import { attestationsOf, type Leg } from '../leg.ts';
import type { AssembledImage } from './assemble.ts';
import { composeLeg } from './tagged.ts';
import { namePlatformTags } from './tagName.ts';

/** What tags of single platforms show, by tag, and what keeps them from being used. */
export interface Beside {
  readonly beside: ReadonlyMap<string, Manifest>;
  readonly problems: readonly string[];
}

/**
 * What hands a leg over under tags: for each of its platforms an index of that image and what attests it, which says whose it
 * is.
 * @throws ManifestError for images of Docker's media types, whose index has no annotations
 */
export function tagsOfLeg(leg: Leg, template: string, tags: readonly string[]): Beside {
  const images = leg.images.map((image) => ({ image, platform: image.descriptor.platform }));
  const { named, problems } = namePlatformTags(template, tags, images);
  const composed = named.map(({ tag, of: { image } }): [string, Manifest] => [
    tag,
    composeLeg({ ...leg, images: [image], attestations: attestationsOf(leg, image) }),
  ]);
  return { beside: new Map(composed), problems };
}

/**
 * What tags of single platforms show beside a release: an index of the image and what attests it, which is the leg's own where
 * its tag has one. Never the image itself: ECR deletes an image with its last tag, and none that an index refers to, so that a
 * tag of it could not be taken back.
 */
export function tagsOfImages(
  images: readonly AssembledImage[],
  template: string,
  tags: readonly string[],
): Beside {
  const wanted = images.map((image) => ({ image, platform: image.descriptor.platform }));
  const { named, problems } = namePlatformTags(template, tags, wanted);
  const shown = named.map(({ tag, of: { image } }): [string, Manifest] => [tag, indexOf(image)]);
  return { beside: new Map(shown), problems };
}

function indexOf({ descriptor, attestations, leg }: AssembledImage): Manifest {
  return leg.tagged ?? composeIndex([descriptor, ...attestations]);
}
