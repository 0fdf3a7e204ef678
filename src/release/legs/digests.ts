import type { Digest } from '../../image/digest.ts';
import type { Manifest } from '../../image/manifest.ts';
import type { Platform } from '../../image/platform.ts';
import { type Destination, MissingContentError } from '../content.ts';
import { inspectRoot } from '../inspect.ts';
import { type FoundLeg, LEG_SCHEMA, type Leg, LegError } from '../leg.ts';
import {
  askAll,
  assertAllAsked,
  assertPlatform,
  contentOf,
  type Found,
  type LegPlaces,
  readAll,
  toldBy,
} from './found.ts';

/** A leg that is handed over by its digest, which is that of an image or of an index of images. */
export interface LegDigest {
  /** How messages name it. */
  readonly name: string;
  readonly digest: Digest;
  /** The job that put it out; empty where that is not known. */
  readonly job: string;
  /** The platform that it was said to have, if so. */
  readonly platform: Platform | undefined;
}

/**
 * Reads legs by their digests from the destinations that hold them; their platforms are those in the images' own configs.
 * @param run what their records say of the run, of which they are by definition
 * @throws UnreadableError, and what a registry throws from which content cannot be read
 */
export function readLegsByDigest(
  digests: readonly LegDigest[],
  run: Pick<Leg, 'repository' | 'runId' | 'runAttempt'>,
  places: LegPlaces,
): Promise<Found> {
  return readAll(
    digests.map((each) => ({
      name: each.name,
      read: () => readLegByDigest(each, run, places),
    })),
  );
}

async function readLegByDigest(
  { name, digest, job, platform }: LegDigest,
  run: Pick<Leg, 'repository' | 'runId' | 'runAttempt'>,
  places: LegPlaces,
): Promise<FoundLeg> {
  const held = await askAll(places, async (destination) =>
    (await destination.hasManifest(digest)) ? destination : undefined,
  );
  const holders = held.answers.flatMap(({ answer }) => answer ?? []);
  if (holders.length === 0) {
    assertAllAsked(held);
    const names = places.all.map((destination) => destination.name).join(', ');
    throw new LegError(
      `is ${digest}, which "${run.repository}" does not have in ${names}: let it be what the build step has put out as "digest", for the same "repository" and at least one of these regions`,
    );
  }
  const root = await manifestIn(holders, digest, places);
  const { images, attestations } = await inspectRoot(root, contentOf(holders, places));
  const leg: FoundLeg = {
    schema: LEG_SCHEMA,
    ...run,
    job,
    builder: '',
    root: digest,
    images: [...images],
    attestations: [...attestations],
    destinations: holders.map(({ image }) => image),
    found: name,
  };
  if (platform) assertPlatform(leg, platform, CHECK_MAP);
  return leg;
}

/** @throws the last one's error when none gives it */
async function manifestIn(
  holders: readonly Destination[],
  digest: Digest,
  places: LegPlaces,
): Promise<Manifest> {
  const [holder, ...others] = holders;
  if (!holder) throw new MissingContentError(`no region gives ${digest}`);
  const manifest = toldBy(holder, places, holder.manifest({ digest }));
  return others.length > 0 ? manifest.catch(() => manifestIn(others, digest, places)) : manifest;
}

const CHECK_MAP =
  'check which digest belongs to which platform, and that the FROM of the Dockerfile names no other platform';
