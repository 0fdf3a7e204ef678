import {
  DeleteLifecyclePolicyCommand,
  DeleteRepositoryPolicyCommand,
  GetLifecyclePolicyCommand,
  GetRepositoryPolicyCommand,
  PutLifecyclePolicyCommand,
  SetRepositoryPolicyCommand,
} from '@aws-sdk/client-ecr';
import { describe, expect, test } from '@jest/globals';
import { ecr, repositoryName } from './api/setup.ts';
import { OPEN_POLICY } from './support.ts';

const selection = { tagStatus: 'any', countType: 'imageCountMoreThan', countNumber: 3 };
const untagged = { ...selection, tagStatus: 'untagged' };
const action = { type: 'expire' };
const padding = 'x'.repeat(100);
const rule = (rulePriority: number, fields: object = {}) => ({
  rulePriority,
  description: padding,
  selection,
  action,
  ...fields,
});

const put = (policy: unknown) => {
  const lifecyclePolicyText = typeof policy === 'string' ? policy : JSON.stringify(policy);
  return ecr.send(new PutLifecyclePolicyCommand({ repositoryName, lifecyclePolicyText }));
};

describe('a lifecycle policy', () => {
  test('is kept as it was put, until it is deleted', async () => {
    const ids = { registryId: '123456789012', repositoryName };
    const lifecyclePolicyText = JSON.stringify({ rules: [rule(1)] }, null, 2);
    expect(await put(lifecyclePolicyText)).toMatchObject({ ...ids, lifecyclePolicyText });
    const kept = { ...ids, lifecyclePolicyText, lastEvaluatedAt: new Date(0) };
    expect(await ecr.send(new GetLifecyclePolicyCommand({ repositoryName }))).toMatchObject(kept);
    expect(await ecr.send(new DeleteLifecyclePolicyCommand({ repositoryName }))).toMatchObject(kept);
    for (const command of [GetLifecyclePolicyCommand, DeleteLifecyclePolicyCommand]) {
      await expect(ecr.send(new command({ repositoryName }))).rejects.toMatchObject({
        name: 'LifecyclePolicyNotFoundException',
        message:
          "Lifecycle policy does not exist for the repository with name 'app' in the registry with id '123456789012'",
      });
    }
  });

  test.each([
    ['one rule', [rule(1)]],
    [
      'images of an age',
      [rule(1, { selection: { ...selection, countType: 'sinceImagePushed', countUnit: 'days' } })],
    ],
    [
      'tags that match',
      [rule(1, { selection: { ...selection, tagStatus: 'tagged', tagPatternList: ['v*'] } })],
    ],
    [
      'tags that begin',
      [rule(1, { selection: { ...selection, tagStatus: 'tagged', tagPrefixList: ['v'] } })],
    ],
    ['rules in no order', [rule(9), rule(3, { selection: untagged })]],
    ['images to be archived', [rule(1, { action: { type: 'transition', targetStorageClass: 'archive' } })]],
    [
      'rules for each storage class',
      [rule(1), rule(2, { selection: { ...selection, storageClass: 'archive' } })],
    ],
  ])('may have %s', async (_, rules) => {
    await expect(put({ rules })).resolves.toBeDefined();
  });

  const mismatch = 'instance failed to match exactly one schema (matched 0 out of 2)';

  test.each<[string, unknown, string]>([
    ['is no JSON', `{${padding}`, 'Could not map policyString into LifecyclePolicy.'],
    ['is no object', `"${padding}"`, 'Could not map policyString into LifecyclePolicy.'],
    ['has no rules', { padding }, 'object has missing required properties (["rules"])'],
    [
      'has another field',
      { rules: [rule(1)], version: 1 },
      'object instance has properties which are not allowed by the schema: (["version"])',
    ],
    ['has no rule', { rules: [], padding }, 'instance at /rules does not match the schema'],
    [
      'has a rule without an action',
      { rules: [rule(1, { action: undefined })] },
      'object has missing required properties (["action"])',
    ],
    [
      'has a rule without a priority',
      { rules: [rule(1, { rulePriority: undefined })] },
      'object has missing required properties (["rulePriority"])',
    ],
    [
      'has a rule of the priority 0',
      { rules: [rule(0)] },
      'instance at /rules/0/rulePriority does not match the schema',
    ],
    ['has an action that there is none of', { rules: [rule(1, { action: { type: 'delete' } })] }, mismatch],
    ['counts nothing', { rules: [rule(1, { selection: { tagStatus: 'any' } })] }, mismatch],
    ['counts to 0', { rules: [rule(1, { selection: { ...selection, countNumber: 0 } })] }, mismatch],
    [
      'has a unit without an age',
      { rules: [rule(1, { selection: { ...selection, countUnit: 'days' } })] },
      mismatch,
    ],
    ['has a null', { rules: [rule(1, { selection: { ...selection, countUnit: null } })] }, mismatch],
    [
      'has an age without a unit',
      { rules: [rule(1, { selection: { ...selection, countType: 'sinceImagePushed' } })] },
      mismatch,
    ],
    [
      'has a priority twice',
      { rules: [rule(1), rule(1, { selection: untagged })] },
      'Rule priorities must be unique',
    ],
    [
      'has two rules for untagged images',
      { rules: [rule(1, { selection: untagged }), rule(2, { selection: untagged })] },
      'Only one rule can select Untagged images per storage class',
    ],
    [
      'has any image come first',
      { rules: [rule(1), rule(2, { selection: untagged })] },
      'Rule for tagStatus=ANY must have the lowest priority per storage class',
    ],
    [
      'has tagged images without saying how',
      { rules: [rule(1, { selection: { ...selection, tagStatus: 'tagged' } })] },
      'Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED.',
    ],
    [
      'has tags for untagged images',
      { rules: [rule(1, { selection: { ...untagged, tagPatternList: ['v*'] } })] },
      'tagPrefixList and tagPatternList can be specified only when tagStatus=TAGGED.',
    ],
  ])('is refused that %s', async (_, policy, problem) => {
    await expect(put(policy)).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message: `Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation failure: ${problem}'`,
    });
    await expect(ecr.send(new GetLifecyclePolicyCommand({ repositoryName }))).rejects.toMatchObject({
      name: 'LifecyclePolicyNotFoundException',
    });
  });

  test.each([
    ['short', 99],
    ['long', 30_721],
  ])('is refused that is too %s', async (_, length) => {
    const { message } = await put(
      JSON.stringify({ rules: [rule(1)] })
        .padEnd(length)
        .slice(0, length),
    ).then(
      () => new Error('taken'),
      (error: Error) => error,
    );
    expect(message).toContain("'lifecyclePolicyText' failed to satisfy constraint: 'must have length");
  });
});

describe('a repository policy', () => {
  const set = (policyText: string) =>
    ecr.send(new SetRepositoryPolicyCommand({ repositoryName, policyText }));

  test('is kept as it was set, until it is deleted', async () => {
    const kept = { registryId: '123456789012', repositoryName, policyText: OPEN_POLICY };
    expect(await set(OPEN_POLICY)).toMatchObject(kept);
    expect(await ecr.send(new GetRepositoryPolicyCommand({ repositoryName }))).toMatchObject(kept);
    expect(await ecr.send(new DeleteRepositoryPolicyCommand({ repositoryName }))).toMatchObject(kept);
    for (const command of [GetRepositoryPolicyCommand, DeleteRepositoryPolicyCommand]) {
      await expect(ecr.send(new command({ repositoryName }))).rejects.toMatchObject({
        name: 'RepositoryPolicyNotFoundException',
        message:
          "Repository policy does not exist for the repository with name 'app' in the registry with id '123456789012'",
      });
    }
  });

  test('may have one statement outside of a list', async () => {
    const Statement = { Effect: 'Deny', NotPrincipal: { AWS: '123456789012' }, NotAction: 'ecr:PutImage' };
    await expect(set(JSON.stringify({ Statement }))).resolves.toBeDefined();
  });

  test.each([
    ['no JSON', '{'],
    ['no object', '[]'],
    ['without a statement', '{"Version":"2012-10-17"}'],
    ['of no statements', '{"Statement":[]}'],
    ['that neither allows nor denies', '{"Statement":{"Principal":"*","Action":"ecr:*"}}'],
    ['that is for nobody', '{"Statement":{"Effect":"Allow","Action":"ecr:*"}}'],
    ['that allows nothing', '{"Statement":{"Effect":"Allow","Principal":"*"}}'],
  ])('is refused that is %s', async (_, policyText) => {
    await expect(set(policyText)).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message:
        "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'",
    });
  });
});
