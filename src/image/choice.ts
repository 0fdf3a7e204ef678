import { plain } from '../words.ts';
import type { Descriptor } from './descriptor.ts';
import type { Digest } from './digest.ts';
import { formatPlatform, type Platform } from './platform.ts';

/** An image, as an index lists it. */
export type Listed = Descriptor & { readonly platform: Platform };

/**
 * Set by podman and buildah on the second of two images of a platform, whose layers are compressed with zstd: readers that know
 * the mark prefer it, all others take the first.
 * https://github.com/containers/image/blob/main/internal/manifest/oci_index.go
 */
const ZSTD = 'io.github.containers.compression.zstd';

/**
 * All by which the children of an index are told apart, as text in normal form: the platform, Windows' features, and what is no
 * plain image of it.
 */
export function choiceOf({ platform, annotations, artifactType }: Listed): string {
  const features = platform['os.features']?.toSorted().join(', ');
  return [
    formatPlatform(platform),
    features && `with ${features}`,
    annotations?.[ZSTD] === 'true' && 'in zstd',
    artifactType && `of ${artifactType}`,
  ]
    .filter(Boolean)
    .join(' ');
}

/** Several images of which nothing says which one is meant: a runtime takes the first. */
export interface Ambiguity<T> {
  /** The platform, with whatever else is the same. */
  readonly name: string;
  /** Those that there are, some of them perhaps more than once. */
  readonly same: readonly T[];
  readonly digests: readonly Digest[];
}

/** Finds images that nothing tells apart but their digests. */
export function ambiguitiesOf<T extends { readonly descriptor: Listed }>(
  images: readonly T[],
): Ambiguity<T>[] {
  const byChoice = Map.groupBy(images, ({ descriptor }) => choiceOf(descriptor));
  return [...byChoice].flatMap(([name, same]) => {
    const digests = [...new Set(same.map(({ descriptor }) => descriptor.digest))];
    return digests.length > 1 ? [{ name: plain(name, 200), same, digests }] : [];
  });
}

/** Says which images are ambiguous, and why that matters; the text goes on from the index's name. */
export function ambiguityOf(ambiguities: readonly Ambiguity<unknown>[]): string {
  const each = ambiguities.map(({ name, digests }) => `of ${name} (${digests.join(' and ')})`);
  return `has several images ${each.join(' and ')}, of which a runtime would take the first, whichever that is`;
}
