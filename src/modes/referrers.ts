import type { Repository } from '../distribution/repository.ts';
import { adviceOnSource } from '../ecr/explain.ts';
import { type Manifest, ManifestError } from '../image/manifest.ts';
import { formatReference, type Reference } from '../image/reference.ts';
import { Problems } from '../problems.ts';
import { toError } from '../release/errors.ts';
import { findReferrers, type Referrers } from '../release/referrers.ts';
import type { Spool } from '../release/spool.ts';
import type { Services } from './services.ts';

/** An image that is mirrored: what is published of it, what was found, and under which name. */
interface Mirrored {
  readonly root: Manifest;
  readonly found: Manifest;
  readonly reference: Reference;
}

/**
 * Finds what refers to an image that is mirrored, and keeps the manifests in the spool.
 * @param repository where the image comes from
 * @throws Problems when it cannot be read, or is not what it was said to be
 */
export async function referrersOf(
  { root, found, reference }: Mirrored,
  repository: Repository,
  spool: Spool,
  { log }: Pick<Services, 'log'>,
): Promise<Referrers> {
  const tagged = async (tag: string) => {
    const shown = await repository.readManifest(tag);
    if (shown) spool.keep(shown);
    return shown;
  };
  const referrers = await findReferrers(root, {
    name: reference.registry,
    manifest: (descriptor) => spool.manifest(descriptor),
    referrers: (subject) => repository.referrers(subject),
    tagged,
  }).catch((error: unknown) => {
    throw new Problems([problemOf(error, reference)], { cause: error });
  });
  if (root.digest !== found.digest) {
    log.info(
      `what refers to the index ${found.digest} is left out: with "platforms", another one is published`,
    );
  }
  for (const { digest, subject } of referrers.manifests) log.info(`${digest} refers to ${subject?.digest}`);
  for (const [tag, { digest }] of referrers.tagged) log.info(`${digest} has the tag ${tag}`);
  return referrers;
}

function problemOf(thrown: unknown, reference: Reference): string {
  // What the source gave no manifest for is worded as a problem of the source's, and is one of this input.
  const error = thrown instanceof Problems ? (thrown.cause ?? thrown) : thrown;
  const advice = error instanceof ManifestError ? undefined : adviceOnSource(error, reference);
  const why = `${toError(error).message}${advice ? `; ${advice}` : ''}`;
  return `input "referrers": what refers to ${formatReference(reference)} cannot be mirrored: ${why}; or leave "referrers" out`;
}

/** How many manifests there are that refer to an image. */
export function countOf({ manifests, tagged }: Referrers): number {
  return new Set([...manifests, ...tagged.values()].map(({ digest }) => digest)).size;
}
