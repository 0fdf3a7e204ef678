import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { artifactName } from '../../src/github/legs.ts';
import { legOf } from './legs.ts';

const PLATFORMS = ['linux/amd64', 'linux/arm64', 'linux/arm/v6', 'linux/arm/v7', 'windows/amd64'];

const names = fc
  .record({
    repository: fc.oneof(
      fc.constantFrom('team/app', 'team-app'),
      fc.string({ unit: 'binary', maxLength: 300 }),
    ),
    job: fc.string({ unit: 'binary' }),
    runAttempt: fc.integer({ min: 1, max: 50 }),
    platforms: fc.uniqueArray(fc.constantFrom(...PLATFORMS), { minLength: 1 }),
  })
  .map(({ platforms, ...fields }) => artifactName(legOf(platforms, fields)));

describe("the name of a leg's artifact", () => {
  test('has only characters that artifacts may have, and not too many', () => {
    fc.assert(
      fc.property(names, (name) => {
        expect(name).toMatch(/^ecr-multiarch-leg-[A-Za-z0-9._-]{1,180}$/);
      }),
    );
  });

  test('is that of no other artifact, be it of the same leg', () => {
    const leg = legOf(['linux/amd64']);
    expect(new Set(Array.from({ length: 1_000 }, () => artifactName(leg))).size).toBe(1_000);
  });

  test('tells people what is in it', () => {
    expect(artifactName(legOf(['linux/arm/v7'], { runAttempt: 2 }))).toMatch(
      /^ecr-multiarch-leg-team-app-linux-arm-v7-[0-9a-f]{12}-2$/,
    );
  });
});
