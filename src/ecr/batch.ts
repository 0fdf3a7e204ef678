/**
 * Gathers questions that are asked at about the same time into few calls.
 * @param lookUp answers for at most `most` keys: the values of those that are there
 * @param wait how long the first question waits for others, in milliseconds
 * @returns a function that gives one key's value, if it is there; it fails when the call that carried the key fails
 */
export function batched<K, V>(
  lookUp: (keys: readonly K[]) => Promise<ReadonlyMap<unknown, V>>,
  most: number,
  wait: number,
): (key: K) => Promise<V | undefined> {
  let waiting = new Map<K, PromiseWithResolvers<V | undefined>>();

  const flush = () => {
    const all = [...waiting];
    waiting = new Map();
    for (let start = 0; start < all.length; start += most) void answer(all.slice(start, start + most));
  };

  const answer = async (questions: [K, PromiseWithResolvers<V | undefined>][]) => {
    try {
      const found = await lookUp(questions.map(([key]) => key));
      for (const [key, { resolve }] of questions) resolve(found.get(key));
    } catch (error) {
      for (const [, { reject }] of questions) reject(error);
    }
  };

  return (key) => {
    if (waiting.size === 0) setTimeout(flush, wait);
    const question = waiting.get(key) ?? Promise.withResolvers<V | undefined>();
    waiting.set(key, question);
    return question.promise;
  };
}
