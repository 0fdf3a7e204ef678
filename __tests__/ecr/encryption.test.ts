import { describe, expect, test } from '@jest/globals';
import { type Encryption, kmsKeysAt, kmsProblems } from '../../src/ecr/encryption.ts';

const ACCOUNT = '123456789012';
const OTHER = '210987654321';
const keyIn = (region: string) => `arn:aws:kms:${region}:${ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab`;
const kms = (kmsKey: Encryption['kmsKey']): Encryption => ({ type: 'KMS', kmsKey });
const keys = (entries: Readonly<Record<string, string>>) => kms(new Map(Object.entries(entries)));

describe('the KMS key of a place', () => {
  test.each<[string, Encryption, string | undefined, string[]]>([
    ['is the one for all places', kms('alias/ecr'), ACCOUNT, ['alias/ecr']],
    ['is none where none is stated', kms(undefined), ACCOUNT, []],
    ['is that of its region', keys({ 'eu-west-1': 'alias/a', 'us-east-1': 'alias/b' }), ACCOUNT, ['alias/a']],
    [
      'is that of its account first',
      keys({ 'eu-west-1': 'alias/a', [`${ACCOUNT}/eu-west-1`]: 'alias/b' }),
      ACCOUNT,
      ['alias/b'],
    ],
    ['is not that of another account', keys({ [`${OTHER}/eu-west-1`]: 'alias/a' }), ACCOUNT, []],
    [
      'is the only one of its region, where the account is not known',
      keys({ [`${OTHER}/eu-west-1`]: 'alias/a' }),
      undefined,
      ['alias/a'],
    ],
    [
      'may be any of several then',
      keys({ 'eu-west-1': 'alias/a', [`${OTHER}/eu-west-1`]: 'alias/b' }),
      undefined,
      ['alias/a', 'alias/b'],
    ],
  ])('%s', (_, encryption, account, expected) => {
    expect(kmsKeysAt(encryption, { account, region: 'eu-west-1' })).toEqual(expected);
  });
});

describe('KMS keys', () => {
  const places = [
    { account: ACCOUNT, region: 'us-east-1' },
    { account: ACCOUNT, region: 'eu-west-1' },
  ];
  const problemsOf = (
    encryption: Encryption | undefined,
    where: Parameters<typeof kmsProblems>[1] = places,
  ) =>
    kmsProblems({ encryption }, where).map((problem) =>
      problem.replace('input "repository-settings": encryption.kms-key ', ''),
    );

  test.each<[string, Encryption | undefined]>([
    ['none at all', undefined],
    ["the account's own", kms(undefined)],
    ['an alias that every region has', kms('alias/ecr')],
    ['one for each region', keys({ 'us-east-1': keyIn('us-east-1'), 'eu-west-1': keyIn('eu-west-1') })],
  ])('may be %s', (_, encryption) => {
    expect(problemsOf(encryption)).toEqual([]);
  });

  test('have to be there for every place', () => {
    expect(problemsOf(keys({ 'ap-south-1': 'alias/ecr' }))).toEqual([
      `has no key for ${ACCOUNT}/us-east-1: add "us-east-1: KEY"`,
      `has no key for ${ACCOUNT}/eu-west-1: add "eu-west-1: KEY"`,
    ]);
  });

  test('of a region that there is not may be misspelt', () => {
    expect(problemsOf(keys({ 'us-east-1': 'alias/ecr', 'eu-wst-1': 'alias/ecr' }))).toEqual([
      `has no key for ${ACCOUNT}/eu-west-1: add "eu-west-1: KEY" (is "eu-wst-1" misspelt?)`,
    ]);
  });

  test('have to be of the region of the repository', () => {
    expect(problemsOf(kms(keyIn('us-east-1')))).toEqual([
      `has ${keyIn('us-east-1')} for eu-west-1, but ECR takes keys of the repository's own region alone: write a key for each region, as in { us-east-1: KEY, eu-west-1: KEY }, or an alias that each of them has`,
    ]);
  });

  test('of several accounts need an account to be known', () => {
    const several = keys({ [`${ACCOUNT}/us-east-1`]: 'alias/a', [`${OTHER}/us-east-1`]: 'alias/b' });
    expect(problemsOf(several, [{ region: 'us-east-1' }])).toEqual([
      'has several keys for us-east-1: set "account-id" to say which is meant',
    ]);
  });
});
