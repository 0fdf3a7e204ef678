import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isBroken } from '../../soak/report/finding.ts';
import { growthFindings, type Sample, slopeOf } from '../../soak/report/growth.ts';
import type { Vitals } from '../../soak/run/vitals.ts';

const AT_REST: Vitals = {
  heap: 30_000_000,
  buffers: 12_000_000,
  resident: 150_000_000,
  descriptors: 23,
  handles: 2,
  listeners: 5,
  leftovers: 0,
  warnings: 0,
};

/** Twenty samples over 400 publishes; `change` says what is more by then than at rest. */
function samplesWith(change: (publishes: number) => Partial<Vitals>): Sample[] {
  return Array.from({ length: 20 }, (_, position) => {
    const publishes = (position + 1) * 20;
    return { publishes, vitals: { ...AT_REST, ...change(publishes) } };
  });
}

/** The names of what grows too much. */
function broken(samples: readonly Sample[]): string[] {
  return growthFindings(samples)
    .filter(isBroken)
    .map(({ what }) => what.replace(/:.*/, ''));
}

describe('the slope', () => {
  test('of points on a line is the line’s, wherever they are', () => {
    const numbers = fc.integer({ min: -1_000, max: 1_000 });
    const places = fc.uniqueArray(numbers, { minLength: 2, maxLength: 20 });
    fc.assert(
      fc.property(numbers, numbers, places, (level, slope, at) => {
        const points = at.map((each) => ({ at: each, value: level + slope * each }));
        expect(slopeOf(points)).toBeCloseTo(slope, 6);
      }),
    );
  });

  test('of points that swing about a level is none', () => {
    const points = [1, -1, -1, 1].map((swing, at) => ({ at, value: 10 + swing }));
    expect(slopeOf(points)).toBeCloseTo(0, 12);
  });
});

describe('growth', () => {
  test('of a process that holds on to nothing is within its bounds', () => {
    expect(broken(samplesWith(() => ({})))).toEqual([]);
  });

  test.each<[what: string, change: (publishes: number) => Partial<Vitals>]>([
    ['heap in use after collection', (publishes) => ({ heap: AT_REST.heap + 8_000 * publishes })],
    ['memory outside of the heap', (publishes) => ({ buffers: AT_REST.buffers + 4_000 * publishes })],
    ['resident memory', (publishes) => ({ resident: AT_REST.resident + 65_536 * publishes })],
    ['file descriptors', (publishes) => ({ descriptors: AT_REST.descriptors + publishes / 200 })],
    ['active handles and requests', (publishes) => ({ handles: AT_REST.handles + publishes })],
    ['listeners on shared emitters', (publishes) => ({ listeners: AT_REST.listeners + publishes / 20 })],
    ['files and folders left over', (publishes) => ({ leftovers: publishes / 20 })],
    ['warnings of the process', (publishes) => ({ warnings: Math.floor(publishes / 150) })],
  ])('of the %s is told', (what, change) => {
    expect(broken(samplesWith(change))).toEqual([what]);
  });

  test('until the process has warmed up does not count', () => {
    const loading = samplesWith((publishes) =>
      publishes <= 100 ? { heap: 20_000_000, descriptors: 12 } : {},
    );
    expect(broken(loading)).toEqual([]);
  });

  test('cannot be told from a few samples', () => {
    expect(broken(samplesWith(() => ({})).slice(0, 4))).toEqual(['samples of what the process holds on to']);
  });
});
