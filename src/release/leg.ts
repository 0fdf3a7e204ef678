import * as z from 'zod/mini';
import { type Descriptor, descriptorSchema, sizeSchema, spokenOf } from '../image/descriptor.ts';
import { digestSchema } from '../image/digest.ts';
import type { Manifest } from '../image/manifest.ts';
import { platformSchema } from '../image/platform.ts';
import { plain } from '../words.ts';

/** How records of this version call themselves. */
export const LEG_SCHEMA = 'ecr-multiarch/leg/v1';
const FAMILY = 'ecr-multiarch/leg/';

const imageSchema = z.object({
  descriptor: z.extend(descriptorSchema, { platform: platformSchema }),
  bytes: sizeSchema,
});

/**
 * What a build job leaves for the job that stitches: which images it made, for which platforms as their own configs say,
 * and who it was.
 */
export const legSchema = z.object({
  schema: z.literal(LEG_SCHEMA),
  repository: z.string(),
  /** The workflow run, and which attempt of it. */
  runId: z.string(),
  runAttempt: z.number(),
  /** The job's id in the workflow, and its place in the matrix where the runner tells it. */
  job: z.string(),
  jobIndex: z.optional(z.number()),
  jobTotal: z.optional(z.number()),
  /** The calls of reusable workflows that the job is in, outermost first, joined by dots; empty in none. */
  call: z.optional(z.string()),
  builder: z.string(),
  root: digestSchema,
  images: z.array(imageSchema).check(z.minLength(1)),
  attestations: z.array(descriptorSchema),
  /** Whether it was pushed, which a record that does not say so means. */
  pushed: z.optional(z.boolean()),
  /** The destinations that hold all of it, or would if it had been pushed: host and repository. */
  destinations: z.array(z.string()),
});
export type Leg = z.infer<typeof legSchema>;
export type LegImage = Leg['images'][number];

/** A leg as it was handed over. */
export interface FoundLeg extends Leg {
  /** How messages name it, where its job is not all that there is to say. */
  readonly found?: string;
  /** What its tag shows, where it was found by one. */
  readonly tagged?: Manifest;
}

/** A record that cannot be used; the message goes on from the record's name. */
export class LegError extends Error {
  override readonly name = 'LegError';
}

/**
 * Reads a record, as it was parsed from its JSON.
 * @throws LegError when it is none, or one of another version
 */
export function readLeg(record: unknown): Leg {
  const parsed = z.safeParse(legSchema, record);
  if (parsed.success) return parsed.data;
  const { schema } = z.safeParse(z.object({ schema: z.string() }), record).data ?? {};
  throw new LegError(`is no leg that this version can read${otherVersion(schema)}: ${SAME_VERSION}`);
}

/** What to do about records of another version. */
const SAME_VERSION = 'use the same version of this action in all jobs';

/** Says which version a record is of, when that is known and not this one; empty otherwise. */
function otherVersion(schema: string | undefined): string {
  if (schema === LEG_SCHEMA || !schema?.startsWith(FAMILY)) return '';
  return `, but one of ${plain(schema.slice(FAMILY.length), 20)} rather than ${LEG_SCHEMA.slice(FAMILY.length)}`;
}

/** What a leg has to say of one of its images. What does not tell of which it speaks belongs to all. */
export function attestationsOf({ attestations }: Leg, { descriptor }: LegImage): Descriptor[] {
  return attestations.filter((each) => (spokenOf(each) ?? descriptor.digest) === descriptor.digest);
}

/** How messages name a leg. */
export function nameOf(leg: FoundLeg): string {
  return leg.found ?? jobOf(leg);
}

/** The job that left a leg. */
export function jobOf({ job, jobIndex, runAttempt }: Leg): string {
  return `job ${plain(job, 100)}${jobIndex === undefined ? '' : ` #${jobIndex}`} of attempt ${runAttempt}`;
}
