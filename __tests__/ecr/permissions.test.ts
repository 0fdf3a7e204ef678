import { describe, expect, test } from '@jest/globals';
import { operationsOf, QUOTAS } from '../../src/ecr/operations.ts';
import { PERMISSIONS, PURPOSES, type Purpose, policyFor } from '../../src/ecr/permissions.ts';

const ARNS = {
  repository: 'arn:aws:ecr:*:123456789012:repository/app',
  source: 'arn:aws:ecr:*:123456789012:repository/base',
  public: 'arn:aws:ecr-public::123456789012:repository/app',
  key: 'arn:aws:kms:*:123456789012:key/1',
  role: 'arn:aws:iam::123456789012:role/publish',
};

/** All purposes, by their names. */
const ALL = PERMISSIONS.flatMap(({ needs }) => Object.keys(needs)).filter(
  (name): name is Purpose => name in PURPOSES,
);

describe('the table of permissions', () => {
  test('has each action once for each thing that it is on', () => {
    const keys = PERMISSIONS.map(({ action, on }) => `${action} on ${on}`);
    expect(keys.filter((key, position) => keys.indexOf(key) !== position)).toEqual([]);
  });

  test('has actions as IAM names them', () => {
    for (const { action } of PERMISSIONS) expect(action).toMatch(/^(ecr|ecr-public|sts|kms):[A-Z][A-Za-z]+$/);
  });

  test('has every purpose', () => {
    expect(new Set(ALL)).toEqual(new Set(Object.keys(PURPOSES)));
  });

  test.each(Object.keys(QUOTAS))('has %s, which has a quota, for a push', (operation) => {
    const rows = PERMISSIONS.filter(({ action }) => action === `ecr:${operation}`);
    expect(rows.map(({ needs }) => needs.push)).toContain('required');
  });

  test.each([
    ['POST', 'blobs/uploads/'],
    ['PUT', 'blobs/uploads/id'],
    ['HEAD', 'blobs/sha256:1'],
    ['GET', 'blobs/sha256:1'],
    ['HEAD', 'manifests/v1'],
    ['GET', 'manifests/v1'],
    ['PUT', 'manifests/v1'],
  ])('has what %s %s is, on the repository', (method, path) => {
    const operations = operationsOf(method, new URL(`https://registry.example/v2/app/${path}`));
    expect(operations).not.toEqual([]);
    for (const operation of operations) {
      expect(PERMISSIONS).toContainEqual(
        expect.objectContaining({ action: `ecr:${operation}`, on: 'repository' }),
      );
    }
  });
});

describe('a policy', () => {
  test('has a statement for each resource, with what is required', () => {
    expect(policyFor(['stitch', 'source'], ARNS)).toEqual({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Action: ['ecr:GetAuthorizationToken'], Resource: '*' },
        { Effect: 'Allow', Action: ['ecr:BatchGetImage', 'ecr:PutImage'], Resource: ARNS.repository },
        {
          Effect: 'Allow',
          Action: ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'],
          Resource: ARNS.source,
        },
      ],
    });
  });

  test('has what is optional too, when it is asked for', () => {
    const actions = policyFor(['stitch'], ARNS, 'full').Statement.flatMap(({ Action }) => Action);
    expect(actions).toEqual(
      expect.arrayContaining(['ecr:PutImage', 'ecr:BatchDeleteImage', 'ecr:DescribeRepositories']),
    );
  });

  test('for nothing allows nothing', () => {
    expect(policyFor([], ARNS, 'full').Statement).toEqual([]);
  });

  test.each([...new Set(ALL)])(
    'for %s names no action twice in a statement, nor a resource twice',
    (purpose) => {
      const { Statement } = policyFor([purpose], ARNS, 'full');
      expect(Statement).not.toEqual([]);
      for (const { Action } of Statement) expect(new Set(Action).size).toBe(Action.length);
      expect(new Set(Statement.map(({ Resource }) => Resource)).size).toBe(Statement.length);
    },
  );
});
