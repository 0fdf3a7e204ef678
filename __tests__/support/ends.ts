import { afterEach } from '@jest/globals';

const ends: (() => unknown)[] = [];

/** Puts off what a test has to clean up until the test has ended; the last one comes first. */
export function atEnd(end: () => unknown): void {
  ends.push(end);
}

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});
