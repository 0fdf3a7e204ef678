import { describe, expect, test } from '@jest/globals';
import { handOver } from '../../src/modes/handOver.ts';
import { DISK_FULL, Problems } from '../../src/problems.ts';
import type { Leg } from '../../src/release/leg.ts';
import { legOf } from '../github/legs.ts';

const leg = legOf(['linux/amd64']);

/** Hands a leg over, and tells what came of it and which were begun to be saved. */
async function handing(save: () => Promise<void>, signal = new AbortController().signal) {
  const begun: Leg[] = [];
  const legs = {
    save(one: Leg) {
      begun.push(one);
      return save();
    },
    list: async () => [],
  };
  const told = await handOver(leg, { legs, cancellation: { signal, hold: (work) => work() } });
  return { told, begun };
}

describe('handing a leg over', () => {
  test('has nothing to tell when it is done', async () => {
    expect(await handing(async () => undefined)).toEqual({ told: [], begun: [leg] });
  });

  test('tells the problems of the artifact service as they are', async () => {
    const { told } = await handing(() => Promise.reject(new Problems([DISK_FULL])));
    expect(told).toEqual([DISK_FULL]);
  });

  test('does not blame the artifact service for whatever else fails', async () => {
    const { told } = await handing(() => Promise.reject(new Error('EACCES')));
    expect(told).toEqual(['the leg could not be handed over: EACCES: run the job again']);
  });

  test('is not begun when the step has to end already, and says what to do', async () => {
    const signal = AbortSignal.abort(new Error('the step was cancelled'));
    const { told, begun } = await handing(async () => undefined, signal);
    expect(begun).toEqual([]);
    expect(told).toEqual([
      expect.stringMatching(/^the leg was not handed over .*: the step was cancelled; .* run again$/),
    ]);
  });
});
