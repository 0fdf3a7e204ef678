import { describe, type Manifest, type ManifestContent, platformsOf } from '../image/manifest.ts';
import { formatPlatform } from '../image/platform.ts';
import type { Destination } from './content.ts';

/** A destination that shows something else than what was published. */
export class VerificationError extends Error {
  override readonly name = 'VerificationError';
}

/** A tag, and what it has to show. */
export interface ExpectedTag {
  readonly tag: string;
  readonly after: ManifestContent;
}

/**
 * Reads back what was published and compares: every tag must give the bytes that were decided on for it, and an index that
 * was published must name the platforms that it should.
 * @param root what was published; read by its digest alone when there are no tags
 * @param platforms of the root, in normal form; empty when it is a single image, whose config was read before
 * @throws VerificationError naming the tag and both digests or lists of platforms
 */
export async function verify(
  root: ManifestContent,
  tags: readonly ExpectedTag[],
  platforms: readonly string[],
  destination: Destination,
): Promise<void> {
  const readings =
    tags.length > 0
      ? tags.map(async ({ tag, after }) => ({ what: tag, after, found: await destination.tagged(tag) }))
      : [destination.manifest(describe(root)).then((found) => ({ what: root.digest, after: root, found }))];
  for (const { what, after, found } of await Promise.all(readings)) {
    assertDigest(what, after, found);
    if (found.digest === root.digest) assertPlatforms(what, platforms, found);
  }
}

function assertDigest(
  what: string,
  expected: ManifestContent,
  found: Manifest | undefined,
): asserts found is Manifest {
  if (found?.digest === expected.digest) return;
  throw new VerificationError(
    `${what} shows ${found?.digest ?? 'nothing'}, but ${expected.digest} was published; somebody else may have written it meanwhile: let runs that write the same tags wait for each other ("concurrency"), and run the job again`,
  );
}

function assertPlatforms(what: string, platforms: readonly string[], found: Manifest): void {
  if (found.kind !== 'index') return;
  const shown = platformsOf(found).map(formatPlatform).toSorted();
  const wanted = platforms.toSorted();
  if (shown.join() !== wanted.join()) {
    throw new VerificationError(
      `${what} has the platforms ${shown.join(', ')}, not ${wanted.join(', ')}: build its images anew`,
    );
  }
}
