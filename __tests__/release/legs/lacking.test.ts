import { describe, expect, test } from '@jest/globals';
import type { Leg } from '../../../src/release/leg.ts';
import { lackingIn } from '../../../src/release/legs/lacking.ts';
import { legOf } from './legs.ts';

const destinations = ['one', 'two', 'three'].map((name) => ({ name, image: `${name}.example/team/app` }));

/** A leg that landed in some of the destinations. */
const landedIn = (platform: string, ...names: string[]) =>
  legOf(platform, { destinations: names.map((name) => `${name}.example/team/app`) });

const lacking = (legs: readonly Leg[]) =>
  lackingIn(
    legs.flatMap(({ images }) => images),
    legs,
    destinations,
  );

describe('what destinations lack', () => {
  test('is nothing where every leg has landed everywhere', () => {
    expect(lacking([landedIn('linux/amd64', 'one', 'two', 'three')])).toEqual([]);
  });

  test('is told for each destination and platform, with who has it', () => {
    expect(lacking([landedIn('linux/amd64', 'one'), landedIn('linux/arm64', 'two', 'three')])).toEqual([
      'two: no job has built linux/amd64 for it: it is copied from one',
      'three: no job has built linux/amd64 for it: it is copied from one',
      'one: no job has built linux/arm64 for it: it is copied from two, three',
    ]);
  });

  test('counts jobs that have built the same image together', () => {
    const [first, second] = [landedIn('linux/amd64', 'one'), landedIn('linux/amd64', 'two')];
    expect(lackingIn(first.images, [first, second], destinations)).toEqual([
      'three: no job has built linux/amd64 for it: it is copied from one, two',
    ]);
  });

  test('is not known of legs that do not say where they are, or are nowhere here', () => {
    expect(lacking([landedIn('linux/amd64'), landedIn('linux/arm64', 'four')])).toEqual([]);
  });
});
