import type { Destination, ImageDescription } from './content.ts';
import { type ReleasePlan, shownBy } from './plan.ts';
import { allSettledOrThrow, type Replica } from './replicate.ts';
import { type ExpectedTag, verify } from './verify.ts';

/** A registry whose API says something else of a tag than the registry itself shows. */
export class ContradictionError extends Error {
  override readonly name = 'ContradictionError';
}

/** Is told what people may want to know, a line at a time. */
export type Say = (line: string) => void;

/** What a registry says, by tag. */
export type Described = ReadonlyMap<string, ImageDescription>;

/**
 * Asks, beside the reading of the tags, what the registry says itself of them, where it holds the release already: then there
 * is most likely nothing to write, and nothing left to wait for.
 * @returns what it says; nothing where that is not to be had now, which is found out later
 */
export async function describeAhead(
  plan: ReleasePlan,
  { destination, holdings }: Pick<Replica, 'destination' | 'holdings'>,
): Promise<Described | undefined> {
  const expected = shownBy(plan);
  if (!destination.describeTags || expected.size === 0) return undefined;
  try {
    return (await holdings.manifest(plan.root.digest))
      ? await destination.describeTags(expected, 'once')
      : undefined;
  } catch {
    return undefined;
  }
}

/** What has been read already of tags that there was nothing to write for: what is proved, as far as it goes. */
interface Read {
  /** Whether the tags have been read. */
  readonly isRead: boolean;
  readonly ahead: Promise<Described | undefined> | undefined;
}

/** The parts of a release that its proof needs. */
type Proving = Pick<ReleasePlan, 'root' | 'platforms' | 'explain' | 'interruption'>;

/**
 * Reads back what was published and, beside that, asks the registry what it says itself of the tags.
 * @returns what the registry says, by tag; nothing where there is nothing to ask or no answer
 * @throws VerificationError when something else is shown, ContradictionError when the registry says something else
 */
export async function proveShown(
  { root, platforms, explain, interruption }: Proving,
  tags: readonly ExpectedTag[],
  destination: Destination,
  { isRead, ahead }: Read,
  say: Say,
): Promise<Described | undefined> {
  const said = isRead ? await ahead : undefined;
  if (said && tags.every((tag) => accords(tag, said))) return said;
  const readBack = async () => {
    if (!isRead) await verify(root, tags, platforms, destination);
    return undefined;
  };
  const explained = (error: Error) => explain(error, destination);
  // When the release has to end, nothing more is asked that nothing depends on.
  const asked = interruption.signal.aborted ? undefined : describeShown(tags, destination, explained, say);
  // When both fail it is what the tags show that counts.
  const [, described] = await allSettledOrThrow([readBack(), Promise.resolve(asked)]);
  return described;
}

function accords({ tag, after }: ExpectedTag, described: Described): boolean {
  const { digest, mediaType = after.mediaType } = described.get(tag) ?? {};
  return digest === after.digest && mediaType === after.mediaType;
}

/**
 * Asks a destination's registry what it says itself of tags, and compares. That it cannot be asked, may not be, or does not list
 * a tag is said, and no failure: what the tags show is read back in any case.
 * @param explain words a failure to ask
 * @param say is told what does not have to be so, a line at a time
 * @throws ContradictionError when it names another digest or media type than was published
 */
async function describeShown(
  tags: readonly ExpectedTag[],
  destination: Destination,
  explain: (error: Error) => string,
  say: Say,
): Promise<Described | undefined> {
  if (!destination.describeTags || tags.length === 0) return undefined;
  const expected = new Map(tags.map(({ tag, after }) => [tag, after]));
  const described = await destination.describeTags(expected).catch((error: Error) => {
    say(`${explain(error)}: the results lack what the registry itself says of the tags`);
    return undefined;
  });
  if (!described) return undefined;
  for (const { tag, after } of tags.filter((each) => !accords(each, described))) {
    const found = described.get(tag);
    if (!found) say(`${destination.name}: the registry's API does not list ${tag} yet`);
    else {
      const [said, published] =
        found.digest === after.digest ? [found.mediaType, after.mediaType] : [found.digest, after.digest];
      throw new ContradictionError(
        `the registry's API says that ${tag} shows ${said}, but ${published} was published; look at the repository in the registry's console, and run the job again`,
      );
    }
  }
  return described;
}
