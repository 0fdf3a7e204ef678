import type { Duration, Sizes } from '../options.ts';

/** What every scenario works with. */
export interface Setting {
  /** A folder that is there. */
  readonly dir: string;
  /** The action's file that Node runs. */
  readonly entry: string;
  readonly sizes: Sizes;
  readonly say: (line: string) => void;
}

/** What the action's process may have resident at the most when an image is small, in MB. */
export const PROCESS_MEMORY = 250;

const REGIONS = [
  ...['us-east-1', 'eu-central-1', 'ap-southeast-2', 'sa-east-1', 'us-east-2', 'us-west-1', 'us-west-2'],
  ...['ca-central-1', 'eu-west-1', 'eu-west-2', 'eu-west-3', 'eu-north-1', 'eu-south-1', 'eu-central-2'],
  ...['ap-northeast-1', 'ap-northeast-2', 'ap-northeast-3', 'ap-southeast-1', 'ap-south-1', 'me-south-1'],
];

/** So many regions, 20 at the most. */
export function regionsFor(count: number): readonly string[] {
  return REGIONS.slice(0, count);
}

/** Whether there is more to do: `done` publishes were made since `startedAt`, in milliseconds as `performance.now` counts. */
export function goesOn({ seconds, publishes }: Duration, startedAt: number, done: number): boolean {
  if (done < publishes) return true;
  return seconds !== undefined && performance.now() - startedAt < seconds * 1_000;
}
