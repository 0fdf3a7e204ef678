import type { Descriptor } from '../../image/descriptor.ts';
import type { Platform } from '../../image/platform.ts';
import { attestationsOf, type FoundLeg, type LegImage, nameOf } from '../leg.ts';
import { latestAttempts, platformsOf } from './attempts.ts';
import {
  differingImages,
  foreignCalls,
  foreignRuns,
  missingJobs,
  missingPlatforms,
  mixedFamilies,
  nestedIndexes,
  neverPushed,
  type Search,
  unexpectedPlatforms,
} from './checks.ts';

/** What the legs must be to be stitched. */
export interface Expectation {
  readonly repository: string;
  readonly runId: string;
  /** Empty: what the records promise. */
  readonly platforms: readonly Platform[];
  /** The calls of reusable workflows that the stitching job is in; see the record of a leg. */
  readonly call?: string | undefined;
  /** How messages name the destinations; one that is not here is named by host and repository. */
  readonly destinations?: readonly { readonly name: string; readonly image: string }[];
  /** Where legs were looked for; by default among all that this run left. */
  readonly search?: Search;
  /** Whether the legs have to be in some destination: then none may be of a build that pushed nothing. */
  readonly pushed?: boolean;
  /** Some legs could not be read, which is told elsewhere: then nobody knows what is missing. */
  readonly partial?: boolean;
}

/** An image of the index to come, with what speaks of it. */
export interface AssembledImage extends LegImage {
  readonly attestations: readonly Descriptor[];
  readonly leg: FoundLeg;
}

/** The parts of the index to come, or what keeps it from being composed. */
export type Assembly =
  | {
      readonly kind: 'complete';
      /** One a platform. */
      readonly images: readonly AssembledImage[];
      /** The children of the index: the images, and what attests them. */
      readonly children: readonly Descriptor[];
      /** Of all images' blobs. */
      readonly bytes: number;
      /** The legs that are not taken, each with why. */
      readonly leftOut: readonly string[];
    }
  | { readonly kind: 'refused'; readonly problems: readonly string[] };

/**
 * Puts the legs of a run together, those of earlier attempts, too, if they still count.
 * @param records all legs of the run, of this repository and of others
 */
export function assembleLegs(records: readonly FoundLeg[], expected: Expectation): Assembly {
  const ofRun = records.filter(({ runId }) => runId === expected.runId);
  const ours = records.filter(({ repository }) => repository === expected.repository);
  const strangers = ours.filter(({ runId }) => runId !== expected.runId);
  const { legs: latest, superseded } = latestAttempts(
    ours.filter((leg) => ofRun.includes(leg)),
    ofRun,
  );
  const { legs, others } = separateCalls(latest, expected);
  const found = { legs, others, superseded, strangers, ofRun };
  const problems = [
    ...foreignRuns(strangers, expected.runId),
    ...foreignCalls(legs, others, expected.platforms),
    ...(expected.pushed ? neverPushed(legs) : []),
    ...nestedIndexes(legs),
    ...differingImages(legs, expected.destinations ?? []),
    ...mixedFamilies(legs),
    ...(expected.partial ? [] : missingOrMore(found, expected)),
  ];
  if (problems.length > 0) return { kind: 'refused', problems };
  const images = imagesOf(legs);
  return {
    kind: 'complete',
    images,
    children: [
      ...images.map(({ descriptor }) => descriptor),
      ...images.flatMap(({ attestations }) => attestations),
    ],
    bytes: images.reduce((sum, { bytes }) => sum + bytes, 0),
    leftOut: leftOut(found),
  };
}

/** All legs, by what becomes of them. */
interface Sorted {
  readonly legs: readonly FoundLeg[];
  /** Of other calls of the same reusable workflow, which have a stitch of their own. */
  readonly others: readonly FoundLeg[];
  /** Of earlier attempts, in which the matrix was another one. */
  readonly superseded: readonly FoundLeg[];
  /** Of other runs. */
  readonly strangers: readonly FoundLeg[];
  /** All of this run, of every repository. */
  readonly ofRun: readonly FoundLeg[];
}

function leftOut({ others, superseded }: Sorted): string[] {
  return [
    ...others.map(
      (leg) => `${nameOf(leg)} is left out: it belongs to another call of this reusable workflow`,
    ),
    ...superseded.map(
      (leg) =>
        `${nameOf(leg)}, which built ${platformsOf(leg).join(', ')}, is left out: a later attempt has run its job again with another matrix`,
    ),
  ];
}

/** What is not there that should be, or is there and should not. */
function missingOrMore(
  { legs, others, superseded, strangers, ofRun }: Sorted,
  expected: Expectation,
): string[] {
  const found = [...legs, ...strangers];
  if (found.length === 0 && !expected.search) return [noLegs(ofRun, expected)];
  if (expected.platforms.length === 0) {
    return missingJobs(
      legs,
      ofRun.filter((leg) => !superseded.includes(leg)),
    );
  }
  const absent = missingPlatforms(found, { others, superseded }, expected.platforms, expected.search);
  // One that is missing is told of with those that there are.
  return absent.length > 0 ? absent : unexpectedPlatforms(legs, expected.platforms);
}

function noLegs(ofRun: readonly FoundLeg[], { repository }: Expectation): string {
  const others = [...new Set(ofRun.map((leg) => `"${leg.repository}"`))].join(', ');
  const found = others ? `; this run has legs of ${others}` : '';
  return `no leg of "${repository}" was found in this run${found}: let the stitch job need the build jobs ("needs: build"), which use the same "repository" and have no "legs: none"; if they ran long ago, their artifacts may have expired: run all jobs again`;
}

/**
 * A stitch in a called workflow takes the legs of its own call, if there are any, rather than those of the other calls of
 * the same workflow. Legs of jobs around it, and those of which it is not known, count as its own.
 */
function separateCalls(
  legs: readonly FoundLeg[],
  { call }: Expectation,
): { readonly legs: readonly FoundLeg[]; readonly others: readonly FoundLeg[] } {
  if (call === undefined) return { legs, others: [] };
  const others = legs.filter(
    (leg) => leg.call !== undefined && !isWithin(leg.call, call) && !isWithin(call, leg.call),
  );
  const hasOwn = legs.some((leg) => leg.call !== undefined && isWithin(leg.call, call));
  return hasOwn ? { legs: legs.filter((leg) => !others.includes(leg)), others } : { legs, others: [] };
}

function isWithin(inner: string, outer: string): boolean {
  return outer === '' || inner === outer || inner.startsWith(`${outer}.`);
}

/**
 * Each image once, however many jobs have built it; then with what one of them says of it, since provenance and the like are
 * never the same twice.
 */
function imagesOf(legs: readonly FoundLeg[]): AssembledImage[] {
  const built = legs.flatMap((leg) =>
    leg.images.map((image) => ({ ...image, leg, attestations: attestationsOf(leg, image) })),
  );
  const byDigest = Map.groupBy(built, ({ descriptor }) => descriptor.digest);
  return [...byDigest.values()].flatMap((same) => {
    const [first] = same.toSorted(
      (one, other) =>
        other.attestations.length - one.attestations.length || (one.leg.root < other.leg.root ? -1 : 1),
    );
    return first ? [first] : [];
  });
}
