import {
  CreateRepositoryCommand,
  type CreateRepositoryCommandInput,
  DescribeRepositoriesCommand,
  ListTagsForResourceCommand,
  PutImageScanningConfigurationCommand,
  PutImageTagMutabilityCommand,
  TagResourceCommand,
  UntagResourceCommand,
} from '@aws-sdk/client-ecr';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ecr, emulator, repositoryName, restart } from './api/setup.ts';
import { ecrClient } from './support.ts';

const create = (input: Partial<CreateRepositoryCommandInput>, client = ecr) =>
  client.send(new CreateRepositoryCommand({ repositoryName: 'new', ...input }));
const resourceArn = `arn:aws:ecr:us-east-1:123456789012:repository/${repositoryName}`;
const tagsOf = async () => (await ecr.send(new ListTagsForResourceCommand({ resourceArn }))).tags;
const tag = (Key: string, Value = '') => ({ Key, Value });
const many = (count: number) => Array.from({ length: count }, (_, number) => tag(`key ${number}`));

async function described(name: string) {
  const { repositories } = await ecr.send(new DescribeRepositoriesCommand({ repositoryNames: [name] }));
  return repositories?.[0];
}

describe('encryption', () => {
  const key = 'arn:aws:kms:us-east-1:123456789012:key/1';

  test.each<[string, CreateRepositoryCommandInput['encryptionConfiguration']]>([
    ['with ECR’s own keys', { encryptionType: 'AES256' }],
    ['with KMS', { encryptionType: 'KMS' }],
    ['with a key of KMS', { encryptionType: 'KMS', kmsKey: key }],
    ['with a key twice', { encryptionType: 'KMS_DSSE', kmsKey: key }],
    ['with a key’s id', { encryptionType: 'KMS', kmsKey: '1234abcd-12ab-34cd-56ef-1234567890ab' }],
    ['with a key’s alias', { encryptionType: 'KMS', kmsKey: 'alias/images' }],
    ['with an alias’s ARN', { encryptionType: 'KMS', kmsKey: key.replace('key/', 'alias/') }],
  ])('%s is described as it was asked for', async (_, encryptionConfiguration) => {
    const { repository } = await create({ encryptionConfiguration });
    expect(repository?.encryptionConfiguration).toEqual(encryptionConfiguration);
    expect((await described('new'))?.encryptionConfiguration).toEqual(encryptionConfiguration);
  });

  test('is ECR’s own where nothing is asked for', async () => {
    expect((await create({})).repository?.encryptionConfiguration).toEqual({ encryptionType: 'AES256' });
  });

  test.each(['key/1', 'alias/images'])('is refused with %s of another region', async (name) => {
    const kmsKey = `arn:aws:kms:eu-west-1:123456789012:${name}`;
    const refused = create({ encryptionConfiguration: { encryptionType: 'KMS', kmsKey } });
    await expect(refused).rejects.toMatchObject({
      name: 'KmsException',
      message: `The key ${kmsKey} is not in the region us-east-1`,
      kmsError: 'NotFoundException',
      $metadata: { httpStatusCode: 400 },
    });
    await expect(described('new')).rejects.toMatchObject({ name: 'RepositoryNotFoundException' });
  });

  test.each([
    ['AES256', key],
    ['KMS', ''],
  ] as const)('%s is refused with the key %j', async (encryptionType, kmsKey) => {
    const refused = create({ encryptionConfiguration: { encryptionType, kmsKey } });
    await expect(refused).rejects.toMatchObject({ name: 'InvalidParameterException' });
  });
});

describe('mutability', () => {
  const filters = (...texts: string[]) =>
    texts.map((filter) => ({ filterType: 'WILDCARD', filter }) as const);

  test.each<[string, Partial<CreateRepositoryCommandInput>]>([
    ['filters without a rule for them', { imageTagMutabilityExclusionFilters: filters('v*') }],
    ['a rule without its filters', { imageTagMutability: 'MUTABLE_WITH_EXCLUSION' }],
    [
      'six filters',
      {
        imageTagMutability: 'IMMUTABLE_WITH_EXCLUSION',
        imageTagMutabilityExclusionFilters: filters('a', 'b', 'c', 'd', 'e', 'f'),
      },
    ],
    [
      'a filter of three wildcards',
      {
        imageTagMutability: 'IMMUTABLE_WITH_EXCLUSION',
        imageTagMutabilityExclusionFilters: filters('*a*b*'),
      },
    ],
  ])('is refused with %s', async (_, input) => {
    await expect(create(input)).rejects.toMatchObject({ name: 'InvalidParameterException' });
  });

  test('is described as it was put', async () => {
    const imageTagMutabilityExclusionFilters = filters('latest', 'dev-*');
    const put = {
      imageTagMutability: 'IMMUTABLE_WITH_EXCLUSION',
      imageTagMutabilityExclusionFilters,
    } as const;
    await ecr.send(new PutImageTagMutabilityCommand({ repositoryName, ...put }));
    expect(await described(repositoryName)).toMatchObject(put);
  });
});

describe('scanning', () => {
  test('is described as it was asked for, and as it was put', async () => {
    await create({ imageScanningConfiguration: { scanOnPush: true } });
    expect((await described('new'))?.imageScanningConfiguration).toEqual({ scanOnPush: true });
    const imageScanningConfiguration = { scanOnPush: false };
    const put = new PutImageScanningConfigurationCommand({
      repositoryName: 'new',
      imageScanningConfiguration,
    });
    expect(await ecr.send(put)).toMatchObject({ repositoryName: 'new', imageScanningConfiguration });
    expect((await described('new'))?.imageScanningConfiguration).toEqual({ scanOnPush: false });
  });
});

describe('resource tags', () => {
  test('are kept, replaced by key, and taken away', async () => {
    await ecr.send(new TagResourceCommand({ resourceArn, tags: [tag('team', 'a'), tag('cost', '1')] }));
    await ecr.send(new TagResourceCommand({ resourceArn, tags: [tag('team', 'b'), tag('new')] }));
    expect(await tagsOf()).toEqual([tag('team', 'b'), tag('cost', '1'), tag('new')]);
    await ecr.send(new UntagResourceCommand({ resourceArn, tagKeys: ['team', 'none'] }));
    expect(await tagsOf()).toEqual([tag('cost', '1'), tag('new')]);
  });

  test.each([
    ['a key of ECR’s own', tag('aws:team', 'a')],
    ['no key', tag('', 'a')],
    ['a key that is too long', tag('k'.repeat(129), 'a')],
    ['a value that is too long', tag('team', 'v'.repeat(257))],
    ['characters that are not allowed', tag('team', 'a\tb')],
  ])('with %s are refused', async (_, bad) => {
    const name = 'InvalidTagParameterException';
    await expect(create({ tags: [bad] })).rejects.toMatchObject({ name });
    const given = ecr.send(new TagResourceCommand({ resourceArn, tags: [tag('good'), bad] }));
    await expect(given).rejects.toMatchObject({ name });
    expect(await tagsOf()).toEqual([]);
  });

  test('with one key twice are refused', async () => {
    await expect(create({ tags: [tag('team', 'a'), tag('team', 'b')] })).rejects.toMatchObject({
      name: 'InvalidTagParameterException',
    });
  });

  test('may have keys and values up to the limits', async () => {
    const longest = tag('k'.repeat(128), 'v'.repeat(256));
    await ecr.send(new TagResourceCommand({ resourceArn, tags: [longest, tag('a:b/c=d+e-f@g.h_i')] }));
    expect(await tagsOf()).toHaveLength(2);
  });

  test('are at most fifty', async () => {
    const name = 'TooManyTagsException';
    await expect(create({ tags: many(51) })).rejects.toMatchObject({ name });
    await ecr.send(new TagResourceCommand({ resourceArn, tags: many(50) }));
    await ecr.send(new TagResourceCommand({ resourceArn, tags: [tag('key 1', 'other')] }));
    const oneMore = ecr.send(new TagResourceCommand({ resourceArn, tags: [tag('one more')] }));
    await expect(oneMore).rejects.toMatchObject({ name });
    expect(await tagsOf()).toHaveLength(50);
  });

  test.each([
    ['another region', resourceArn.replace('us-east-1', 'cn-north-1'), 'InvalidParameterException'],
    ['no repository', 'arn:aws:ecr:us-east-1:123456789012:registry/app', 'InvalidParameterException'],
    ['a repository that is not there', `${resourceArn}2`, 'RepositoryNotFoundException'],
  ])('are not those of %s', async (_, arn, name) => {
    const listed = ecr.send(new ListTagsForResourceCommand({ resourceArn: arn }));
    await expect(listed).rejects.toMatchObject({ name });
  });
});

describe('a repository', () => {
  test('is created once, however many ask for it at once', async () => {
    const clients = [ecr, ecrClient(emulator, 'us-east-1')];
    const asked = Array.from({ length: 6 }, (_, number) => create({}, clients[number % 2]));
    const answers = await Promise.allSettled(asked);
    const refused = answers.flatMap((each) => (each.status === 'rejected' ? [each.reason.name] : []));
    expect(refused).toEqual(Array(5).fill('RepositoryAlreadyExistsException'));
  });

  test('may be called what ECR’s rule allows, of 2 to 256 characters', async () => {
    await restart({});
    const part = fc.stringMatching(/^[a-z0-9]+(?:[._-][a-z0-9]+){0,2}$/);
    const names = fc
      .array(part, { minLength: 1, maxLength: 4 })
      .map((parts) => parts.join('/'))
      .filter((name) => name.length >= 2 && name.length <= 256 && name !== repositoryName);
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(names, { minLength: 1, maxLength: 3 }), async (all) => {
        for (const each of all) {
          const { repository } = await create({ repositoryName: each }).catch((error: Error) => {
            if (error.name !== 'RepositoryAlreadyExistsException') throw error;
            return { repository: { repositoryName: each } };
          });
          expect(repository?.repositoryName).toBe(each);
        }
      }),
      { numRuns: 20 },
    );
  });

  test('is told of at AWS’s own address, where the behaviour has it so', async () => {
    await restart({ addresses: 'aws' });
    const uri = '123456789012.dkr.ecr.us-east-1.amazonaws.com/app';
    expect((await described('app'))?.repositoryUri).toBe(uri);
  });
});
