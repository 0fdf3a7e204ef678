import type { Destination, ImageDescription } from './content.ts';
import type { ReleasePlan } from './plan.ts';
import { allSettledOrThrow } from './replicate.ts';
import { type ExpectedTag, VerificationError, verify } from './verify.ts';

/** Is told what people may want to know, a line at a time. */
export type Say = (line: string) => void;

/**
 * Reads back what was published and, beside that, asks the registry what it says itself of the tags.
 * @param isRead whether the tags have been read already, since there was nothing to write
 * @returns what the registry says, by tag; nothing where there is nothing to ask or no answer
 * @throws VerificationError when either is something else than was published
 */
export async function proveShown(
  { root, platforms, explain }: Pick<ReleasePlan, 'root' | 'platforms' | 'explain'>,
  tags: readonly ExpectedTag[],
  destination: Destination,
  isRead: boolean,
  say: Say,
): Promise<ReadonlyMap<string, ImageDescription> | undefined> {
  const readBack = async () => {
    if (!isRead) await verify(root, tags, platforms, destination);
    return undefined;
  };
  const asked = describeShown(tags, destination, (error) => explain(error, destination), say);
  const [described] = await allSettledOrThrow([asked, readBack()]);
  return described;
}

/**
 * Asks a destination's registry what it says itself of tags, and compares. That it cannot be asked, may not be, or does not list
 * a tag is said, and no failure: what the tags show is read back in any case.
 * @param explain words a failure to ask
 * @param say is told what does not have to be so, a line at a time
 * @returns what it says, by tag; nothing where there is nothing to ask or no answer
 * @throws VerificationError when it names another digest or media type than was published
 */
async function describeShown(
  tags: readonly ExpectedTag[],
  destination: Destination,
  explain: (error: Error) => string,
  say: Say,
): Promise<ReadonlyMap<string, ImageDescription> | undefined> {
  if (!destination.describeTags || tags.length === 0) return undefined;
  const expected = new Map(tags.map(({ tag, after }) => [tag, after]));
  const described = await destination.describeTags(expected).catch((error: Error) => {
    say(`${explain(error)}: the results lack what the registry itself says of the tags`);
    return undefined;
  });
  if (!described) return undefined;
  for (const [tag, after] of expected) {
    const { digest, mediaType } = described.get(tag) ?? {};
    if (digest === undefined) say(`${destination.name}: the registry's API does not list ${tag} yet`);
    else if (digest !== after.digest || (mediaType ?? after.mediaType) !== after.mediaType) {
      const said = digest === after.digest ? mediaType : digest;
      const published = digest === after.digest ? after.mediaType : after.digest;
      throw new VerificationError(
        `the registry's API says that ${tag} shows ${said}, but ${published} was published`,
      );
    }
  }
  return described;
}
