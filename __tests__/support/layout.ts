import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Descriptor } from '../../src/image/descriptor.ts';
import { hexOf } from '../../src/image/digest.ts';
import { describe } from '../../src/image/manifest.ts';
import type { Graph } from './images.ts';

/**
 * Writes an OCI layout.
 * @param entries what its index.json lists; by default the graph's root
 */
export async function writeLayout(
  dir: string,
  { root, manifests, blobs }: Graph,
  entries: readonly Descriptor[] = [describe(root)],
): Promise<void> {
  const files = join(dir, 'blobs', 'sha256');
  await mkdir(files, { recursive: true });
  for (const [digest, content] of blobs) await writeFile(join(files, hexOf(digest)), content);
  for (const [digest, { bytes }] of manifests) await writeFile(join(files, hexOf(digest)), bytes);
  await writeFile(join(dir, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: entries }));
  await writeFile(join(dir, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
}
