import { type Graph, imageOf, indexOf } from '../support/images.ts';

/** An index of so many images, which all have one layer; those of another kind are other images. */
export function indexWith(count: number, kind = ''): Graph {
  return indexOf(
    Array.from({ length: count }, (_, position) =>
      imageOf('linux/amd64', {
        layers: ['shared'],
        fields: { annotations: { position: `${position}${kind}` } },
      }),
    ),
  );
}
