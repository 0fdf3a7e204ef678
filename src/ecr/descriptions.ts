import { unlessAborted } from '../distribution/aborted.ts';
import type { ManifestContent } from '../image/manifest.ts';
import type { ImageDescription } from '../release/content.ts';
import { formatDuration, TimeLimitError } from '../release/late.ts';
import type { DestinationOptions } from '../release/registry.ts';
import { type Patience, Pauses } from './patience.ts';

/** The most images that one call of DescribeImages names. */
const BATCH = 100;

/** What of an answer of DescribeImages is of use; it is the same for private registries and ECR Public. */
interface ImageDetail {
  readonly imageDigest?: string | undefined;
  readonly imageTags?: readonly string[] | undefined;
  readonly imageManifestMediaType?: string | undefined;
  readonly imageSizeInBytes?: number | undefined;
}

/** What DescribeImages says, by tag. An image that was asked for by several tags may be there once, or once for each. */
export function byTag(details: readonly ImageDetail[] = []): Map<string, ImageDescription> {
  return new Map(
    details.flatMap(({ imageTags = [], ...detail }) => {
      const description = descriptionOf(detail);
      return description ? imageTags.map((tag): [string, ImageDescription] => [tag, description]) : [];
    }),
  );
}

function descriptionOf({
  imageDigest: digest,
  imageManifestMediaType: mediaType,
  imageSizeInBytes: size,
}: ImageDetail): ImageDescription | undefined {
  if (digest === undefined) return undefined;
  return { digest, ...(mediaType !== undefined && { mediaType }), ...(size !== undefined && { size }) };
}

/** Asks once, for 100 tags at the most; what is listed under more tags than those does not matter. */
type Ask = (tags: readonly string[], signal: AbortSignal) => Promise<ReadonlyMap<string, ImageDescription>>;

/**
 * How a registry is asked what it says of tags. What it says right after a write may be old: then it is asked again, as
 * patiently as is waited for other things that it was given. No longer than that is an answer waited for, either: all that is
 * at stake is published.
 * @throws TimeLimitError when there is no answer in that time, and the signal's reason
 */
export function tagDescriptions(
  ask: Ask,
  patience: Patience,
): NonNullable<DestinationOptions['describeTags']> {
  return async (expected, how, broken) => {
    const { limit } = patience;
    const late = new AbortController();
    const timer = setTimeout(
      () => late.abort(new TimeLimitError(`DescribeImages did not answer within ${formatDuration(limit)}`)),
      limit,
    );
    const tags = [...expected.keys()];
    const untilAccord = async (signal: AbortSignal) => {
      for (const pauses = new Pauses(patience); ; await pauses.take(signal)) {
        const described = await askAll(tags, (batch) => ask(batch, signal));
        const isEnough = how === 'once' || accords(described, expected);
        if (isEnough || pauses.isEnough) return described;
      }
    };
    try {
      return await unlessAborted(untilAccord, AbortSignal.any([broken, late.signal]));
    } finally {
      clearTimeout(timer);
    }
  };
}

async function askAll(
  tags: readonly string[],
  ask: (tags: readonly string[]) => Promise<ReadonlyMap<string, ImageDescription>>,
): Promise<Map<string, ImageDescription>> {
  const batches = Array.from({ length: Math.ceil(tags.length / BATCH) }, (_, position) =>
    tags.slice(position * BATCH, (position + 1) * BATCH),
  );
  const answers = await Promise.all(batches.map(ask));
  const said = new Map(answers.flatMap((answer) => [...answer]));
  return new Map(
    tags.flatMap((tag): [string, ImageDescription][] => {
      const description = said.get(tag);
      return description ? [[tag, description]] : [];
    }),
  );
}

function accords(
  described: ReadonlyMap<string, ImageDescription>,
  expected: ReadonlyMap<string, ManifestContent>,
): boolean {
  return [...expected].every(([tag, { digest }]) => described.get(tag)?.digest === digest);
}
