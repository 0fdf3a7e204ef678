import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  accountInHost,
  accountOfRole,
  endpointsProblem,
  parseRegistryHost,
  partitionId,
  type RegistryAddress,
  regionProblem,
  registryHost,
  repositoryArn,
} from '../../src/ecr/partitions.ts';

const ACCOUNT = '123456789012';

/** One region of each partition, its id, and its registries' domains, the dual-stack one where there is one. */
const PARTITIONS: readonly [region: string, id: string, suffix: string, dualStackSuffix?: string][] = [
  ['us-east-1', 'aws', 'amazonaws.com', 'on.aws'],
  ['us-gov-west-1', 'aws-us-gov', 'amazonaws.com', 'on.aws'],
  ['cn-north-1', 'aws-cn', 'amazonaws.com.cn', 'on.amazonwebservices.com.cn'],
  ['eusc-de-east-1', 'aws-eusc', 'amazonaws.eu'],
  ['us-iso-east-1', 'aws-iso', 'c2s.ic.gov'],
  ['us-isob-east-1', 'aws-iso-b', 'sc2s.sgov.gov'],
  ['eu-isoe-west-1', 'aws-iso-e', 'cloud.adc-e.uk'],
  ['us-isof-east-1', 'aws-iso-f', 'csp.hci.ic.gov'],
];
const DUAL_STACK = PARTITIONS.flatMap(([region, , , suffix]) => (suffix ? [[region, suffix] as const] : []));
const SINGLE_STACK = PARTITIONS.filter(([, , , suffix]) => suffix === undefined);

/** All regions that AWS has said to have, and have to be known. */
const REGIONS = [
  ...['us-east-1', 'us-east-2', 'us-west-1', 'us-west-2', 'ca-central-1', 'ca-west-1', 'mx-central-1'],
  ...['sa-east-1', 'sa-west-1', 'eu-west-1', 'eu-west-2', 'eu-west-3', 'eu-central-1', 'eu-central-2'],
  ...['eu-north-1', 'eu-south-1', 'eu-south-2', 'af-south-1', 'il-central-1', 'me-central-1', 'me-south-1'],
  ...['me-west-1', 'ap-east-1', 'ap-east-2', 'ap-south-1', 'ap-south-2', 'ap-northeast-1', 'ap-northeast-2'],
  ...['ap-northeast-3', 'ap-southeast-1', 'ap-southeast-2', 'ap-southeast-3', 'ap-southeast-4'],
  ...['ap-southeast-5', 'ap-southeast-6', 'ap-southeast-7', 'us-gov-east-1', 'us-gov-west-1', 'cn-north-1'],
  ...['cn-northwest-1', 'eusc-de-east-1', 'us-iso-east-1', 'us-iso-west-1', 'us-isob-east-1'],
  ...['us-isob-west-1', 'eu-isoe-west-1', 'us-isof-east-1', 'us-isof-south-1'],
];

describe('a region', () => {
  test.each(REGIONS)('%s is known', (region) => {
    expect(regionProblem(region)).toBeUndefined();
  });

  test.each([
    ['us-est-1', 'did you mean us-east-1?'],
    ['us-east1', 'did you mean us-east-1?'],
    ['eu-west-11', 'did you mean eu-west-1?'],
    ['US-EAST-1', 'write it as in us-east-1 or eu-central-1'],
    ['Frankfurt am Main', 'write it as in us-east-1 or eu-central-1'],
    ['', 'write it as in us-east-1 or eu-central-1'],
  ])('"%s" is not, and the message says what was meant', (region, hint) => {
    expect(regionProblem(region)).toBe(`there is no AWS region "${region}"; ${hint}`);
  });

  test.each([
    ['eu-west-9', 'did you mean eu-west-1?', 'amazonaws.com'],
    ['ap-southeast-8', 'did you mean ap-southeast-1?', 'amazonaws.com'],
    ['xy-central-1', 'did you mean ca-central-1?', 'amazonaws.com'],
    ['cn-south-1', 'did you mean cn-north-1?', 'amazonaws.com.cn'],
    ['eusc-de-west-1', 'did you mean eusc-de-east-1?', 'amazonaws.eu'],
    ['us-isof-west-1', 'did you mean us-iso-west-1?', 'csp.hci.ic.gov'],
  ])('%s may be new: the message says how to name its registry', (region, hint, suffix) => {
    expect(regionProblem(region)).toBe(
      `there is no AWS region "${region}"; ${hint}; if it is new, name its registry in "destinations": ACCOUNT.dkr.ecr.${region}.${suffix}`,
    );
  });

  test('any other text is refused, without a crash', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(regionProblem(`${text}!`)).toContain('there is no AWS region');
      }),
    );
  });

  test.each(PARTITIONS)('%s is of the partition %s, which its ARNs name', (region, id) => {
    expect(partitionId(region)).toBe(id);
    expect(repositoryArn(ACCOUNT, region, 'team/app')).toBe(
      `arn:${id}:ecr:${region}:123456789012:repository/team/app`,
    );
  });
});

describe("a registry's host", () => {
  test.each(PARTITIONS)('in %s is that of its partition (%s)', (region, _, suffix) => {
    const address = { account: ACCOUNT, region, fips: false, dualStack: false };
    expect(registryHost(address)).toBe(`123456789012.dkr.ecr.${region}.${suffix}`);
    expect(registryHost({ ...address, fips: true })).toBe(`123456789012.dkr.ecr-fips.${region}.${suffix}`);
  });

  test.each(DUAL_STACK)('in %s may be a dual-stack one of %s', (region, suffix) => {
    const address = { account: ACCOUNT, region, fips: false, dualStack: true };
    expect(endpointsProblem(region, address)).toBeUndefined();
    expect(registryHost(address)).toBe(`123456789012.dkr-ecr.${region}.${suffix}`);
    expect(registryHost({ ...address, fips: true })).toBe(`123456789012.dkr-ecr-fips.${region}.${suffix}`);
  });

  test.each(SINGLE_STACK)('in %s is no dual-stack one: the partition %s has none', (region, id) => {
    expect(endpointsProblem(region, { fips: false, dualStack: true })).toBe(
      `${region} is in the partition ${id}, whose registries have no dual-stack addresses`,
    );
    expect(endpointsProblem(region, { fips: true, dualStack: false })).toBeUndefined();
  });

  /** A region that is not known, in a partition that is. */
  const newRegions = fc
    .tuple(
      fc.constantFrom('xy', 'eu', 'us-gov', 'cn', 'eusc-fr', 'us-iso', 'us-isob', 'eu-isoe', 'us-isof'),
      fc.constantFrom('north', 'southeast', 'central', 'northwest', 'moon'),
      fc.integer({ min: 8, max: 12 }),
    )
    .map((parts) => parts.join('-'));
  const addresses: fc.Arbitrary<RegistryAddress> = fc
    .record({
      account: fc.stringMatching(/^\d{12}$/),
      region: fc.oneof(fc.constantFrom(...REGIONS), newRegions),
      fips: fc.boolean(),
      dualStack: fc.boolean(),
    })
    .filter((address) => endpointsProblem(address.region, address) === undefined);

  test('is read again as what it was made of, in known regions and in new ones', () => {
    fc.assert(
      fc.property(addresses, (address) => {
        expect(parseRegistryHost(registryHost(address))).toEqual(address);
        expect(accountInHost(registryHost(address))).toBe(address.account);
      }),
      { numRuns: 1000 },
    );
  });

  test.each(REGIONS)('in %s is read again, FIPS and dual stack too', (region) => {
    for (const [fips, dualStack] of [
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ] as const) {
      const address = { account: ACCOUNT, region, fips, dualStack };
      const expected = endpointsProblem(region, address) ? undefined : address;
      expect(parseRegistryHost(registryHost(address))).toEqual(expected);
    }
  });

  test('with anything before or after it is no host of ECR’s', () => {
    fc.assert(
      fc.property(addresses, fc.string({ minLength: 1 }), (address, text) => {
        const host = registryHost(address);
        expect(parseRegistryHost(`${host}${text}`)).toBeUndefined();
        expect(parseRegistryHost(`${text}${host}`)).toBeUndefined();
      }),
    );
  });

  test.each([
    ['its domain is somebody else’s', '123456789012.dkr.ecr.us-east-1.evil.com'],
    ['its domain only begins like ECR’s', '123456789012.dkr.ecr.us-east-1.amazonaws.com.evil.com'],
    ['its domain only ends like ECR’s', '123456789012.dkr.ecr.us-east-1.evilamazonaws.com'],
    ['its domain lies below ECR’s', '123456789012.dkr.ecr.us-east-1.evil.amazonaws.com'],
    ['its domain is another partition’s', '123456789012.dkr.ecr.us-east-1.amazonaws.com.cn'],
    ['its region is another partition’s', '123456789012.dkr.ecr.cn-north-1.amazonaws.com'],
    ['its domain is the dual-stack one, and the rest is not', '123456789012.dkr.ecr.us-east-1.on.aws'],
    ['its domain is not the dual-stack one, and the rest is', '123456789012.dkr-ecr.us-east-1.amazonaws.com'],
    ['its partition has no dual stack', '123456789012.dkr-ecr.eusc-de-east-1.amazonaws.eu'],
    ['its account is too short', '12345678901.dkr.ecr.us-east-1.amazonaws.com'],
    ['its account is too long', '1234567890123.dkr.ecr.us-east-1.amazonaws.com'],
    ['its account is no number', '12345678901a.dkr.ecr.us-east-1.amazonaws.com'],
    ['it has no account', 'dkr.ecr.us-east-1.amazonaws.com'],
    ['it has no region', '123456789012.dkr.ecr.amazonaws.com'],
    ['its region is no region', '123456789012.dkr.ecr.useast1.amazonaws.com'],
    ['its region has parts of its own', '123456789012.dkr.ecr.us-east-1.x-y.amazonaws.com'],
    ['it has a port', '123456789012.dkr.ecr.us-east-1.amazonaws.com:443'],
    ['it has a user', 'me@123456789012.dkr.ecr.us-east-1.amazonaws.com'],
    ['it ends in a dot', '123456789012.dkr.ecr.us-east-1.amazonaws.com.'],
    ['it is in capitals', '123456789012.DKR.ECR.us-east-1.amazonaws.com'],
    ['it is the API’s', 'api.ecr.us-east-1.amazonaws.com'],
    ['it is that of Amazon ECR Public', 'public.ecr.aws'],
    ['it is empty', ''],
  ])('is none when %s: %s', (_, host) => {
    expect(parseRegistryHost(host)).toBeUndefined();
  });
});

describe('the account in a host', () => {
  test.each([
    '123456789012.dkr.ecr.us-east-1.localhost:4566',
    '123456789012.dkr.ecr.us-east-1.localhost.localstack.cloud',
    '123456789012.dkr-ecr.us-east-1.on.aws:443',
    '123456789012.dkr.ecr-fips.us-east-1.amazonaws.com',
  ])('is named by %s, whose domain need not be ECR’s', (host) => {
    expect(accountInHost(host)).toBe(ACCOUNT);
  });

  test.each([
    '127.0.0.1:4566',
    'localhost',
    'public.ecr.aws',
    '12345.dkr.ecr.us-east-1.amazonaws.com',
    '123456789012.dkr.ecr.us-east-1.amazonaws.com:http',
  ])('is not named by %s', (host) => {
    expect(accountInHost(host)).toBeUndefined();
  });
});

describe('the account of a role', () => {
  test.each([
    'arn:aws:iam::123456789012:role/publish',
    'arn:aws-cn:iam::123456789012:role/ci/team-1/publish',
    'arn:aws-us-gov:iam::123456789012:role/a+b=c,d.e@f-g_h',
    'arn:aws-iso-b:iam::123456789012:role/x',
  ])('is in its ARN: %s', (arn) => {
    expect(accountOfRole(arn)).toBe(ACCOUNT);
  });

  test.each([
    '',
    'publish',
    'role/publish',
    'arn:aws:iam::123456789012:role/',
    'arn:aws:iam::123456789012:role/a role',
    'arn:aws:iam::123456789012:user/publish',
    'arn:aws:iam::12345:role/publish',
    'arn:aws:iam:us-east-1:123456789012:role/publish',
    'arn:aws:sts::123456789012:assumed-role/publish/me',
    'arn:azure:iam::123456789012:role/publish',
    ' arn:aws:iam::123456789012:role/publish',
    'arn:aws:iam::123456789012:role/publish\n',
  ])('is not in %p, which is no role’s', (arn) => {
    expect(accountOfRole(arn)).toBeUndefined();
  });
});
