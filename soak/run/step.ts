import * as z from 'zod/mini';

/** One run of the action, as a runner would start it. */
export interface Step {
  /** All inputs by their names, with the defaults of action.yml. */
  readonly inputs: ReadonlyMap<string, string>;
  /** What the job adds to the environment. */
  readonly environment: Readonly<Record<string, string>>;
}

export const stepSchema = z.object({
  inputs: z.map(z.string(), z.string()),
  environment: z.record(z.string(), z.string()),
});

/** What a run of the action left. */
export const endedSchema = z.object({
  /** The errors by which it failed. */
  errors: z.array(z.string()),
  /** The outputs `digest` and `results`, if it came that far. */
  digest: z.optional(z.string()),
  results: z.optional(z.string()),
  /** What it left in RUNNER_TEMP. */
  leftovers: z.array(z.string()),
  seconds: z.number(),
  /** The most memory that it had resident, in bytes; 0 when it had no process of its own, or the system does not tell. */
  peakMemory: z.number(),
});
export type Ended = z.infer<typeof endedSchema>;

/** Runs the action, in one way or another. */
export interface Runner {
  run(step: Step): Promise<Ended>;
}
