import { describe, expect, test } from '@jest/globals';
import type { RepositorySettings } from '../../src/ecr/repositorySettings.ts';
import { type FoundSettings, settingsDifferences } from '../../src/ecr/settingsDifferences.ts';

const PLACE = { account: '123456789012', region: 'us-east-1' };
const ID = '1234abcd-12ab-34cd-56ef-1234567890ab';
const ARN = `arn:aws:kms:us-east-1:123456789012:key/${ID}`;
const NOTHING = { value: undefined };

/** What is found of a repository that was created without any setting, but for what a test says. */
const found = (more: Partial<FoundSettings> = {}): FoundSettings => ({
  description: { imageTagMutability: 'MUTABLE', encryptionConfiguration: { encryptionType: 'AES256' } },
  lifecyclePolicy: NOTHING,
  repositoryPolicy: NOTHING,
  tags: { value: new Map() },
  ...more,
});
const differences = (wanted: RepositorySettings, is: Partial<FoundSettings> = {}) =>
  settingsDifferences(wanted, found(is), PLACE);
const encrypted = (kmsKey?: string): Partial<FoundSettings> => ({
  description: { encryptionConfiguration: { encryptionType: 'KMS', ...(kmsKey && { kmsKey }) } },
});
const policy = (json: unknown) => ({ value: JSON.stringify(json, null, 3) });

describe('a repository', () => {
  test('differs in nothing from settings that state nothing', () => {
    const tags = { value: new Map([['team', 'web']]) };
    expect(differences({}, { ...encrypted(ARN), lifecyclePolicy: policy({}), tags })).toEqual([]);
  });

  test('is told all in which it differs', () => {
    const wanted: RepositorySettings = {
      tagMutability: 'IMMUTABLE_WITH_EXCLUSION',
      tagMutabilityExclusions: ['latest', 'dev-*'],
      scanOnPush: true,
      encryption: { type: 'KMS', kmsKey: 'alias/ecr' },
      lifecyclePolicy: '{"rules":[]}',
      repositoryPolicy: '{"Statement":[]}',
      tags: new Map([
        ['team', 'web'],
        ['cost', ''],
      ]),
    };
    const is = { repositoryPolicy: policy({ Statement: [{}] }), tags: { value: new Map([['team', 'api']]) } };
    expect(differences(wanted, is)).toEqual([
      'tag mutability is MUTABLE, not IMMUTABLE_WITH_EXCLUSION',
      'the tags that are excluded from it are none, not dev-*, latest',
      'scan on push is off, not on',
      'encryption is AES256, not KMS',
      'there is no lifecycle policy',
      'the repository policy is another one',
      'the resource tag "team" is "api", not "web"',
      'the resource tag "cost" is missing',
    ]);
  });

  test('is not compared in what could not be read', () => {
    const wanted = { lifecyclePolicy: '{}', repositoryPolicy: '{}', tags: new Map([['team', 'web']]) };
    const unknown = { lifecyclePolicy: 'unknown', repositoryPolicy: 'unknown', tags: 'unknown' } as const;
    expect(differences(wanted, unknown)).toEqual([]);
  });

  test('may exclude tags in any order, and have more resource tags', () => {
    const filters = ['b', 'a'].map((filter) => ({ filterType: 'WILDCARD' as const, filter }));
    const description = {
      imageTagMutability: 'MUTABLE_WITH_EXCLUSION' as const,
      imageTagMutabilityExclusionFilters: filters,
      imageScanningConfiguration: { scanOnPush: true },
    };
    const tags = new Map([['team', 'web']]);
    const more = { value: new Map([...tags, ['more', '']]) };
    const wanted = { tagMutabilityExclusions: ['a', 'b'], scanOnPush: true, tags };
    expect(differences(wanted, { description, tags: more })).toEqual([]);
  });

  test.each([
    ['by the same ARN', ARN, []],
    ['by its id', ID, []],
    ['by an alias, of which its ARN says nothing', 'alias/ecr', []],
    ["by an alias's ARN", 'arn:aws:kms:us-east-1:123456789012:alias/ecr', []],
    ['by none, which leaves the key to ECR', undefined, []],
    [
      'by the id of another one',
      ID.replace('1', '2'),
      [`the KMS key is ${ARN}, not ${ID.replace('1', '2')}`],
    ],
  ])('may have its key named %s', (_, kmsKey, expected) => {
    expect(differences({ encryption: { type: 'KMS', kmsKey } }, encrypted(ARN))).toEqual(expected);
  });

  test('is held against the key of its own place', () => {
    const kmsKey = new Map([
      ['us-east-1', ID],
      ['eu-west-1', 'mrk-other'],
    ]);
    expect(differences({ encryption: { type: 'KMS', kmsKey } }, encrypted(ARN))).toEqual([]);
    expect(differences({ encryption: { type: 'KMS', kmsKey } }, encrypted())).toEqual([
      `the KMS key is none, not ${ID}`,
    ]);
  });
});

describe('two policies', () => {
  const statement = { Effect: 'Allow', Principal: { AWS: '123456789012' }, Action: 'ecr:BatchGetImage' };
  const root = { AWS: ['arn:aws:iam::123456789012:root'] };

  test.each<[string, unknown, unknown]>([
    [
      'in the order of their keys',
      { Statement: [statement], Version: '2008-10-17' },
      { Version: '2008-10-17', Statement: [statement] },
    ],
    [
      'in a version that is the default',
      { Statement: [statement] },
      { Version: '2008-10-17', Statement: [statement] },
    ],
    [
      'in lists of one',
      { Statement: statement },
      { Statement: [{ ...statement, Action: [statement.Action] }] },
    ],
    [
      'in how an account is named',
      { Statement: statement },
      { Statement: { ...statement, Principal: root } },
    ],
  ])('are the same when they differ only %s', (_, one, other) => {
    expect(
      differences({ repositoryPolicy: JSON.stringify(one) }, { repositoryPolicy: policy(other) }),
    ).toEqual([]);
  });

  test.each<[string, unknown, unknown]>([
    ['version', { Statement: [statement], Version: '2012-10-17' }, { Statement: [statement] }],
    ['statements', { Statement: [statement] }, { Statement: [statement, statement] }],
    ['action', { Statement: [statement] }, { Statement: [{ ...statement, Action: 'ecr:*' }] }],
  ])('differ in their %s', (_, one, other) => {
    const told = differences({ repositoryPolicy: JSON.stringify(one) }, { repositoryPolicy: policy(other) });
    expect(told).toEqual(['the repository policy is another one']);
  });
});
