import { saysMissing } from '../distribution/errors.ts';
import type { Repository } from '../distribution/repository.ts';
import type { Digest } from '../image/digest.ts';
import {
  blobsOf,
  childrenOf,
  type Manifest,
  type ManifestContent,
  parseManifest,
} from '../image/manifest.ts';
import { type Patience, Pauses } from './patience.ts';

/** Whether a registry shows what it was given. */
interface Shown {
  /** The blob's size in bytes, if it is there. */
  blob(digest: Digest): Promise<number | undefined>;
  manifest(digest: Digest): Promise<boolean>;
}

/**
 * How manifests are written to a repository that may need a moment to see what it was given.
 * @param blob tells of a blob's size in bytes, if the repository shows it
 * @returns what writes one, and no more once its signal is aborted
 */
export function settledWrites(
  repository: Repository,
  blob: Shown['blob'],
  patience: Patience,
): (reference: string, content: ManifestContent, signal: AbortSignal) => Promise<void> {
  const shown: Shown = { blob, manifest: (digest) => repository.hasManifest(digest) };
  return (reference, content, signal) =>
    writeSettled(
      () => repository.writeManifest(reference, content),
      parseManifest(content.bytes, content.mediaType),
      shown,
      patience,
      signal,
    );
}

/**
 * Writes a manifest. When the registry says that something below it is missing, which it has taken a moment ago, waits until
 * the registry shows it, and writes again: ECR is like that right after an upload.
 * @throws what the last try threw, or that it was broken off
 */
async function writeSettled(
  write: () => Promise<void>,
  manifest: Manifest,
  shown: Shown,
  patience: Patience,
  signal: AbortSignal,
): Promise<void> {
  const pauses = new Pauses(patience);
  for (;;) {
    signal.throwIfAborted();
    try {
      return await write();
    } catch (error) {
      if (!saysMissing(error) || pauses.isEnough) throw error;
      // What is shown already may still be refused, so that there is always a pause.
      await pauses.take(signal);
      // That it cannot be looked at says nothing: then the next write tells.
      const isShown = () => showsAll(manifest, shown).catch(() => false);
      while (!pauses.isOver && !(await isShown())) await pauses.take(signal);
    }
  }
}

async function showsAll(manifest: Manifest, shown: Shown): Promise<boolean> {
  const answers = await Promise.all([
    ...blobsOf(manifest).map(async ({ digest }) => (await shown.blob(digest)) !== undefined),
    ...childrenOf(manifest).map(({ digest }) => shown.manifest(digest)),
  ]);
  return answers.every(Boolean);
}
