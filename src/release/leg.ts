import * as z from 'zod/mini';
import { type Descriptor, descriptorSchema, sizeSchema } from '../image/descriptor.ts';
import { digestSchema } from '../image/digest.ts';
import { formatPlatform, type Platform, platformSchema } from '../image/platform.ts';

/**
 * What a build job leaves for the job that stitches: which images it made, for which platforms as their own configs say,
 * and who it was.
 */
export const legSchema = z.object({
  schema: z.literal('ecr-multiarch/leg/v1'),
  repository: z.string(),
  /** The workflow run, and which attempt of it. */
  runId: z.string(),
  runAttempt: z.number(),
  /** The job's id in the workflow, and its place in the matrix where the runner tells it. */
  job: z.string(),
  jobIndex: z.optional(z.number()),
  jobTotal: z.optional(z.number()),
  builder: z.string(),
  root: digestSchema,
  images: z
    .array(
      z.object({
        descriptor: z.extend(descriptorSchema, { platform: platformSchema }),
        bytes: sizeSchema,
      }),
    )
    .check(z.minLength(1)),
  attestations: z.array(descriptorSchema),
  /** The destinations that hold all of it: host and repository. */
  destinations: z.array(z.string()),
});
export type Leg = z.infer<typeof legSchema>;

/** What the legs must be to be stitched. */
export interface Expectation {
  readonly repository: string;
  readonly runId: string;
  /** Empty: what the records promise. */
  readonly platforms: readonly Platform[];
}

/** The children of the index to come, or what keeps it from being composed. */
export type Assembly =
  | { readonly kind: 'complete'; readonly children: readonly Descriptor[]; readonly bytes: number }
  | { readonly kind: 'refused'; readonly problems: readonly string[] };

/**
 * Puts the legs of a run together. A leg of an earlier attempt counts as long as no later one replaced it, so that
 * "re-run failed jobs" works.
 * @param records all legs of the run, of this repository and of others
 */
export function assembleLegs(records: readonly Leg[], expected: Expectation): Assembly {
  const ofRun = records.filter(({ runId }) => runId === expected.runId);
  const legs = latestAttempts(ofRun.filter(({ repository }) => repository === expected.repository));
  if (legs.length === 0) return { kind: 'refused', problems: [noLegs(ofRun, expected)] };
  const images = legs.flatMap((leg) => leg.images.map((image) => ({ ...image, leg })));
  const problems = [
    ...doubledPlatforms(images),
    ...missingPlatforms(
      images.map(({ descriptor }) => descriptor.platform),
      expected.platforms,
    ),
    ...(expected.platforms.length > 0 ? [] : missingJobs(legs, ofRun)),
  ];
  if (problems.length > 0) return { kind: 'refused', problems };
  return {
    kind: 'complete',
    children: [
      ...images.map(({ descriptor }) => descriptor),
      ...legs.flatMap(({ attestations }) => attestations),
    ],
    bytes: images.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

function noLegs(ofRun: readonly Leg[], { repository }: Expectation): string {
  const others = [...new Set(ofRun.map((leg) => `"${leg.repository}"`))].join(', ');
  const found = others ? `; this run has legs of ${others}` : '';
  return `no leg of "${repository}" was found in this run${found}: let the stitch job need the build jobs ("needs: build"), which use the same "repository" and have no "legs: none"; if they ran long ago, their artifacts may have expired: run all jobs again`;
}

/** Of legs for the same platforms, those of the latest attempt. */
function latestAttempts(legs: readonly Leg[]): Leg[] {
  const key = (leg: Leg) =>
    leg.images
      .map(({ descriptor }) => formatPlatform(descriptor.platform))
      .toSorted()
      .join();
  return legs.filter((leg) =>
    legs.every((other) => key(other) !== key(leg) || other.runAttempt <= leg.runAttempt),
  );
}

interface PlacedImage {
  readonly descriptor: Descriptor & { readonly platform: Platform };
  readonly leg: Leg;
}

function doubledPlatforms(images: readonly PlacedImage[]): string[] {
  const byPlatform = Map.groupBy(images, ({ descriptor }) => formatPlatform(descriptor.platform));
  return [...byPlatform].flatMap(([platform, same]) => {
    if (new Set(same.map(({ descriptor }) => descriptor.digest)).size === 1) return [];
    const jobs = same.map(({ leg, descriptor }) => `${nameOf(leg)} built ${descriptor.digest}`).join(', ');
    return [`${platform} was built more than once: ${jobs}; let each leg build a platform of its own`];
  });
}

function missingPlatforms(built: readonly Platform[], wanted: readonly Platform[]): string[] {
  const names = new Set(built.map(formatPlatform));
  // Windows images are wanted without their OS version.
  for (const { 'os.version': _, ...platform } of built) names.add(formatPlatform(platform));
  const missing = wanted.map(formatPlatform).filter((platform) => !names.has(platform));
  if (missing.length === 0) return [];
  return [
    `${missing.join(', ')} is missing: no leg of this run built it (there are ${built.map(formatPlatform).join(', ')}); check that its build job ran and succeeded`,
  ];
}

/** Where the runner told the matrix's size, every job of it must have left a record, for whatever repository. */
function missingJobs(legs: readonly Leg[], ofRun: readonly Leg[]): string[] {
  return [...new Set(legs.map(({ job }) => job))].flatMap((job) => {
    const siblings = ofRun.filter((leg) => leg.job === job);
    const total = Math.max(0, ...siblings.map(({ jobTotal = 0 }) => jobTotal));
    const seen = new Set(siblings.flatMap(({ jobIndex }) => jobIndex ?? [])).size;
    if (seen >= total) return [];
    return [
      `the job "${job}" has ${total} jobs in its matrix, but ${seen} left a leg: check that all of them succeeded, or name the platforms that you expect in "platforms"`,
    ];
  });
}

function nameOf({ job, jobIndex, runAttempt }: Leg): string {
  return `job ${job}${jobIndex === undefined ? '' : ` #${jobIndex}`} of attempt ${runAttempt}`;
}
