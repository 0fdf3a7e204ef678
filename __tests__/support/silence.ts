import { jest } from '@jest/globals';
import { atEnd } from './ends.ts';

/** Keeps what libraries print by themselves out of the tests' own output, until the test has ended. */
export function silenceOutput(): void {
  const write = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  atEnd(() => write.mockRestore());
}
