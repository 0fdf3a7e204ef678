import type { Vitals } from '../run/vitals.ts';
import type { Finding } from './finding.ts';

/** What a process held on to after so many publishes. */
export interface Sample {
  readonly publishes: number;
  readonly vitals: Vitals;
}

/**
 * By how much a value grows with each step: the slope of the line that fits the points best (least squares).
 * @returns 0 when the points are all at one step
 */
export function slopeOf(points: readonly { readonly at: number; readonly value: number }[]): number {
  const mean = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  const middle = mean(points.map(({ at }) => at));
  const level = mean(points.map(({ value }) => value));
  const spread = points.reduce((sum, { at }) => sum + (at - middle) ** 2, 0);
  const shared = points.reduce((sum, { at, value }) => sum + (at - middle) * (value - level), 0);
  return spread === 0 ? 0 : shared / spread;
}

/**
 * How much memory may grow: so many bytes with each publish or, where there are few of them, so many in all, which is what the
 * process's own housekeeping comes to.
 */
interface Tolerance {
  readonly each: number;
  readonly inAll: number;
}

const MEMORY: readonly { key: keyof Vitals; what: string; tolerance: Tolerance }[] = [
  { key: 'heap', what: 'heap in use after collection', tolerance: { each: 4_000, inAll: 2_000_000 } },
  { key: 'buffers', what: 'memory outside of the heap', tolerance: { each: 1_000, inAll: 300_000 } },
  { key: 'resident', what: 'resident memory', tolerance: { each: 30_000, inAll: 12_000_000 } },
];

const COUNTED: readonly { key: keyof Vitals; what: string }[] = [
  { key: 'descriptors', what: 'file descriptors' },
  { key: 'handles', what: 'active handles and requests' },
  { key: 'listeners', what: 'listeners on shared emitters' },
  { key: 'leftovers', what: 'files and folders left over' },
  { key: 'warnings', what: 'warnings of the process' },
];

/** What is counted may be one more or less in a single sample, but not at the end of the line. */
const COUNT_TOLERANCE = 0.5;

/** The first part of the samples, which does not count: until then code is loaded and compiled. */
const WARM_UP = 0.25;

/**
 * Whether what a process holds on to grows with what it does: a line through all samples after warming up, held against a
 * tolerance.
 * @param all in the order in which they were taken
 */
export function growthFindings(all: readonly Sample[]): Finding[] {
  const samples = all.slice(Math.floor(all.length * WARM_UP));
  const steps = samples.map(({ publishes }) => publishes);
  const publishes = Math.max(...steps) - Math.min(...steps);
  const slope = (key: keyof Vitals) =>
    slopeOf(samples.map(({ publishes: at, vitals }) => ({ at, value: vitals[key] })));
  const memory = MEMORY.map(({ key, what, tolerance }) => ({
    what: `${what}: growth with each publish`,
    value: slope(key) / 1_000,
    unit: 'kB',
    bound: { most: Math.max(tolerance.each, tolerance.inAll / publishes) / 1_000 },
  }));
  const counted = COUNTED.map(({ key, what }) => ({
    what: `${what}: growth over all of them`,
    value: slope(key) * publishes,
    unit: '',
    bound: { most: COUNT_TOLERANCE },
  }));
  return [
    { what: 'samples of what the process holds on to', value: samples.length, unit: '', bound: { least: 4 } },
    ...memory,
    ...counted,
  ];
}
