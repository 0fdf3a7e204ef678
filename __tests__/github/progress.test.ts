import { describe, expect, test } from '@jest/globals';
import { createProgress } from '../../src/github/progress.ts';
import type { Descriptor } from '../../src/image/descriptor.ts';
import { digestOf } from '../../src/image/digest.ts';

const LARGE: Descriptor = { mediaType: 'layer', digest: digestOf(Buffer.from('large')), size: 40_000_000 };
const SMALL: Descriptor = { mediaType: 'config', digest: digestOf(Buffer.from('small')), size: 999_999 };
const SHORT = LARGE.digest.slice(0, 19);

/** Progress with a clock that the test sets, in seconds. */
function setUp() {
  const lines: string[] = [];
  const clock = { seconds: 0 };
  const progress = createProgress(
    (line) => lines.push(line),
    () => clock.seconds * 1000,
  );
  return { lines, clock, progress };
}

describe('progress', () => {
  test('tells of a long upload every ten seconds, and of its end', () => {
    const { lines, clock, progress } = setUp();
    progress.started('us-east-1', LARGE);
    for (clock.seconds = 1; clock.seconds <= 20; clock.seconds += 1)
      progress.moved('us-east-1', LARGE, 1_500_000);
    clock.seconds = 24.25;
    progress.finished('us-east-1', LARGE);
    expect(lines).toEqual([
      `us-east-1: ${SHORT} is on its way: 15.0 MB of 40.0 MB, 37 %`,
      `us-east-1: ${SHORT} is on its way: 30.0 MB of 40.0 MB, 75 %`,
      `us-east-1: sent ${SHORT} (40.0 MB in 24.3 s)`,
    ]);
  });

  test('keeps silent of a small blob that is there at once', () => {
    const { lines, progress } = setUp();
    progress.started('us-east-1', SMALL);
    progress.moved('us-east-1', SMALL, SMALL.size);
    progress.finished('us-east-1', SMALL);
    expect(lines).toEqual([]);
  });

  test('counts anew when an upload is tried again', () => {
    const { lines, clock, progress } = setUp();
    progress.started('us-east-1', LARGE);
    progress.moved('us-east-1', LARGE, 30_000_000);
    progress.started('us-east-1', LARGE);
    clock.seconds = 10;
    progress.moved('us-east-1', LARGE, 10_000_000);
    expect(lines).toEqual([`us-east-1: ${SHORT} is on its way: 10.0 MB of 40.0 MB, 25 %`]);
  });

  test('tells regions apart', () => {
    const { lines, clock, progress } = setUp();
    progress.started('us-east-1', LARGE);
    progress.started('eu-west-1', LARGE);
    progress.moved('us-east-1', LARGE, 20_000_000);
    clock.seconds = 10;
    progress.moved('eu-west-1', LARGE, 4_000_000);
    expect(lines).toEqual([`eu-west-1: ${SHORT} is on its way: 4.0 MB of 40.0 MB, 10 %`]);
  });

  test('does not mind an upload of which it saw no beginning', () => {
    const { lines, progress } = setUp();
    progress.moved('us-east-1', LARGE, 1);
    progress.finished('us-east-1', LARGE);
    expect(lines).toEqual([`us-east-1: sent ${SHORT} (40.0 MB in 0.0 s)`]);
  });
});
