import {
  CreateRepositoryCommand,
  DeleteRepositoryCommand,
  DescribeRegistryCommand,
  DescribeRepositoriesCommand,
  ListTagsForResourceCommand,
  PutImageTagMutabilityCommand,
  paginateDescribeRepositories,
  TagResourceCommand,
} from '@aws-sdk/client-ecr';
import { describe, expect, test } from '@jest/globals';
import { ecrClient } from '../support.ts';
import { ecr, emulator, now, pushAll, repositoryName } from './setup.ts';

describe('repositories', () => {
  test('are created with all of their settings, and described with them', async () => {
    const settings = {
      imageTagMutability: 'IMMUTABLE_WITH_EXCLUSION',
      imageTagMutabilityExclusionFilters: [{ filterType: 'WILDCARD', filter: 'latest*' }],
      imageScanningConfiguration: { scanOnPush: true },
      encryptionConfiguration: { encryptionType: 'KMS', kmsKey: 'arn:aws:kms:us-east-1:123456789012:key/1' },
    } as const;
    const tags = [{ Key: 'team', Value: 'web' }];
    await ecr.send(
      new CreateRepositoryCommand({
        repositoryName: 'team/web',
        ...settings,
        imageTagMutabilityExclusionFilters: [...settings.imageTagMutabilityExclusionFilters],
        tags,
      }),
    );
    const { repositories } = await ecr.send(
      new DescribeRepositoriesCommand({ repositoryNames: ['team/web'] }),
    );
    const resourceArn = 'arn:aws:ecr:us-east-1:123456789012:repository/team/web';
    expect(repositories).toEqual([
      {
        repositoryArn: resourceArn,
        registryId: '123456789012',
        repositoryName: 'team/web',
        repositoryUri: `${new URL(emulator.url('us-east-1')).host}/team/web`,
        createdAt: new Date(now),
        ...settings,
      },
    ]);
    await ecr.send(new TagResourceCommand({ resourceArn, tags: [{ Key: 'cost', Value: '1' }] }));
    const listed = await ecr.send(new ListTagsForResourceCommand({ resourceArn }));
    expect(listed.tags).toEqual([...tags, { Key: 'cost', Value: '1' }]);
  });

  test('are numbered by their partition', async () => {
    const china = await ecrClient(emulator, 'cn-north-1').send(new DescribeRepositoriesCommand({}));
    expect(china.repositories?.[0]?.repositoryArn).toBe(
      'arn:aws-cn:ecr:cn-north-1:123456789012:repository/app',
    );
  });

  test.each(['App', 'a', 'a--b', '/app', 'app/', 'a'.repeat(257)])('are not called %j', async (name) => {
    await expect(ecr.send(new CreateRepositoryCommand({ repositoryName: name }))).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message: expect.stringMatching(
        /^Invalid parameter at 'repositoryName' failed to satisfy constraint: '.+'$/,
      ),
    });
  });

  test('are not created twice', async () => {
    await expect(ecr.send(new CreateRepositoryCommand({ repositoryName }))).rejects.toMatchObject({
      name: 'RepositoryAlreadyExistsException',
      message: "The repository with name 'app' already exists in the registry with id '123456789012'",
    });
  });

  test('take exclusion filters only with the rules that have them', async () => {
    const input = { repositoryName, imageTagMutability: 'IMMUTABLE_WITH_EXCLUSION' } as const;
    await expect(ecr.send(new PutImageTagMutabilityCommand(input))).rejects.toMatchObject({
      name: 'InvalidParameterException',
    });
  });

  test('come in pages', async () => {
    for (const name of ['b1', 'b2', 'b3', 'b4']) emulator.createRepository(name);
    const pages = [];
    for await (const page of paginateDescribeRepositories({ client: ecr, pageSize: 2 }, {})) {
      pages.push(page.repositories?.map((each) => each.repositoryName));
    }
    expect(pages).toEqual([['app', 'b1'], ['b2', 'b3'], ['b4']]);
  });

  test('are deleted with their images by force alone', async () => {
    await pushAll();
    await expect(ecr.send(new DeleteRepositoryCommand({ repositoryName }))).rejects.toMatchObject({
      name: 'RepositoryNotEmptyException',
    });
    await ecr.send(new DeleteRepositoryCommand({ repositoryName, force: true }));
    await expect(
      ecr.send(new DescribeRepositoriesCommand({ repositoryNames: ['app'] })),
    ).rejects.toMatchObject({
      name: 'RepositoryNotFoundException',
      message: "The repository with name 'app' does not exist in the registry with id '123456789012'",
    });
  });

  test('are found in the registry that registryId names', async () => {
    const { registryId } = await ecr.send(new DescribeRegistryCommand({}));
    expect(registryId).toBe('123456789012');
    const other = new DescribeRepositoriesCommand({ registryId: '999999999999' });
    await expect(ecr.send(other)).rejects.toMatchObject({ name: 'InvalidParameterException' });
  });
});
