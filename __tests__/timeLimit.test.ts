import { expect, test } from '@jest/globals';
import { TimeLimitError, UnfinishedError } from '../src/release/limit.ts';
import { withinTime } from '../src/timeLimit.ts';

const outer = { signal: new AbortController().signal, hold: <T>(work: () => Promise<T>) => work() };
const endless = () => new Promise<never>(() => {});
const failureOf = (work: Promise<unknown>) => work.catch((error: unknown) => error);

test('work that ends in time gives what it gives, and what it throws', async () => {
  expect(await withinTime(60_000, outer, async () => 'done')).toBe('done');
  const failure = new Error('no');
  expect(await failureOf(withinTime(60_000, outer, () => Promise.reject(failure)))).toBe(failure);
});

test('work that is late is not waited for, unless it is held: then it may report', async () => {
  const error = await failureOf(withinTime(5, outer, endless));
  expect(error).toBeInstanceOf(TimeLimitError);
  expect(error).not.toBeInstanceOf(UnfinishedError);
  const reporting = withinTime(5, outer, ({ signal, hold }) =>
    hold(() => new Promise((resolve) => signal.addEventListener('abort', () => resolve('put back')))),
  );
  expect(await reporting).toBe('put back');
});

test('of what is held and does not end nobody says that it is as before', async () => {
  const error = await failureOf(withinTime(5, outer, ({ hold }) => hold(endless), 5));
  expect(error).toBeInstanceOf(UnfinishedError);
  expect(String(error)).toMatch(/tags may show the new image, what they showed before, or nothing/);
});
