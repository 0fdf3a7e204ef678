import { ambiguitiesOf, ambiguityOf, type Listed } from '../image/choice.ts';
import { isCompanion, spokenOf } from '../image/descriptor.ts';
import { composeIndex } from '../image/index.ts';
import { type Index, type Manifest, platformsOf } from '../image/manifest.ts';
import { answersPlatform, formatPlatform, type Platform } from '../image/platform.ts';
import { formatReference } from '../image/reference.ts';
import type { MirrorInputs } from '../inputs/inputs.ts';
import { Problems } from '../problems.ts';
import type { Source } from '../release/content.ts';
import { platformOfImage } from '../release/inspect.ts';
import type { Log } from './services.ts';

/** What is mirrored of a source. */
export interface Selection {
  readonly root: Manifest;
  /** Of the root, in normal form. */
  readonly platforms: readonly string[];
}

/**
 * What is mirrored of a source: the whole of it, byte for byte, or an index of the platforms that were asked for and what speaks
 * of them.
 * @param content where the configs are read from of images that no index lists
 * @throws Problems when it has no image at all, or none of a platform, or several; ManifestError when an image's config or an
 *   index of the platforms is none that can be
 */
export async function selectPlatforms(
  found: Manifest,
  { platforms: wanted, source: reference }: Pick<MirrorInputs, 'platforms' | 'source'>,
  content: Source,
  { info }: Pick<Log, 'info'>,
): Promise<Selection> {
  const source = formatReference(reference);
  assertHoldsImage(found, source);
  const have = found.kind === 'index' ? platformsOf(found) : [await platformOfImage(found, content)];
  assertHas(found, have, wanted, source);
  if (found.kind === 'image') return { root: found, platforms: have.map(formatPlatform) };
  const images = imagesOf(found);
  if (wanted.length === 0) {
    const ambiguities = ambiguitiesOf(images);
    if (ambiguities.length > 0) info(`${source} ${ambiguityOf(ambiguities)}: it is copied as it is`);
    return { root: found, platforms: have.map(formatPlatform) };
  }
  const kept = images.filter(({ descriptor }) =>
    wanted.some((wish) => answersPlatform(wish, descriptor.platform)),
  );
  const ambiguities = ambiguitiesOf(kept);
  if (ambiguities.length > 0) {
    throw new Problems([
      `input "platforms": ${source} ${ambiguityOf(ambiguities)}: name the one that you mean in "source", by its digest, or leave "platforms" out to copy the index as it is`,
    ]);
  }
  const root = indexOf(
    found,
    kept.map(({ descriptor }) => descriptor),
  );
  return { root, platforms: platformsOf(root).map(formatPlatform) };
}

function assertHas(
  { kind }: Manifest,
  have: readonly Platform[],
  wanted: readonly Platform[],
  source: string,
): void {
  const missing = wanted.filter((wish) => !have.some((platform) => answersPlatform(wish, platform)));
  if (missing.length === 0) return;
  const [lacking, names] = [missing, have].map((platforms) => platforms.map(formatPlatform).join(', '));
  const what =
    kind === 'index'
      ? `it has ${names || 'none that it names'}: name platforms of these`
      : `it is a single image of ${names}: name that platform`;
  throw new Problems([`input "platforms": ${source} has no ${lacking}: ${what}, or leave "platforms" out`]);
}

/** What is mirrored is meant to be run, which nothing could do with an index of nothing, or of what speaks of images elsewhere. */
function assertHoldsImage(found: Manifest, source: string): void {
  if (found.kind === 'image' || !found.manifests.every(isCompanion)) return;
  const what =
    found.manifests.length === 0
      ? 'nothing'
      : 'attestations and the like alone, without the images that they speak of';
  throw new Problems([
    `input "source": ${source} is an index of ${what}: name another tag or digest, or have it pushed anew`,
  ]);
}

/** What a runtime can pick from an index. */
function imagesOf({ manifests }: Index): { readonly descriptor: Listed }[] {
  return manifests.flatMap((child) => {
    const { platform } = child;
    return platform && !isCompanion(child) ? [{ descriptor: { ...child, platform } }] : [];
  });
}

/** An index of some of the images of another one, and what speaks of them. */
function indexOf(index: Index, images: readonly Listed[]): Index {
  const digests = new Set<string>(images.map(({ digest }) => digest));
  const companions = index.manifests.filter(
    (child) => isCompanion(child) && digests.has(spokenOf(child) ?? ''),
  );
  const kept = [...images, ...companions];
  return kept.length === index.manifests.length ? index : composeIndex(kept);
}
