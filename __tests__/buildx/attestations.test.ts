import { describe, expect, test } from '@jest/globals';
import { type AttestationSetting, attestations, type BuildOptions } from '../../src/buildx/arguments.ts';
import { optionsOf } from './options.ts';

const RUN = 'https://github.com/o/r/actions/runs/7/attempts/1';
const BY = `builder-id=${RUN}`;

function attested(options: Partial<BuildOptions>, setting: Partial<AttestationSetting> = {}): string[] {
  return attestations(optionsOf(options), {
    supported: true,
    noDefault: false,
    privateRepository: false,
    runUrl: RUN,
    ...setting,
  });
}

describe('provenance', () => {
  test('is full on public repositories, and the least on private ones, when nothing is said', () => {
    expect(attested({})).toEqual([`type=provenance,mode=max,${BY}`]);
    expect(attested({}, { privateRepository: true })).toEqual([
      `type=provenance,mode=min,inline-only=true,${BY}`,
    ]);
  });

  test.each<[string, Partial<AttestationSetting>]>([
    ['BUILDX_NO_DEFAULT_ATTESTATIONS is set', { noDefault: true }],
    ['the builder cannot attest', { supported: false }],
  ])('is left out when nothing is said and %s', (_, setting) => {
    expect(attested({}, setting)).toEqual([]);
  });

  test.each([
    ['true', `type=provenance,${BY}`],
    ['false', 'type=provenance,disabled=true'],
    ['mode=max', `type=provenance,mode=max,${BY}`],
    ['mode=min,builder-id=mine', 'type=provenance,mode=min,builder-id=mine'],
  ])('asked for as "%s" is %s', (provenance, expected) => {
    expect(attested({ provenance })).toEqual([expected]);
    expect(attested({ provenance }, { noDefault: true, supported: false })).toEqual([expected]);
  });

  test('names no builder outside of GitHub', () => {
    expect(attested({ provenance: 'mode=max' }, { runUrl: '' })).toEqual(['type=provenance,mode=max']);
  });

  test('asked for among the attests has no default beside it', () => {
    expect(attested({ attests: ['type=provenance,mode=min'] })).toEqual(['type=provenance,mode=min']);
  });

  test('asked for twice is taken from its own input', () => {
    expect(attested({ attests: ['type=provenance,mode=min', 'type=sbom'], provenance: 'mode=max' })).toEqual([
      'type=sbom',
      `type=provenance,mode=max,${BY}`,
    ]);
  });
});

describe('a bill of materials', () => {
  test.each([
    ['true', 'type=sbom'],
    ['false', 'type=sbom,disabled=true'],
    ['generator=docker/scout', 'type=sbom,generator=docker/scout'],
  ])('asked for as "%s" is %s', (sbom, expected) => {
    expect(attested({ sbom, provenance: 'false' })).toEqual(['type=provenance,disabled=true', expected]);
  });

  test('asked for twice is taken from its own input', () => {
    expect(attested({ attests: ['type=sbom,generator=a'], sbom: 'false', provenance: 'false' })).toEqual([
      'type=provenance,disabled=true',
      'type=sbom,disabled=true',
    ]);
  });
});
