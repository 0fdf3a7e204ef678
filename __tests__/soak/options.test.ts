import { describe, expect, test } from '@jest/globals';
import { parseOptions, SCENARIOS, sizesFor } from '../../soak/options.ts';

function optionsOf(...args: string[]) {
  const options = parseOptions(args);
  if (options === 'help') throw new Error('it is the help');
  return options;
}

describe('the command line of the soak', () => {
  test('without options is all of it, on the bundle', () => {
    const { only, sizes, json, bundle } = optionsOf();
    expect(only).toEqual([...SCENARIOS]);
    expect(sizes).toMatchObject({ regions: 20, layers: 200, legs: 50 });
    expect(json).toBeUndefined();
    expect(bundle).toMatch(/dist$/);
  });

  test('takes another bundle, or the source', () => {
    expect(optionsOf('--bundle', 'build').bundle).toBe('build');
    expect(optionsOf('--source').bundle).toBeUndefined();
  });

  test('picks scenarios, which keep their order', () => {
    expect(optionsOf('--only', 'faults, leg').only).toEqual(['leg', 'faults']);
  });

  test.each([
    [['--only', 'tea'], /no scenario "tea", only leg, stitch, publishes, faults/],
    [['--seconds', 'soon'], /--seconds: write a number, from 1 on/],
    [['--rounds', '0'], /--rounds: write a number, from 1 on/],
  ])('%p is refused', (args, message) => {
    expect(() => parseOptions(args)).toThrow(message);
  });
});

describe('the sizes', () => {
  test('shrink with the time, but not to nothing', () => {
    expect(sizesFor(90)).toMatchObject({ regions: 10, layers: 100, legs: 25 });
    expect(sizesFor(1)).toMatchObject({ regions: 4, layers: 20, legs: 6 });
    expect(sizesFor(3_600)).toMatchObject({ regions: 20, layers: 200, legs: 50 });
  });

  test('have time for publishing, or a number of rounds instead', () => {
    expect(sizesFor(100).publishing).toEqual({ seconds: 35, publishes: 24 });
    expect(sizesFor(100, 400)).toMatchObject({
      publishing: { seconds: undefined, publishes: 400 },
      faults: { seconds: undefined, publishes: 50 },
    });
  });
});
