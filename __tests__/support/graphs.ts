import fc from 'fast-check';
import type { Descriptor } from '../../src/image/descriptor.ts';
import { type Digest, digestOf } from '../../src/image/digest.ts';
import { blobsOf, childrenOf, describe, type Manifest } from '../../src/image/manifest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../../src/image/mediaTypes.ts';
import { blobOf, type Graph, manifestOf, OCI_CONFIG, OCI_LAYER } from './images.ts';

const picks = fc.array(fc.nat(), { maxLength: 4 });

/**
 * Graphs of every shape: images that share blobs, indexes that share images and stand in other indexes, single
 * images, fields that nobody knows, and white space that only a copy byte for byte keeps.
 */
export const graphs: fc.Arbitrary<Graph> = fc
  .record({
    blobs: fc.array(fc.uint8Array({ minLength: 1, maxLength: 64 }), { minLength: 1, maxLength: 6 }),
    images: fc.array(fc.record({ config: fc.nat(), layers: picks, extra: fc.string() }), {
      minLength: 1,
      maxLength: 4,
    }),
    indexes: fc.array(fc.record({ children: picks, first: fc.nat(), extra: fc.string() }), { maxLength: 3 }),
    indent: fc.nat({ max: 3 }),
  })
  .map(({ blobs, images, indexes, indent }) => {
    const at = <T>(list: readonly T[], position: number): T => {
      const found = list[position % list.length];
      if (found === undefined) throw new Error('there is nothing to pick from');
      return found;
    };
    const write = (fields: Readonly<Record<string, unknown>>, mediaType: string) =>
      manifestOf(JSON.stringify({ schemaVersion: 2, mediaType, ...fields }, null, indent), mediaType);
    const nodes: Manifest[] = images.map(({ config, layers, extra }) =>
      write(
        {
          config: blobOf(at(blobs, config), OCI_CONFIG),
          layers: layers.map((layer) => blobOf(at(blobs, layer), OCI_LAYER)),
          'x-unknown': extra,
        },
        OCI_MANIFEST,
      ),
    );
    for (const { children, first, extra } of indexes) {
      const listed: Descriptor[] = [first, ...children].map((child) => describe(at(nodes, child)));
      nodes.push(write({ manifests: listed, 'x-unknown': extra }, OCI_INDEX));
    }
    return below(at(nodes, nodes.length - 1), nodes, blobs);
  });

/** The graph of what can be reached from a root, and nothing else. */
function below(root: Manifest, nodes: readonly Manifest[], contents: readonly Uint8Array[]): Graph {
  const manifests = new Map<Digest, Manifest>();
  const blobs = new Map<Digest, Uint8Array>();
  const visit = (manifest: Manifest) => {
    manifests.set(manifest.digest, manifest);
    for (const { digest } of blobsOf(manifest)) {
      const content = contents.find((each) => digestOf(each) === digest);
      if (content) blobs.set(digest, content);
    }
    for (const { digest } of childrenOf(manifest)) {
      const child = nodes.find((each) => each.digest === digest);
      if (child) visit(child);
    }
  };
  visit(root);
  return { root, manifests, blobs };
}
