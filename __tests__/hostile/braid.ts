import { describe as descriptorOf, type Manifest } from '../../src/image/manifest.ts';
import { OCI_INDEX } from '../../src/image/mediaTypes.ts';
import { type Graph, imageOf, manifestOf } from '../support/images.ts';

const image = imageOf('linux/amd64');

/** Indexes of indexes: so many levels of two, each of which lists both of the level below. */
export function braid(levels: number): Graph {
  const manifests = new Map(image.manifests);
  let below: Manifest[] = [image.root];
  for (let level = 0; level < levels; level += 1) {
    below = ['left', 'right'].map((side) =>
      manifestOf(
        { mediaType: OCI_INDEX, manifests: below.map(descriptorOf), annotations: { side } },
        OCI_INDEX,
      ),
    );
    for (const manifest of below) manifests.set(manifest.digest, manifest);
  }
  const [root = image.root] = below;
  return { root, manifests, blobs: image.blobs };
}
