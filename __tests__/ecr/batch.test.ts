import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { batched } from '../../src/ecr/batch.ts';

/** Looks up the even numbers, and remembers what it was asked. */
function lookUpEven() {
  const calls: (readonly number[])[] = [];
  const lookUp = async (keys: readonly number[]) => {
    calls.push(keys);
    return new Map(keys.filter((key) => key % 2 === 0).map((key) => [key, `value ${key}`]));
  };
  return { calls, lookUp };
}

describe('questions that are asked together', () => {
  test('share calls of at most so many keys, each key once, and get their own answers', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat({ max: 300 }), { minLength: 1, maxLength: 300 }),
        fc.integer({ min: 1, max: 100 }),
        async (keys, most) => {
          const { calls, lookUp } = lookUpEven();
          const ask = batched(lookUp, most, 0);
          const answers = await Promise.all(keys.map((key) => ask(key)));
          expect(answers).toEqual(keys.map((key) => (key % 2 === 0 ? `value ${key}` : undefined)));
          expect(calls.flat().toSorted()).toEqual([...new Set(keys)].toSorted());
          expect(calls).toHaveLength(Math.ceil(new Set(keys).size / most));
        },
      ),
      { numRuns: 30 },
    );
  });

  test('are asked anew when they come later', async () => {
    const { calls, lookUp } = lookUpEven();
    const ask = batched(lookUp, 100, 0);
    await ask(2);
    await ask(2);
    expect(calls).toEqual([[2], [2]]);
  });

  test('fail only with the call that carried them', async () => {
    const ask = batched<number, string>(
      async (keys) => {
        if (keys.includes(3)) throw new Error('no answer');
        return new Map(keys.map((key) => [key, 'there']));
      },
      2,
      0,
    );
    const outcomes = await Promise.allSettled([1, 2, 3, 4].map((key) => ask(key)));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected']);
  });
});
