import type { Digest } from '../../../src/image/digest.ts';
import type { Manifest } from '../../../src/image/manifest.ts';
import { attestationOf, type Graph, type Image, imageOf, indexOf } from '../../support/images.ts';
import { MemoryDestination } from '../../support/memory.ts';

function imagesOf(name: string): readonly [Image, Image] {
  const image = (platform: string) => imageOf(platform, { layers: ['shared', `${name} ${platform}`] });
  return [image('linux/amd64'), image('linux/arm64')];
}

const [amd64, arm64] = imagesOf('new');

/** What is released. */
export const RELEASE = indexOf([amd64, arm64]);

/** What is released beside it, where anything is: an image by itself, and an index of one. */
const BESIDE: ReadonlyMap<string, Graph> = new Map([
  ['v1-amd64', amd64],
  ['v1-arm64', indexOf([arm64], { annotations: { made: 'now' } })],
]);

export const MANIFESTS_BESIDE: ReadonlyMap<string, Manifest> = new Map(
  [...BESIDE].map(([tag, { root }]) => [tag, root]),
);

export const ROOT_TAGS = ['v1', 'latest'];
/** Every tag that may be written. */
export const ALL_TAGS: readonly string[] = [...ROOT_TAGS, ...BESIDE.keys()];

/**
 * What a tag may show before: two earlier images, one whose images are those of the release but for what is said of them, or the
 * release itself.
 */
export const SHOWS = ['nothing', 'earlier', 'another', 'twin', 'release'] as const;
export type Shows = (typeof SHOWS)[number];

const EARLIER = indexOf(imagesOf('old'));
const ANOTHER = indexOf(imagesOf('other'));
const TWIN = indexOf([amd64, arm64, attestationOf(amd64)]);
const TWINS_BESIDE: ReadonlyMap<string, Graph> = new Map([
  ['v1-amd64', indexOf([amd64])],
  ['v1-arm64', indexOf([arm64], { annotations: { made: 'earlier' } })],
]);

/** The image that a tag shows. */
export function graphOf(tag: string, shows: Exclude<Shows, 'nothing'>): Graph {
  if (shows === 'earlier') return EARLIER;
  if (shows === 'another') return ANOTHER;
  if (shows === 'twin') return TWINS_BESIDE.get(tag) ?? TWIN;
  return BESIDE.get(tag) ?? RELEASE;
}

export function releaseUnder(tag: string): Digest {
  return graphOf(tag, 'release').root.digest;
}

/** Whether an image is as good as the release under this tag: an image by itself is the same as none but itself. */
export function isAsGood(tag: string, digest: Digest): boolean {
  if (digest === releaseUnder(tag)) return true;
  return tag !== 'v1-amd64' && digest === graphOf(tag, 'twin').root.digest;
}

/** Every blob that there is. */
export const BLOBS: ReadonlyMap<Digest, Uint8Array> = new Map(
  ALL_TAGS.flatMap((tag) =>
    (['earlier', 'another', 'twin', 'release'] as const).flatMap((shows) => [...graphOf(tag, shows).blobs]),
  ),
);

/** What is released, as a source. */
export function releasedSource(): MemoryDestination {
  const source = new MemoryDestination('source', RELEASE);
  for (const graph of BESIDE.values()) source.hold(graph);
  return source;
}
