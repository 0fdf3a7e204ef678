import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  namesOf,
  type OtherPlace,
  type Place,
  type PrivatePlace,
  type PublicPlace,
} from '../../src/ecr/places.ts';

function ours(region: string, more: Partial<PrivatePlace> = {}): PrivatePlace {
  return {
    kind: 'private',
    region,
    account: undefined,
    repository: 'team/app',
    role: undefined,
    fips: false,
    dualStack: false,
    ...more,
  };
}

const publicly = (repository: string): PublicPlace => ({ kind: 'public', repository, role: undefined });
const elsewhere = (registry: string, repository = 'org/app'): OtherPlace => ({
  kind: 'other',
  registry,
  repository,
});

const [ONE, TWO] = ['123456789012', '210987654321'];

describe('places are named', () => {
  test.each([undefined, ONE])('by their regions alone when all are in one account (%s)', (account) => {
    const places = [ours('us-east-1', { account }), ours('eu-west-1', { account })];
    expect(namesOf(places)).toEqual(['us-east-1', 'eu-west-1']);
  });

  test('by their regions alone when only other registries are there besides', () => {
    const places = [ours('us-east-1', { account: ONE }), publicly('alias/app'), elsewhere('ghcr.io')];
    expect(namesOf(places)).toEqual(['us-east-1', 'public.ecr.aws', 'ghcr.io']);
  });

  test('by account and region when there are several accounts, the caller’s by region alone', () => {
    const places = [
      ours('us-east-1', { account: ONE }),
      ours('us-east-1', { account: TWO }),
      ours('eu-west-1'),
    ];
    expect(namesOf(places)).toEqual(['123456789012/us-east-1', '210987654321/us-east-1', 'eu-west-1']);
  });

  test('by account and region when there are several accounts, each in a region of its own', () => {
    const places = [ours('us-east-1', { account: ONE }), ours('eu-west-1', { account: TWO })];
    expect(namesOf(places)).toEqual(['123456789012/us-east-1', '210987654321/eu-west-1']);
  });

  test('with their repositories too where one registry has several', () => {
    const places = [
      ours('us-east-1', { account: ONE }),
      ours('us-east-1', { account: ONE, repository: 'team/copy' }),
      ours('eu-west-1', { account: ONE }),
      publicly('one/app'),
      publicly('two/app'),
      elsewhere('ghcr.io', 'org/app'),
      elsewhere('ghcr.io', 'org/copy'),
      elsewhere('quay.io'),
    ];
    expect(namesOf(places)).toEqual([
      '123456789012/us-east-1/team/app',
      '123456789012/us-east-1/team/copy',
      'eu-west-1',
      'public.ecr.aws/one/app',
      'public.ecr.aws/two/app',
      'ghcr.io/org/app',
      'ghcr.io/org/copy',
      'quay.io',
    ]);
  });

  test('with their repositories when the caller has several in one region', () => {
    const places = [ours('us-east-1'), ours('us-east-1', { repository: 'team/copy' }), ours('eu-west-1')];
    expect(namesOf(places)).toEqual(['us-east-1/team/app', 'us-east-1/team/copy', 'eu-west-1']);
  });

  test('not at all when there are none', () => {
    expect(namesOf([])).toEqual([]);
  });

  test('differently, whatever the mixture', () => {
    const repository = fc.constantFrom('app', 'team/app', 'us-east-1', 'app/team/app');
    const place: fc.Arbitrary<Place> = fc.oneof(
      fc
        .record({
          region: fc.constantFrom('us-east-1', 'eu-west-1', 'cn-north-1'),
          account: fc.constantFrom(undefined, ONE, TWO),
          repository,
          fips: fc.boolean(),
        })
        .map(({ region, ...more }) => ours(region, more)),
      repository.map((name) => publicly(`alias/${name}`)),
      fc
        .record({ registry: fc.constantFrom('ghcr.io', 'localhost:5000', 'localhost'), repository })
        .map(({ registry, repository: name }) => elsewhere(registry, name)),
    );
    /** What makes two places one: the same repository of the same registry. */
    const selector = (each: Place) =>
      JSON.stringify(
        each.kind === 'private'
          ? [each.account ?? '', each.region, each.repository]
          : [each.kind === 'other' ? each.registry : 'public', each.repository],
      );
    fc.assert(
      fc.property(fc.uniqueArray(place, { selector, maxLength: 12 }), (places) => {
        const names = namesOf(places);
        expect(names).toHaveLength(places.length);
        expect(new Set(names).size).toBe(places.length);
        for (const name of names) expect(name).not.toMatch(/undefined/);
      }),
      { numRuns: 1000 },
    );
  });
});
