import * as z from 'zod/mini';
import { RegistryError, safeJson } from '../../distribution/errors.ts';
import { composeIndex } from '../../image/index.ts';
import type { Index, Manifest } from '../../image/manifest.ts';
import type { Platform } from '../../image/platform.ts';
import { plain } from '../../words.ts';
import type { Destination } from '../content.ts';
import { inspectRoot } from '../inspect.ts';
import { type FoundLeg, jobOf, type Leg, LegError, readLeg } from '../leg.ts';
import {
  askAll,
  assertAllAsked,
  assertPlatform,
  contentOf,
  type Found,
  type LeaveOut,
  type LegPlaces,
  readAll,
  type Sought,
} from './found.ts';

/** What every annotation of ours begins with. */
const PREFIX = 'dev.ecr-multiarch.';

/**
 * The index that a leg's tag shows: the leg's images and what attests them, with the leg's record as annotations, from which a
 * stitch sees whose it is.
 * @throws ManifestError for images of Docker's media types, whose index has no annotations
 */
export function composeLeg(leg: Leg): Index {
  const fields: Readonly<Record<string, string | number | undefined>> = {
    schema: leg.schema,
    repository: leg.repository,
    'run-id': leg.runId,
    'run-attempt': leg.runAttempt,
    job: leg.job,
    'job-index': leg.jobIndex,
    'job-total': leg.jobTotal,
    call: leg.call,
    builder: leg.builder,
    root: leg.root,
  };
  const annotations = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [[`${PREFIX}${name}`, String(value)]],
  );
  const children = [...leg.images.map(({ descriptor }) => descriptor), ...leg.attestations];
  return composeIndex(children, Object.fromEntries(annotations));
}

const annotatedSchema = z.looseObject({ annotations: z.record(z.string(), z.string()) });

/** The part of a leg's record that is in the annotations of its index. */
function recordOf(manifest: Manifest) {
  const text = new TextDecoder().decode(manifest.bytes);
  const { annotations = {} } = z.safeParse(annotatedSchema, safeJson(text)).data ?? {};
  const value = (name: string) => annotations[`${PREFIX}${name}`];
  const number = (name: string) => (value(name) === undefined ? undefined : Number(value(name)));
  return {
    schema: value('schema'),
    repository: value('repository'),
    runId: value('run-id'),
    runAttempt: number('run-attempt'),
    job: value('job'),
    jobIndex: number('job-index'),
    jobTotal: number('job-total'),
    call: value('call'),
    builder: value('builder'),
    root: value('root'),
  };
}

/** A tag under which a platform's leg is looked for. */
export interface WantedTag {
  readonly tag: string;
  readonly platform: Platform;
}

/** Whose legs are looked for. */
export type OwnRun = Pick<Leg, 'repository' | 'runId'>;

/**
 * Reads legs from their tags, in all destinations; their platforms are those in the images' own configs. Where destinations
 * show different legs under a tag, each is one.
 * @param places those gone on without are also those that still show the leg of an earlier run, where others show that of this one
 * @throws UnreadableError, and what a registry throws from which content cannot be read
 */
export async function readTaggedLegs(
  wanted: readonly WantedTag[],
  run: OwnRun,
  places: LegPlaces,
): Promise<Found> {
  const sought = await Promise.all(wanted.map((each) => findTag(each, run, places)));
  return readAll(sought.flat());
}

async function findTag(wanted: WantedTag, run: OwnRun, places: LegPlaces): Promise<Sought[]> {
  const { leaveOut } = places;
  const asked = await askAll(places, (destination) =>
    destination.tagged(wanted.tag).catch(nothingWithoutRepository),
  );
  const shown = asked.answers.flatMap(({ destination, answer }) =>
    answer ? [{ destination, manifest: answer }] : [],
  );
  if (shown.length === 0) assertAllAsked(asked);
  const counting = leaveOut ? withoutEarlier(shown, wanted.tag, run.runId, leaveOut) : shown;
  return [...Map.groupBy(counting, ({ manifest }) => manifest.digest).values()].flatMap((same) => {
    const manifest = same[0]?.manifest;
    if (!manifest) return [];
    const holders = same.map(({ destination }) => destination);
    const name = `tag "${wanted.tag}" in ${holders.map((holder) => holder.name).join(', ')}`;
    const read = () => readTagged({ name, manifest, holders, places }, wanted.platform, run.repository);
    return [{ name, read }];
  });
}

/** What a destination shows under a tag. */
interface Shown {
  readonly destination: Destination;
  readonly manifest: Manifest;
}

/** Leaves out those that failed in this run, and show what an earlier one has written, if others show what this one has. */
function withoutEarlier(
  shown: readonly Shown[],
  tag: string,
  runId: string,
  leaveOut: LeaveOut,
): readonly Shown[] {
  const runOf = ({ manifest }: Shown) => recordOf(manifest).runId;
  if (!shown.some((each) => runOf(each) === runId)) return shown;
  return shown.filter((each) => {
    const other = runOf(each);
    // GitHub counts its runs.
    if (other === undefined || !(Number(other) < Number(runId))) return true;
    leaveOut(each.destination, new Error(`tag "${tag}" still shows a leg of the run ${Number(other)}`));
    return false;
  });
}

/** A repository that is still to be created shows no leg. */
function nothingWithoutRepository(error: unknown): undefined {
  if (!(error instanceof RegistryError) || !error.codes.includes('NAME_UNKNOWN')) throw error;
}

/** What destinations show alike under a tag. */
interface ShownAlike {
  readonly name: string;
  readonly manifest: Manifest;
  readonly holders: readonly Destination[];
  readonly places: LegPlaces;
}

async function readTagged(
  { name, manifest, holders, places }: ShownAlike,
  platform: Platform,
  repository: string,
): Promise<FoundLeg> {
  const record = recordOf(manifest);
  if (record.schema === undefined) {
    throw new LegError(
      `shows ${manifest.digest}, which no step of this action with "legs: tags" has written: let the build jobs have one, and no other tool write these tags`,
    );
  }
  const inspection = await inspectRoot(manifest, contentOf(holders, places));
  const read = readLeg({ ...record, ...inspection, destinations: holders.map(({ image }) => image) });
  if (read.repository !== repository) {
    throw new LegError(
      `has a leg of the repository "${plain(read.repository, 100)}", but this is "${repository}": write the same "repository" in all jobs`,
    );
  }
  const leg = { ...read, found: `${name} (${jobOf(read)})`, tagged: manifest };
  assertPlatform(leg, platform, CHECK_BUILD);
  return leg;
}

const CHECK_BUILD =
  'check "platform-tags" of the build jobs, and that the FROM of the Dockerfile names no other platform';
