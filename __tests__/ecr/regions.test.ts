import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { accountInHost, regionProblem, registryHost } from '../../src/ecr/regions.ts';

describe('a region', () => {
  test.each(['us-east-1', 'eu-central-1', 'cn-north-1', 'us-gov-west-1', 'eusc-de-east-1'])(
    '%s is known',
    (region) => {
      expect(regionProblem(region)).toBeUndefined();
    },
  );

  test.each([
    ['us-est-1', /did you mean us-east-1\?/],
    ['us-east1', /did you mean us-east-1\?/],
    ['eu-west-9', /did you mean eu-west-/],
    ['Frankfurt am Main', /write it as in us-east-1/],
    ['', /there is no AWS region ""/],
  ])('"%s" is not, and the message says what was meant', (region, words) => {
    expect(regionProblem(region)).toMatch(words);
  });

  test('any other text is refused, without a crash', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(regionProblem(`${text}!`)).toContain('there is no AWS region');
      }),
    );
  });
});

describe("a registry's host", () => {
  test.each([
    ['us-east-1', '123456789012.dkr.ecr.us-east-1.amazonaws.com'],
    ['us-gov-west-1', '123456789012.dkr.ecr.us-gov-west-1.amazonaws.com'],
    ['cn-north-1', '123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn'],
    ['eusc-de-east-1', '123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu'],
    ['us-iso-east-1', '123456789012.dkr.ecr.us-iso-east-1.c2s.ic.gov'],
    ['us-isob-east-1', '123456789012.dkr.ecr.us-isob-east-1.sc2s.sgov.gov'],
    ['eu-isoe-west-1', '123456789012.dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk'],
    ['us-isof-east-1', '123456789012.dkr.ecr.us-isof-east-1.csp.hci.ic.gov'],
  ])('in %s is that of its partition', (region, host) => {
    expect(registryHost('123456789012', region)).toBe(host);
    expect(accountInHost(host)).toBe('123456789012');
  });

  test.each(['123456789012.dkr-ecr.us-east-1.on.aws', '123456789012.dkr.ecr-fips.us-east-1.amazonaws.com'])(
    '%s names the account too',
    (host) => {
      expect(accountInHost(host)).toBe('123456789012');
    },
  );

  test.each(['127.0.0.1:4566', 'public.ecr.aws', '12345.dkr.ecr.us-east-1.amazonaws.com'])(
    '%s names no account',
    (host) => {
      expect(accountInHost(host)).toBeUndefined();
    },
  );
});
