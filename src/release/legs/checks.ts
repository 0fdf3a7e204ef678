import { ambiguitiesOf } from '../../image/choice.ts';
import type { Digest } from '../../image/digest.ts';
import { isDockerType, isIndexType } from '../../image/mediaTypes.ts';
import { answersPlatform, formatPlatform, type Platform } from '../../image/platform.ts';
import { plain } from '../../words.ts';
import { type FoundLeg, type LegImage, nameOf } from '../leg.ts';

/** An image, and a leg that has it. */
interface BuiltImage extends LegImage {
  readonly leg: FoundLeg;
}

/** How a stitch is told by digest which legs are its own. */
const BY_DIGEST = `hand the digests of its own legs to the stitch with "legs: \${{ toJSON(needs) }}"`;

/** Legs of other runs, which may have been built from other sources. */
export function foreignRuns(strangers: readonly FoundLeg[], runId: string): string[] {
  return strangers.map(
    (leg) =>
      `${nameOf(leg)} is of the run ${plain(leg.runId, 40)}, but this is the run ${runId}: let runs that publish the same tags wait for each other ("concurrency"), and run all jobs of this one again`,
  );
}

/** Where another call of the same workflow has built what this one has not, it is not known to which of them it belongs. */
export function foreignCalls(
  legs: readonly FoundLeg[],
  others: readonly FoundLeg[],
  wanted: readonly Platform[],
): string[] {
  if (wanted.length > 0) return [];
  const built = new Set(builtImages(legs).map(({ descriptor }) => formatPlatform(descriptor.platform)));
  return builtImages(others).flatMap(({ descriptor, leg }) => {
    const platform = formatPlatform(descriptor.platform);
    if (built.has(platform)) return [];
    return [
      `${platform} was built by ${nameOf(leg)} in another call of a reusable workflow ("${plain(leg.call ?? '', 100)}"), and by no job of this call: name the platforms that this image has in "platforms", or ${BY_DIGEST}`,
    ];
  });
}

/** Legs that no region holds, because they were built to be checked alone. */
export function neverPushed(legs: readonly FoundLeg[]): string[] {
  return legs
    .filter(({ pushed }) => pushed === false)
    .map(
      (leg) =>
        `${nameOf(leg)} was built with "push: false", so that no region has its image: write the same "push" in its step as in this one, and run all jobs again`,
    );
}

/** An index cannot stand in an index. */
export function nestedIndexes(legs: readonly FoundLeg[]): string[] {
  return builtImages(legs)
    .filter(({ descriptor }) => isIndexType(descriptor.mediaType))
    .map(
      ({ descriptor, leg }) =>
        `${nameOf(leg)} names the index ${descriptor.digest} where an image belongs: let the leg have the image of each platform`,
    );
}

/** Platforms of which there is more than one image. */
export function differingImages(
  legs: readonly FoundLeg[],
  destinations: readonly { readonly name: string; readonly image: string }[],
): string[] {
  return ambiguitiesOf(builtImages(legs)).map(({ name: platform, same }) => {
    if (!areApart(same)) {
      const each = same.map(({ leg, descriptor }) => `${nameOf(leg)} built ${descriptor.digest}`);
      return `${platform} was built more than once: ${each.join(', ')}; let each leg build a platform of its own; if they are different images of one repository, ${BY_DIGEST}`;
    }
    const each = same.map(({ leg, descriptor }) => {
      const regions = leg.destinations.map(
        (image) => destinations.find((known) => known.image === image)?.name ?? plain(image, 200),
      );
      return `${nameOf(leg)} built ${descriptor.digest} for ${regions.join(', ')}`;
    });
    return `${platform} is not the same image in all regions: ${each.join(', ')}; builds that run apart seldom give the same bytes: let one job build it for all regions, or for one of them, from which the stitch copies it to the others`;
  });
}

/** Whether images that differ were built for different destinations. */
function areApart(images: readonly BuiltImage[]): boolean {
  const holders = new Map<string, Digest>();
  return images.every(({ descriptor, leg }) => {
    if (leg.destinations.length === 0) return false;
    return leg.destinations.every((image) => {
      const other = holders.get(image);
      holders.set(image, descriptor.digest);
      return other === undefined || other === descriptor.digest;
    });
  });
}

/** Images of Docker's media types and of OCI's do not stand in one index. */
export function mixedFamilies(legs: readonly FoundLeg[]): string[] {
  const parts = legs.flatMap((leg) =>
    [...leg.images.map(({ descriptor }) => descriptor), ...leg.attestations].map(({ mediaType }) => ({
      family: isDockerType(mediaType) ? 'Docker' : 'OCI',
      name: nameOf(leg),
    })),
  );
  const byFamily = [...Map.groupBy(parts, ({ family }) => family)];
  if (byFamily.length < 2) return [];
  const each = byFamily.map(
    ([family, same]) => `${[...new Set(same.map(({ name }) => name))].join(', ')} has ${family}'s`,
  );
  return [
    `the legs mix media types: ${each.join(', and ')}; build all of them with the same tool and with the same "provenance" and "sbom"`,
  ];
}

/** Where a platform's leg was looked for, and what to check when it is not there. */
export interface Search {
  readonly where: (platform: Platform) => string;
  readonly advice: string;
}

const AMONG_LEGS: Search = {
  where: () => 'no leg of this run built it',
  advice: 'check that its build job ran and succeeded',
};

/** Platforms that no leg has, even if one has that is left out. */
export function missingPlatforms(
  legs: readonly FoundLeg[],
  { others, superseded }: Readonly<Record<'others' | 'superseded', readonly FoundLeg[]>>,
  wanted: readonly Platform[],
  { where, advice }: Search = AMONG_LEGS,
): string[] {
  const built = builtImages(legs).map(({ descriptor }) => descriptor.platform);
  const missing = wanted.filter((wish) => !built.some((platform) => answersPlatform(wish, platform)));
  const found = [...new Set(built.map(formatPlatform))].join(', ') || 'no others';
  return missing.map((wish) => {
    const [elsewhere, before] = [others, superseded].map((left) =>
      builtImages(left).find(({ descriptor }) => answersPlatform(wish, descriptor.platform)),
    );
    if (before) {
      return `${formatPlatform(wish)} is missing: ${nameOf(before.leg)} built it, but a later attempt has run its job again with another matrix: let that have it, too, or leave it out of "platforms"`;
    }
    const hint = elsewhere
      ? `; ${nameOf(elsewhere.leg)} built it in another call of a reusable workflow: if it belongs to this image, ${BY_DIGEST}`
      : '';
    return `${formatPlatform(wish)} is missing: ${where(wish)} (there are ${found}); ${advice}${hint}`;
  });
}

/** Platforms that legs have and nobody asked for: they would be published with the others. */
export function unexpectedPlatforms(legs: readonly FoundLeg[], wanted: readonly Platform[]): string[] {
  const names = wanted.map(formatPlatform).join(', ');
  return builtImages(legs)
    .filter(({ descriptor }) => !wanted.some((wish) => answersPlatform(wish, descriptor.platform)))
    .map(
      ({ descriptor, leg }) =>
        `${nameOf(leg)} built ${formatPlatform(descriptor.platform)}, which "platforms" (${names}) does not have: add it there, or let no leg of this image have it; if it belongs to another image of this repository, ${BY_DIGEST}`,
    );
}

/**
 * Where the runner told the matrix's size, every job of it must have left a record, for whatever repository. A job of another
 * call of the same workflow does not stand in for one of this call, unless it is not known in which call it is.
 */
export function missingJobs(legs: readonly FoundLeg[], ofRun: readonly FoundLeg[]): string[] {
  return [...Map.groupBy(legs, ({ job }) => job)].flatMap(([job, same]) => {
    const known = new Set(same.flatMap(({ call }) => call ?? []));
    const calls = known.size > 0 ? [...known] : [undefined];
    const found = calls.flatMap((call) => {
      const isOf = (leg: FoundLeg) => call === undefined || leg.call === undefined || leg.call === call;
      const siblings = ofRun.filter((leg) => leg.job === job && isOf(leg));
      return missingInMatrix(job, same.filter(isOf), siblings);
    });
    return [...new Set(found)];
  });
}

function missingInMatrix(job: string, legs: readonly FoundLeg[], siblings: readonly FoundLeg[]): string[] {
  const total = Math.max(0, ...legs.map(({ jobTotal = 0 }) => jobTotal));
  const seen = new Set(siblings.flatMap(({ jobIndex }) => jobIndex ?? []));
  if (seen.size >= total) return [];
  const absent = Array.from({ length: Math.min(total, MOST_JOBS) }, (_, position) => position).filter(
    (position) => !seen.has(position),
  );
  return [
    `the job "${plain(job, 100)}" has ${total} jobs in its matrix, but ${seen.size} left a leg; there is none of ${absent.map((position) => `#${position}`).join(', ')}: check that all of them succeeded, or name the platforms that you expect in "platforms"`,
  ];
}

/** GitHub's limit of jobs in a matrix: https://docs.github.com/en/actions/reference/limits */
const MOST_JOBS = 256;

function builtImages(legs: readonly FoundLeg[]): BuiltImage[] {
  return legs.flatMap((leg) => leg.images.map((image) => ({ ...image, leg })));
}
