import {
  CreateRepositoryCommand,
  CreateRepositoryCreationTemplateCommand,
  type CreateRepositoryCreationTemplateCommandInput,
  DeleteRepositoryCreationTemplateCommand,
  DescribeRepositoriesCommand,
  DescribeRepositoryCreationTemplatesCommand,
  GetLifecyclePolicyCommand,
  GetRepositoryPolicyCommand,
  ListTagsForResourceCommand,
  paginateDescribeRepositoryCreationTemplates,
} from '@aws-sdk/client-ecr';
import { describe, expect, test } from '@jest/globals';
import { ecr, emulator, now, restart } from './api/setup.ts';
import { ecrClient, errorOf, imageOf, logIn, OPEN_POLICY } from './support.ts';

const amd64 = imageOf('amd64');
const lifecyclePolicy = JSON.stringify({
  rules: [
    {
      rulePriority: 1,
      selection: { tagStatus: 'any', countType: 'imageCountMoreThan', countNumber: 3 },
      action: { type: 'expire' },
    },
  ],
});

const make = (prefix: string, fields: Partial<CreateRepositoryCreationTemplateCommandInput> = {}) =>
  ecr.send(
    new CreateRepositoryCreationTemplateCommand({ prefix, appliedFor: ['CREATE_ON_PUSH'], ...fields }),
  );

/** Begins to push to a repository, and gives the status. */
async function push(name: string, region = 'us-east-1'): Promise<number> {
  const { call } = await logIn(emulator, region);
  return (await call('POST', `/v2/${name}/blobs/uploads/`)).status;
}

async function described(name: string) {
  const { repositories } = await ecr.send(new DescribeRepositoriesCommand({ repositoryNames: [name] }));
  return repositories?.[0];
}

describe('a creation template', () => {
  const fields = {
    description: 'for the teams',
    imageTagMutability: 'IMMUTABLE_WITH_EXCLUSION',
    imageTagMutabilityExclusionFilters: [{ filterType: 'WILDCARD', filter: 'latest' }],
    encryptionConfiguration: { encryptionType: 'KMS', kmsKey: 'alias/images' },
    resourceTags: [{ Key: 'team', Value: 'web' }],
    repositoryPolicy: OPEN_POLICY,
    lifecyclePolicy,
    appliedFor: ['CREATE_ON_PUSH', 'REPLICATION'],
    customRoleArn: 'arn:aws:iam::123456789012:role/templates',
  } satisfies Partial<CreateRepositoryCreationTemplateCommandInput>;

  test('is described as it was made', async () => {
    const template = { prefix: 'team', ...fields, createdAt: new Date(now), updatedAt: new Date(now) };
    const made = await make('team', fields);
    expect(made).toMatchObject({ registryId: '123456789012', repositoryCreationTemplate: template });
    const found = await ecr.send(new DescribeRepositoryCreationTemplatesCommand({ prefixes: ['team'] }));
    expect(found.repositoryCreationTemplates).toEqual([template]);
  });

  test('has ECR’s settings where it is made without any', async () => {
    const { repositoryCreationTemplate } = await make('team');
    expect(repositoryCreationTemplate).toEqual({
      prefix: 'team',
      encryptionConfiguration: { encryptionType: 'AES256' },
      resourceTags: [],
      imageTagMutability: 'MUTABLE',
      appliedFor: ['CREATE_ON_PUSH'],
      createdAt: new Date(now),
      updatedAt: new Date(now),
    });
  });

  test('gives its settings to the repository that a push creates', async () => {
    await make('team', fields);
    expect(await push('team/web')).toBe(202);
    const repository = await described('team/web');
    expect(repository).toMatchObject({
      imageTagMutability: fields.imageTagMutability,
      imageTagMutabilityExclusionFilters: fields.imageTagMutabilityExclusionFilters,
      encryptionConfiguration: fields.encryptionConfiguration,
    });
    const repositoryName = 'team/web';
    const lifecycle = await ecr.send(new GetLifecyclePolicyCommand({ repositoryName }));
    expect(lifecycle.lifecyclePolicyText).toBe(lifecyclePolicy);
    const policy = await ecr.send(new GetRepositoryPolicyCommand({ repositoryName }));
    expect(policy.policyText).toBe(OPEN_POLICY);
    const resourceArn = repository?.repositoryArn ?? '';
    const { tags } = await ecr.send(new ListTagsForResourceCommand({ resourceArn }));
    expect(tags).toEqual(fields.resourceTags);
  });

  test('holds for the whole push', async () => {
    await make('team', { imageTagMutability: 'IMMUTABLE' });
    const registry = await logIn(emulator, 'us-east-1');
    await registry.pushImage('team/web', amd64, 'v1');
    expect((await errorOf(await registry.pushManifest('team/web', 'v1', amd64))).slice(0, 2)).toEqual([
      400,
      'TAG_INVALID',
    ]);
  });

  test('is not applied by CreateRepository', async () => {
    await make('ROOT', fields);
    await ecr.send(new CreateRepositoryCommand({ repositoryName: 'team/web' }));
    expect(await described('team/web')).toMatchObject({
      imageTagMutability: 'MUTABLE',
      encryptionConfiguration: { encryptionType: 'AES256' },
    });
  });

  test('is not made twice', async () => {
    await make('team');
    await expect(make('team')).rejects.toMatchObject({ name: 'TemplateAlreadyExistsException' });
  });

  test('creates nothing any more when it is deleted', async () => {
    await make('team');
    const remove = () => ecr.send(new DeleteRepositoryCreationTemplateCommand({ prefix: 'team' }));
    expect((await remove()).repositoryCreationTemplate?.prefix).toBe('team');
    expect(await push('team/web')).toBe(404);
    await expect(remove()).rejects.toMatchObject({ name: 'TemplateNotFoundException' });
  });

  test.each<[string, string, Partial<CreateRepositoryCreationTemplateCommandInput>]>([
    ['a prefix that no name has', 'Team', {}],
    ['a prefix of two slashes', 'team//', {}],
    ['nothing that it is for', 'team', { appliedFor: [] }],
    [
      'filters that its rule has none of',
      'team',
      { imageTagMutabilityExclusionFilters: fields.imageTagMutabilityExclusionFilters },
    ],
    ['a lifecycle policy that is none', 'team', { lifecyclePolicy: '{}' }],
    ['a repository policy that is none', 'team', { repositoryPolicy: '{}' }],
    ['a description that is too long', 'team', { description: 'x'.repeat(257) }],
  ])('is not made with %s', async (_, prefix, broken) => {
    await expect(make(prefix, broken)).rejects.toMatchObject({ name: 'InvalidParameterException' });
  });
});

describe('a push to a missing repository', () => {
  test('goes by the longest prefix that its name has', async () => {
    await make('ROOT', { imageTagMutability: 'IMMUTABLE' });
    await make('team', { imageTagMutability: 'MUTABLE' });
    await make('team/web/', { encryptionConfiguration: { encryptionType: 'KMS' } });
    for (const name of ['team/web/one', 'team/website', 'teams', 'team']) expect(await push(name)).toBe(202);
    const settings = async (name: string) => {
      const found = await described(name);
      return [found?.imageTagMutability, found?.encryptionConfiguration?.encryptionType];
    };
    expect(await settings('team/web/one')).toEqual(['MUTABLE', 'KMS']);
    expect(await settings('team/website')).toEqual(['MUTABLE', 'AES256']);
    expect(await settings('teams')).toEqual(['IMMUTABLE', 'AES256']);
    expect(await settings('team')).toEqual(['IMMUTABLE', 'AES256']);
  });

  test('creates it with its manifest too', async () => {
    await make('ROOT');
    const { pushManifest } = await logIn(emulator, 'us-east-1');
    expect((await errorOf(await pushManifest('new', 'v1', amd64)))[1]).toBe('BLOB_UPLOAD_UNKNOWN');
    expect(await described('new')).toBeDefined();
  });

  test('creates nothing where the nearest template is for something else', async () => {
    await make('ROOT');
    await make('team', { appliedFor: ['REPLICATION', 'PULL_THROUGH_CACHE'] });
    expect(await push('team/web')).toBe(404);
    expect(await push('other/web')).toBe(202);
  });

  test('creates nothing in a region that has no template', async () => {
    await make('ROOT');
    expect(await push('new', 'cn-north-1')).toBe(404);
  });

  test('creates nothing by asking what is there', async () => {
    await make('ROOT');
    const { call } = await logIn(emulator, 'us-east-1');
    for (const method of ['GET', 'HEAD']) {
      expect((await call(method, `/v2/new/blobs/${amd64.digest}`)).status).toBe(404);
    }
    await expect(described('new')).rejects.toMatchObject({ name: 'RepositoryNotFoundException' });
  });

  test('creates it everywhere where the behaviour has it so, by a template that is there from the start', async () => {
    await restart({ createOnPush: true });
    expect([await push('new'), await push('new', 'cn-north-1')]).toEqual([202, 202]);
    const { repositoryCreationTemplates } = await ecr.send(
      new DescribeRepositoryCreationTemplatesCommand({}),
    );
    expect(repositoryCreationTemplates).toMatchObject([{ prefix: 'ROOT', appliedFor: ['CREATE_ON_PUSH'] }]);
  });
});

describe('templates', () => {
  test('are not there at first', async () => {
    const found = await ecr.send(new DescribeRepositoryCreationTemplatesCommand({}));
    expect(found).toMatchObject({ registryId: '123456789012', repositoryCreationTemplates: [] });
  });

  test('come in pages', async () => {
    for (const prefix of ['c', 'a', 'b', 'ROOT']) await make(prefix);
    const pages = [];
    for await (const page of paginateDescribeRepositoryCreationTemplates({ client: ecr, pageSize: 3 }, {})) {
      pages.push(page.repositoryCreationTemplates?.map(({ prefix }) => prefix));
    }
    expect(pages).toEqual([['ROOT', 'a', 'b'], ['c']]);
  });

  test('are told of those prefixes alone that are asked for', async () => {
    for (const prefix of ['a', 'b']) await make(prefix);
    const command = new DescribeRepositoryCreationTemplatesCommand({ prefixes: ['b', 'none'] });
    const { repositoryCreationTemplates } = await ecr.send(command);
    expect(repositoryCreationTemplates?.map(({ prefix }) => prefix)).toEqual(['b']);
  });

  test('are each region’s own', async () => {
    await make('team');
    const elsewhere = ecrClient(emulator, 'cn-north-1');
    const found = await elsewhere.send(new DescribeRepositoryCreationTemplatesCommand({}));
    expect(found.repositoryCreationTemplates).toEqual([]);
  });
});
