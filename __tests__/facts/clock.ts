import { jest } from '@jest/globals';
import { atEnd } from '../support/ends.ts';

/** Lets all clocks of this process run ahead when it is told to, until the test has ended. */
export function clock(): { now: () => number; forward: (milliseconds: number) => void } {
  const real = Date.now.bind(Date);
  let ahead = 0;
  const spy = jest.spyOn(Date, 'now').mockImplementation(() => real() + ahead);
  atEnd(() => spy.mockRestore());
  return {
    now: () => real() + ahead,
    forward: (milliseconds) => {
      ahead += milliseconds;
    },
  };
}
