import { describe, expect, test } from '@jest/globals';
import { holds, isBroken, type Section, sectionText } from '../../soak/report/finding.ts';

const section: Section = {
  title: 'A leg',
  findings: [
    { what: 'requests', value: 8_320, unit: '', bound: { most: 10_000 } },
    { what: 'time', value: 5.284, unit: 's' },
  ],
  complaints: [],
};

describe('a finding', () => {
  test.each([
    [{ most: 5 }, 5, false],
    [{ most: 5 }, 5.01, true],
    [{ least: 1 }, 1, false],
    [{ least: 1 }, 0, true],
    [{ least: 1, most: 2 }, 3, true],
    [{ most: 5 }, Number.NaN, true],
  ])('with the bound %j and the value %p: broken is %p', (bound, value, expected) => {
    expect(isBroken({ what: '', unit: '', value, bound })).toBe(expected);
  });
});

describe('a section', () => {
  test('with no bound broken and nothing to complain of holds, and is a table', () => {
    expect(holds(section)).toBe(true);
    expect(sectionText(section)).toBe(
      [
        '### A leg',
        '',
        '| what     | measured |    bound |    |',
        '| -------- | -------: | -------: | -: |',
        '| requests |    8,320 | ≤ 10,000 | ok |',
        '| time     |   5.28 s |          |    |',
      ].join('\n'),
    );
  });

  test('with a broken bound or a complaint does not hold, and says which', () => {
    const beyond = {
      ...section,
      findings: [{ what: 'requests', value: 8_320, unit: '', bound: { most: 1 } }],
    };
    const wrong = { ...section, complaints: ['v1: us-east-1 shows nothing'] };
    expect([beyond, wrong].map(holds)).toEqual([false, false]);
    expect(sectionText(beyond)).toContain('≤ 1 | BROKEN |');
    expect(sectionText(wrong)).toContain('- BROKEN: v1: us-east-1 shows nothing');
  });
});
