import type { Built } from '../buildx/build.ts';
import { unlessAborted } from '../distribution/aborted.ts';
import { type Manifest, ManifestError } from '../image/manifest.ts';
import type { Platform } from '../image/platform.ts';
import type { BuildInputs } from '../inputs/inputs.ts';
import type { Target } from '../inputs/target.ts';
import { Problems } from '../problems.ts';
import type { Destination } from '../release/content.ts';
import { toError } from '../release/errors.ts';
import type { Inspection } from '../release/inspect.ts';
import { LEG_SCHEMA, type Leg } from '../release/leg.ts';
import { tagsOfLeg } from '../release/legs/beside.ts';
import { namePlatformTags } from '../release/legs/tagName.ts';
import type { Services } from './services.ts';

/**
 * The record of what was built, for the stitch.
 * @param destinations those that it was made for
 */
export function toLeg(
  { target, jobIndex, jobTotal }: BuildInputs,
  { root, builder }: Built,
  { images, attestations }: Inspection,
  destinations: readonly Pick<Destination, 'image'>[],
  { run }: Services,
): Leg {
  return {
    schema: LEG_SCHEMA,
    repository: target.repository,
    runId: run.runId,
    runAttempt: run.runAttempt,
    job: run.job,
    ...(jobIndex !== undefined && { jobIndex }),
    ...(jobTotal !== undefined && { jobTotal }),
    ...(run.call !== undefined && { call: run.call }),
    builder,
    root: root.digest,
    images: [...images],
    attestations: [...attestations],
    ...(!target.push && { pushed: false }),
    destinations: destinations.map(({ image }) => image),
  };
}

/**
 * The tags that a build will write, as far as they are known before it: a layout was built by others, for platforms of their
 * own.
 */
export function tagsAhead(
  { legs, tags, image, platforms: stated }: BuildInputs,
  platforms: readonly Platform[],
): readonly string[] {
  if (legs === 'none') return tags;
  if (legs === 'artifact' || (image.kind === 'layout' && stated.length === 0)) return [];
  const images = platforms.map((platform) => ({ platform }));
  return namePlatformTags(legs.template, tags, images).named.map(({ tag }) => tag);
}

/**
 * Where a build publishes, and how. Tags that hand a leg over say which run it is of: one that stayed, whatever was asked for
 * the release's own tags, would have the stitch find the leg of another run.
 */
export function publishingTarget({ target, legs }: BuildInputs): Target {
  const isByTags = legs !== 'none' && legs !== 'artifact';
  if (!isByTags || target.ifTagExists === 'replace') return target;
  return { ...target, ifTagExists: 'fail' };
}

/**
 * What the tags show by which a leg is handed over, if it is by tags.
 * @throws Problems when they cannot be used
 */
export function tagsOf(leg: Leg, { legs, tags }: BuildInputs): ReadonlyMap<string, Manifest> {
  if (legs === 'none' || legs === 'artifact') return new Map();
  try {
    const { beside, problems } = tagsOfLeg(leg, legs.template, tags);
    if (problems.length > 0) throw new Problems(problems);
    return beside;
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    throw new Problems([
      `input "legs": "tags": the leg cannot be put under a tag that says whose it is: ${error.message}; or hand it over with "legs: artifact"`,
    ]);
  }
}

/**
 * Leaves a leg for the stitch. The regions hold it, whether that succeeds or not: what keeps it from being left is told with what
 * they hold, also when the step has to end.
 * @returns why the leg was not left, each reason with what to do; none when it was
 */
export function handOver(
  leg: Leg,
  { legs, cancellation: { signal, hold } }: Pick<Services, 'legs' | 'cancellation'>,
): Promise<readonly string[]> {
  return hold(async () => {
    try {
      await unlessAborted(() => legs.save(leg), signal);
      return [];
    } catch (error) {
      if (error instanceof Problems) return error.problems;
      const { message } = toError(error);
      if (error !== signal.reason) return [`the leg could not be handed over: ${message}: run the job again`];
      return [
        `the leg was not handed over to the stitch: the workflow's artifact service had not taken it when the step had to end: ${message}; the regions hold it, so that nothing is sent again when the job is run again`,
      ];
    }
  });
}
