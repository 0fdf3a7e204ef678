import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Turns } from '../../src/release/turns.ts';
import { turn } from '../support/memory.ts';

/** Pieces of work of any size, each of which takes some turns of the event loop and may fail. */
const work = fc.array(
  fc.record({ size: fc.nat({ max: 9 }), takes: fc.integer({ min: 1, max: 3 }), fails: fc.boolean() }),
  { maxLength: 30 },
);

describe('taking turns', () => {
  test('runs all, never more than so many beside each other, and the largest of those that wait next', async () => {
    await fc.assert(
      fc.asyncProperty(work, fc.integer({ min: 1, max: 4 }), async (pieces, most) => {
        const turns = new Turns(most);
        const waiting: number[] = [];
        let [running, mostRunning] = [0, 0];
        const outcomes = await Promise.allSettled(
          pieces.map(({ size, takes, fails }, position) => {
            if (position >= most) waiting.push(size);
            return turns.run(size, async () => {
              if (position >= most) {
                expect(size).toBe(Math.max(...waiting));
                waiting.splice(waiting.indexOf(size), 1);
              }
              running += 1;
              mostRunning = Math.max(mostRunning, running);
              for (let turned = 0; turned < takes; turned += 1) await turn();
              running -= 1;
              if (fails) throw new Error(`piece ${position}`);
              return position;
            });
          }),
        );
        expect(mostRunning).toBe(Math.min(most, pieces.length));
        expect(waiting).toEqual([]);
        expect(outcomes).toEqual(
          pieces.map(({ fails }, position) =>
            fails
              ? { status: 'rejected', reason: new Error(`piece ${position}`) }
              : { status: 'fulfilled', value: position },
          ),
        );
      }),
      { numRuns: 60 },
    );
  });

  test('lets those of one size go in the order in which they came', async () => {
    const turns = new Turns(1);
    const order: number[] = [];
    await Promise.all([1, 2, 3, 4].map((each) => turns.run(7, async () => void order.push(each))));
    expect(order).toEqual([1, 2, 3, 4]);
  });

  test('hands the turn of one that fails on, to nobody who comes in between', async () => {
    const turns = new Turns(1);
    const order: string[] = [];
    const failing = turns.run(1, async () => Promise.reject(new Error('broken')));
    const waiting = turns.run(1, async () => void order.push('waited'));
    const late = failing.catch(() => turns.run(9, async () => void order.push('came late')));
    await Promise.all([expect(failing).rejects.toThrow('broken'), waiting, late]);
    expect(order).toEqual(['waited', 'came late']);
  });

  test('is free again when all have had theirs', async () => {
    const turns = new Turns(2);
    await Promise.all([1, 2, 3].map((size) => turns.run(size, turn)));
    const both = Promise.withResolvers<void>();
    let running = 0;
    const enter = () => {
      running += 1;
      if (running === 2) both.resolve();
      return both.promise;
    };
    await Promise.all([turns.run(1, enter), turns.run(1, enter)]);
    expect(running).toBe(2);
  });
});
