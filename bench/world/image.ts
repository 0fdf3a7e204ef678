import { randomFillSync } from 'node:crypto';
import { mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Descriptor } from '../../src/image/descriptor.ts';
import { hexOf } from '../../src/image/digest.ts';
import { blobsOf, childrenOf, describe } from '../../src/image/manifest.ts';
import { openLayout } from '../../src/layout/layout.ts';

const ARCHITECTURES = ['amd64', 'arm64'];
const STEP = 4 * 1024 * 1024;

/**
 * Writes a build context whose image has one layer for each size, in each of two platforms: random bytes, which do not
 * compress, so that what is sent has the size that was asked for.
 * @param sizes in bytes, the lowest layer first
 */
export async function writeContext(
  dir: string,
  sizes: readonly number[],
  architectures: readonly string[] = ARCHITECTURES,
): Promise<void> {
  const copies = sizes.map((_, layer) => `COPY --from=files ${layer} /${layer}`);
  const dockerfile = ['FROM $TARGETARCH AS files', 'FROM scratch', ...copies, ''];
  for (const architecture of architectures) {
    await mkdir(join(dir, architecture), { recursive: true });
    for (const [layer, size] of sizes.entries())
      await writeNoise(join(dir, architecture, String(layer)), size);
  }
  await writeFile(join(dir, 'Dockerfile'), dockerfile.join('\n'));
}

/**
 * Where each platform's files are, for `--build-context`. In one context for both, the platforms would stand in each
 * other's way: BuildKit gives a context to one of them at a time, and fetches it anew for the other.
 */
export function namedContexts(
  dir: string,
  architectures: readonly string[] = ARCHITECTURES,
): readonly string[] {
  return architectures.map((architecture) => `${architecture}=${join(dir, architecture)}`);
}

/** Puts new bytes into the top layer of both platforms. */
export async function renewTopLayer(dir: string, sizes: readonly number[]): Promise<void> {
  const top = sizes.length - 1;
  for (const architecture of ARCHITECTURES) {
    await writeNoise(join(dir, architecture, String(top)), sizes[top] ?? 0);
  }
}

async function writeNoise(path: string, size: number): Promise<void> {
  const file = await open(path, 'w');
  const buffer = Buffer.alloc(Math.min(STEP, size));
  try {
    for (let left = size; left > 0; left -= STEP) {
      await file.write(randomFillSync(buffer).subarray(0, Math.min(left, STEP)));
    }
  } finally {
    await file.close();
  }
}

/** A blob of an image that lies in an OCI layout, and the file that holds it. */
export interface BlobFile extends Pick<Descriptor, 'digest' | 'size'> {
  readonly path: string;
}

/** All blobs of the image in an OCI layout, configs included and each of them once. */
export async function blobsIn(layout: string): Promise<BlobFile[]> {
  const { root, source } = await openLayout(layout);
  const blobs = new Map<string, BlobFile>();
  const visit = async (descriptor: Descriptor): Promise<void> => {
    const manifest = await source.manifest(descriptor);
    for (const { digest, size } of blobsOf(manifest)) {
      blobs.set(digest, { digest, size, path: join(layout, 'blobs', 'sha256', hexOf(digest)) });
    }
    for (const child of childrenOf(manifest)) await visit(child);
  };
  await visit(describe(root));
  return [...blobs.values()];
}
