import { describe, type Manifest, type ManifestContent, platformsOf } from '../image/manifest.ts';
import { formatPlatform } from '../image/platform.ts';
import type { Destination } from './content.ts';

/** A destination that shows something else than what was published. */
export class VerificationError extends Error {
  override readonly name = 'VerificationError';
}

/**
 * Reads back what was published and compares: every tag (or the digest alone, when there are none) must give the same
 * bytes, and an index must name the platforms that it should.
 * @param platforms in normal form; empty when the root is a single image, whose config was read before
 * @throws VerificationError naming the tag and both digests or lists of platforms
 */
export async function verify(
  root: ManifestContent,
  tags: readonly string[],
  platforms: readonly string[],
  destination: Destination,
): Promise<void> {
  const readings =
    tags.length > 0
      ? tags.map(async (tag) => ({ what: tag, found: await destination.tagged(tag) }))
      : [destination.manifest(describe(root)).then((found) => ({ what: root.digest, found }))];
  for (const { what, found } of await Promise.all(readings)) compare(root, platforms, what, found);
}

function compare(
  root: ManifestContent,
  platforms: readonly string[],
  what: string,
  found: Manifest | undefined,
): void {
  if (found?.digest !== root.digest) {
    throw new VerificationError(
      `${what} shows ${found?.digest ?? 'nothing'}, but ${root.digest} was published`,
    );
  }
  if (found.kind !== 'index') return;
  const shown = platformsOf(found).map(formatPlatform).toSorted();
  const wanted = platforms.toSorted();
  if (shown.join() !== wanted.join()) {
    throw new VerificationError(`${what} has the platforms ${shown.join(', ')}, not ${wanted.join(', ')}`);
  }
}
