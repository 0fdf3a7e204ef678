import type { Action } from '../subjects/action.ts';
import type { Builder } from '../world/builder.ts';
import type { Ground, Place } from '../world/world.ts';

/** What every scenario works with. */
export interface Setting extends Ground {
  readonly builder: Builder;
  /** How many regions a fresh push goes to, one after the other of these. */
  readonly regionCounts: readonly number[];
  readonly action: Action;
  /** A folder on a disk, for what is too much for memory. */
  readonly diskDir: string;
  /** The sizes of an image's layers in bytes, the lowest first, for each of its two platforms. */
  readonly layers: readonly number[];
  /** The size of the layer by which memory is measured, in bytes. */
  readonly largeLayer: number;
}

/** Bytes a second of one connection: where latency and width both count, and where the cores are not the limit. */
export const RATE = 20_000_000;
export const SLOW_RATE = 5_000_000;

/** Four distances in milliseconds there and back: next door, the same continent, the next, and the farthest. */
export const PLACES: readonly Place[] = [
  { region: 'us-east-1', rtt: 2 },
  { region: 'us-west-2', rtt: 70 },
  { region: 'eu-central-1', rtt: 150 },
  { region: 'ap-southeast-2', rtt: 220 },
];
/** Each distance once more. */
const MORE_PLACES: readonly Place[] = [
  { region: 'us-east-2', rtt: 2 },
  { region: 'us-west-1', rtt: 70 },
  { region: 'eu-west-1', rtt: 150 },
  { region: 'ap-southeast-1', rtt: 220 },
];

/** One region is the farthest, two are it and the nearest. */
export function places(count: number): readonly Place[] {
  const all = [...PLACES, ...MORE_PLACES];
  if (count === 1) return PLACES.slice(-1);
  if (count === 2) return [...PLACES.slice(0, 1), ...PLACES.slice(-1)];
  return all.slice(0, count);
}
