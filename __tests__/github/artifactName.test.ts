import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { artifactName } from '../../src/github/legs.ts';
import { legOf } from './legs.ts';

const PLATFORMS = ['linux/amd64', 'linux/arm64', 'linux/arm/v6', 'linux/arm/v7', 'windows/amd64'];

/** What tells two legs of a run apart. */
const identities = fc.record({
  repository: fc.oneof(
    fc.constantFrom('team/app', 'team-app', 'team_app', 'app'),
    fc.string({ maxLength: 300 }),
  ),
  job: fc.oneof(fc.constantFrom('build', 'build-2'), fc.string({ unit: 'binary' })),
  jobIndex: fc.option(fc.nat(256), { nil: undefined }),
  runAttempt: fc.integer({ min: 1, max: 50 }),
  platforms: fc.uniqueArray(fc.constantFrom(...PLATFORMS), { minLength: 1 }),
});

function nameOf({
  platforms,
  jobIndex,
  ...fields
}: typeof identities extends fc.Arbitrary<infer T> ? T : never) {
  return artifactName(legOf(platforms, { ...fields, ...(jobIndex !== undefined && { jobIndex }) }));
}

describe("the name of a leg's artifact", () => {
  test('has only characters that artifacts may have, and not too many', () => {
    fc.assert(
      fc.property(identities, (identity) => {
        expect(nameOf(identity)).toMatch(/^ecr-multiarch-leg-[A-Za-z0-9._-]{1,180}$/);
      }),
    );
  });

  test('is that of no other leg', () => {
    fc.assert(
      fc.property(identities, identities, (one, other) => {
        fc.pre(JSON.stringify(one) !== JSON.stringify(other));
        expect(nameOf(one)).not.toBe(nameOf(other));
      }),
    );
  });

  test.each([
    ['repository', { repository: 'team-app' }],
    ['job', { job: 'build2' }],
    ['place in the matrix', { jobIndex: 1 }],
    ['attempt', { runAttempt: 2 }],
  ])('differs when only the %s does', (_, fields) => {
    const leg = legOf(['linux/amd64'], { jobIndex: 0 });
    expect(artifactName({ ...leg, ...fields })).not.toBe(artifactName(leg));
  });

  test('differs when only the platform does', () => {
    expect(artifactName(legOf(['linux/arm/v6']))).not.toBe(artifactName(legOf(['linux/arm/v7'])));
  });

  test('is the same for the same leg, so that a second one of it is noticed', () => {
    const leg = legOf(['linux/amd64']);
    expect(artifactName({ ...leg, builder: 'another' })).toBe(artifactName(leg));
  });
});
