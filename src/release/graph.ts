import { finished } from 'node:stream/promises';
import { type Descriptor, uniqueByDigest } from '../image/descriptor.ts';
import type { Digest } from '../image/digest.ts';
import { blobsOf, childrenOf, type Manifest, ManifestError } from '../image/manifest.ts';
import { isManifestType } from '../image/mediaTypes.ts';
import type { Source } from './content.ts';

/** How many indexes may stand above each other; builders make one. */
const MAX_DEPTH = 8;

/**
 * Refuses what nobody means, and what would take long to follow.
 * @param depth how many indexes stand above it
 * @throws ManifestError
 */
export function assertShallow({ digest }: Descriptor, depth: number): void {
  if (depth <= MAX_DEPTH) return;
  throw new ManifestError(`${digest} stands below ${depth} indexes, of which ${MAX_DEPTH} are enough`);
}

/** All that a root refers to. */
export interface Graph {
  /** The root, and every manifest below it. */
  readonly manifests: readonly Manifest[];
  readonly blobs: readonly Descriptor[];
}

/**
 * Reads every manifest below a root, once.
 * @throws ManifestError when indexes stand above each other as no builder makes them, and what the source throws for a manifest
 *   that it lacks
 */
export async function readGraph(root: Descriptor, source: Source): Promise<Graph> {
  const manifests = new Map<Digest, Promise<Manifest>>();
  const others: Descriptor[] = [];
  const visit = async (descriptor: Descriptor, depth: number): Promise<void> => {
    if (manifests.has(descriptor.digest)) return;
    assertShallow(descriptor, depth);
    const reading = source.manifest(descriptor);
    manifests.set(descriptor.digest, reading);
    const children = childrenOf(await reading);
    others.push(...children.filter(({ mediaType }) => !isManifestType(mediaType)));
    const below = children.filter(({ mediaType }) => isManifestType(mediaType));
    await Promise.all(below.map((child) => visit(child, depth + 1)));
  };
  await visit(root, 0);
  const found = await Promise.all(manifests.values());
  return { manifests: found, blobs: uniqueByDigest([...found.flatMap(blobsOf), ...others]) };
}

/**
 * Reads all content below a root from its first byte to its last, as a copy of it would: what is missing or damaged is found
 * by its source.
 * @returns the manifests
 * @throws what the source throws
 */
export async function readThrough(root: Descriptor, source: Source): Promise<readonly Manifest[]> {
  const { manifests, blobs } = await readGraph(root, source);
  // One after the other: what takes its time is the disk, or the line.
  for (const blob of blobs) await finished((await source.blob(blob)).resume());
  return manifests;
}

/**
 * The size in bytes of all blobs below a root, each counted once.
 * @throws what the source throws for a manifest that it lacks
 */
export async function graphBytes(root: Descriptor, source: Source): Promise<number> {
  const { blobs } = await readGraph(root, source);
  return blobs.reduce((sum, { size }) => sum + size, 0);
}
