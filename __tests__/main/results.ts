import * as z from 'zod/mini';

const resultsSchema = z.array(
  z.looseObject({ destination: z.string(), state: z.string(), error: z.optional(z.string()) }),
);

/** What the output `results` says: each region's state. */
export function statesOf(results = '[]'): Record<string, string> {
  const parsed = z.parse(resultsSchema, JSON.parse(results));
  return Object.fromEntries(parsed.map(({ destination, state }) => [destination, state]));
}

/** An object with the same value for each key. */
export function each<T>(keys: readonly string[], value: T): Record<string, T> {
  return Object.fromEntries(keys.map((key) => [key, value]));
}
