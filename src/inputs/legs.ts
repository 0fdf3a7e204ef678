import * as z from 'zod/mini';
import { safeJson } from '../distribution/errors.ts';
import { type Digest, isDigest } from '../image/digest.ts';
import { formatPlatform, type Platform, PlatformError, parsePlatform } from '../image/platform.ts';
import type { LegDigest } from '../release/legs/digests.ts';
import {
  DEFAULT_TEMPLATE,
  dependsOnTag,
  namePlatformTags,
  templateProblem,
} from '../release/legs/tagName.ts';
import { plain } from '../words.ts';
import type { CommonInputs } from './common.ts';
import type { InputReader } from './reader.ts';

/** Legs are handed over by tags of single platforms. */
export interface TagHandOff {
  readonly by: 'tags';
  /** How the tags are called. */
  readonly template: string;
}

/** How legs reach a stitch: as records among the run's artifacts, under tags, or by digest. */
export type HandOff =
  | { readonly by: 'artifact' }
  | TagHandOff
  | { readonly by: 'digests'; readonly digests: readonly LegDigest[] };

/** How a build hands its leg over to a stitch, if one follows. */
export type BuildHandOff = 'artifact' | 'none' | TagHandOff;

/**
 * Reads how a build hands its leg over. Tags are those of the image that a stitch publishes, unless none follows: then this step
 * publishes under them.
 */
export function readBuildHandOff(
  reader: InputReader,
  { target, tags, platforms }: CommonInputs,
): BuildHandOff {
  const by = reader.oneOf('legs', ['artifact', 'tags', 'none'], 'artifact');
  const template = readTemplate(reader);
  if (by === 'tags' && !target.push)
    refuseWithoutPush(reader, 'write "artifact", or "none" if no stitch follows');
  if (by === 'tags') return readBuildTags(reader, template ?? DEFAULT_TEMPLATE, tags, platforms);
  if (by === 'artifact' && tags.length > 0) {
    reader.refuse(
      'tags',
      tags.join(', '),
      'tags belong to the step with "mode: stitch", which publishes all platforms under them; to publish this build alone, add "legs: none"',
    );
  }
  if (template) {
    reader.refuse(
      'platform-tags',
      template,
      'these tags are written by the step with "mode: stitch", or by this one with "legs: tags"',
    );
  }
  return by;
}

function readBuildTags(
  reader: InputReader,
  template: string,
  tags: readonly string[],
  platforms: readonly Platform[],
): TagHandOff {
  if (tags.length === 0 && !reader.isGiven('tags') && dependsOnTag(template)) {
    reader.problems.push(
      'input "tags" is missing: with "legs: tags" this step writes a tag of its platform beside each of them; write the same tags as in the step with "mode: stitch"',
    );
  }
  const images = platforms.map((platform) => ({ platform }));
  reader.problems.push(...namePlatformTags(template, tags, images).problems);
  return { by: 'tags', template };
}

/** Legs that are handed over by what is in a registry are for those who speak to one. */
export function refuseWithoutPush(reader: InputReader, advice: string): void {
  const legs = plain(reader.text('legs'), 60);
  reader.refuse(
    'legs',
    legs,
    `with "push: false" nothing is written to a registry, nor read there: ${advice}`,
  );
}

const needsSchema = z.record(
  z.string(),
  z.object({ result: z.string(), outputs: z.optional(z.record(z.string(), z.string())) }),
);
const mapSchema = z.record(z.string(), z.string());

/**
 * Reads how the legs of a stitch are handed over: a word, or JSON that names their digests.
 * @param template of the tags of single platforms
 */
export function readHandOff(reader: InputReader, template = DEFAULT_TEMPLATE): HandOff {
  const text = reader.text('legs') || 'artifact';
  if (text === 'artifact') return { by: 'artifact' };
  if (text === 'tags') return { by: 'tags', template };
  const json = safeJson(text);
  const map = z.safeParse(mapSchema, json);
  if (map.success) return { by: 'digests', digests: readMap(reader, map.data) };
  const needs = z.safeParse(needsSchema, json);
  if (needs.success) return { by: 'digests', digests: readNeeds(reader, needs.data) };
  reader.refuse('legs', plain(text, 60), HAND_OFF_ADVICE);
  return { by: 'artifact' };
}

const HAND_OFF_ADVICE = `write artifact, tags, \${{ toJSON(needs) }}, or a digest for each platform: {"linux/amd64": "sha256:..."}`;

/** Every output of a needed job that is a digest is a leg. */
function readNeeds(reader: InputReader, needs: z.infer<typeof needsSchema>): LegDigest[] {
  const jobs = Object.entries(needs);
  for (const [job, { result }] of jobs.filter(([, each]) => each.result !== 'success')) {
    reader.refuse('legs', plain(job, 100), adviceOn(result));
  }
  const found = jobs.flatMap(([job, { outputs = {} }]) =>
    Object.entries(outputs).flatMap(([output, value]) =>
      isDigest(value)
        ? [
            {
              name: `output "${plain(output, 100)}" of job ${plain(job, 100)}`,
              digest: value,
              job,
              platform: undefined,
            },
          ]
        : [],
    ),
  );
  if (found.length === 0) {
    reader.problems.push(
      `input "legs": no output of ${jobs.map(([job]) => `"${plain(job, 100)}"`).join(', ') || 'any job'} is a digest: let each build job put its step's output "digest" out under a name of its own, for the jobs of a matrix overwrite each other's outputs`,
    );
  }
  // A job may put its digest out under several names.
  const once = found.filter((leg, position) => position === found.findIndex((each) => isTwin(each, leg)));
  refuseSame(reader, once, OWN_OUTPUT);
  return once;
}

function isTwin(one: LegDigest, other: LegDigest): boolean {
  return one.job === other.job && one.digest === other.digest;
}

/** What to do about a needed job that has not succeeded. */
function adviceOn(result: string): string {
  if (result === 'skipped') {
    return 'this job was skipped, so that it has left no leg: leave it out of "needs", or have it run';
  }
  return `this job ended as ${plain(result, 40)}, so that its legs are not all there: run it again`;
}

const OWN_OUTPUT =
  'let each job put out the "digest" of its own build step, or, where one hands on what the other has built, leave that one out of "needs"';

/** Legs of one digest are a slip, by which the image of another one would be missing without a word. */
function refuseSame(reader: InputReader, legs: readonly LegDigest[], advice: string): void {
  for (const [digest, same] of Map.groupBy(legs, (leg) => leg.digest)) {
    const names = [...new Set(same.map(({ name }) => name))];
    if (names.length < 2) continue;
    reader.problems.push(`input "legs": ${names.join(' and ')} are the same digest, ${digest}: ${advice}`);
  }
}

function readMap(reader: InputReader, map: z.infer<typeof mapSchema>): LegDigest[] {
  const entries = Object.entries(map).flatMap(([key, value]) => {
    const platform = toPlatform(reader, key);
    if (!isDigest(value))
      reader.refuse('legs', plain(`${key}: ${value}`, 100), 'write a digest: "sha256:" and 64 hex digits');
    return platform && isDigest(value) ? [toLeg(platform, value)] : [];
  });
  if (Object.keys(map).length === 0) reader.refuse('legs', '{}', HAND_OFF_ADVICE);
  const names = entries.map(({ name }) => name);
  for (const name of new Set(names.filter((each, position) => names.indexOf(each) < position))) {
    reader.problems.push(`input "legs": ${name} is there more than once: write one digest for each platform`);
  }
  refuseSame(reader, entries, 'write for each what its own build has put out as "digest"');
  return entries;
}

function toLeg(platform: Platform, digest: Digest): LegDigest & { readonly platform: Platform } {
  return { name: `the entry ${formatPlatform(platform)} of "legs"`, digest, job: '', platform };
}

function toPlatform(reader: InputReader, text: string): Platform | undefined {
  try {
    return parsePlatform(text);
  } catch (error) {
    if (!(error instanceof PlatformError)) throw error;
    reader.problems.push(`input "legs": ${error.message}`);
    return undefined;
  }
}

/** Reads the template of the tags of single platforms, if there is one that can be used. */
export function readTemplate(reader: InputReader): string | undefined {
  const template = reader.text('platform-tags');
  const problem = template && templateProblem(template);
  if (problem) reader.refuse('platform-tags', template, problem);
  return problem || !template ? undefined : template;
}
