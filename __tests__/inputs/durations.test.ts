import { describe, expect, test } from '@jest/globals';
import { InputReader } from '../../src/inputs/reader.ts';

function read(text: string): { time: number | undefined; problems: readonly string[] } {
  const reader = new InputReader(() => text);
  return { time: reader.duration('timeout'), problems: reader.problems };
}

describe('a time', () => {
  test.each([
    ['', undefined],
    ['90s', 90_000],
    ['20m', 1_200_000],
    ['1h', 3_600_000],
    ['1h30m', 5_400_000],
    ['1h30m5s', 5_405_000],
    ['120h', 432_000_000],
  ])('written as "%s" is %p milliseconds', (text, time) => {
    expect(read(text)).toEqual({ time, problems: [] });
  });

  test.each(['20', '0s', '-1s', '1.5h', '30m1h', '1 h', 's', 'soon', '121h', '99999999s'])(
    'written as "%s" is refused, with what to write instead',
    (text) => {
      expect(read(text)).toEqual({
        time: undefined,
        problems: [expect.stringMatching(/^input "timeout": ".*": write a time with its unit/)],
      });
    },
  );
});
