import { GetAuthorizationTokenCommand as PrivateTokenCommand } from '@aws-sdk/client-ecr';
import {
  BatchCheckLayerAvailabilityCommand,
  BatchDeleteImageCommand,
  CreateRepositoryCommand,
  DeleteRepositoryCommand,
  DescribeImagesCommand,
  DescribeRegistriesCommand,
  DescribeRepositoriesCommand,
  GetAuthorizationTokenCommand,
  paginateDescribeRepositories,
} from '@aws-sdk/client-ecr-public';
import { describe, expect, test } from '@jest/globals';
import { startEmulator } from '../../../emulator/emulator.ts';
import { digestOf } from '../../../src/image/digest.ts';
import { atEnd } from '../../support/ends.ts';
import { ecrClient, imageOf } from '../support.ts';
import { ACCOUNT, emulator, enter, now, OTHER, origin, publicClient, restart } from './setup.ts';

const amd64 = imageOf('amd64');
const create = (repositoryName: string, client = publicClient()) =>
  client.send(new CreateRepositoryCommand({ repositoryName }));

describe('ECR Public', () => {
  test('is there only when it is asked for', async () => {
    const other = await startEmulator({ regions: ['us-east-1'] });
    atEnd(() => other.close());
    expect(other.publicUrl).toBeUndefined();
  });

  test('has a port of its own', () => {
    expect(emulator.regions.map(({ url }) => url)).not.toContain(origin);
    expect(origin).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  test('knows nothing of the private registries, nor they of it', async () => {
    emulator.createRepository('private');
    await create('public/one');
    const { repositories } = await publicClient().send(new DescribeRepositoriesCommand({}));
    expect(repositories?.map(({ repositoryName }) => repositoryName)).toEqual(['public/one']);
    const client = ecrClient(emulator, 'us-east-1');
    const { authorizationData } = await client.send(new PrivateTokenCommand({}));
    const headers = { Authorization: `Basic ${authorizationData?.[0]?.authorizationToken}` };
    expect((await fetch(new URL('/token/', origin), { headers })).status).toBe(401);
  });

  test('shows itself in the log as no region’s', async () => {
    await create('one');
    expect(emulator.requests.at(-1)).toMatchObject({
      region: 'public',
      operation: 'CreateRepository',
      needed: [
        {
          action: 'ecr-public:CreateRepository',
          resource: `arn:aws:ecr-public::${ACCOUNT}:repository/one`,
        },
      ],
    });
  });
});

describe('GetAuthorizationToken of ECR Public', () => {
  test('gives one token for AWS that lives twelve hours, and no address', async () => {
    const { authorizationData } = await publicClient().send(new GetAuthorizationTokenCommand({}));
    expect(authorizationData).toEqual({
      authorizationToken: expect.any(String),
      expiresAt: new Date(now + 12 * 60 * 60 * 1_000),
    });
    const token = authorizationData?.authorizationToken ?? '';
    expect(Buffer.from(token, 'base64').toString()).toMatch(/^AWS:.{20,}$/);
  });

  test('needs two permissions, one of them of STS', async () => {
    const allow = (...actions: string[]) => ({ effect: 'Allow', actions, resources: ['*'] }) as const;
    const one = allow('ecr-public:GetAuthorizationToken');
    const both = allow('ecr-public:GetAuthorizationToken', 'sts:GetServiceBearerToken');
    await restart({
      principals: {
        AKIDONE: { account: ACCOUNT, policy: [one] },
        AKIDBOTH: { account: ACCOUNT, policy: [both] },
      },
    });
    const ask = (key: string) => publicClient(key).send(new GetAuthorizationTokenCommand({}));
    await expect(ask('AKIDONE')).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining('sts:GetServiceBearerToken'),
    });
    await expect(ask('AKIDBOTH')).resolves.toBeDefined();
  });

  test.each(['eu-west-1', 'us-west-2'])('is not answered in %s', async (region) => {
    const asked = publicClient('AKIDEMULATOR', region).send(new GetAuthorizationTokenCommand({}));
    await expect(asked).rejects.toMatchObject({ name: 'UnrecognizedClientException' });
  });

  test('is not answered to who signs for private registries, or calls an operation of theirs', async () => {
    const call = async (service: string, operation: string) => {
      const credential = `AKIDEMULATOR/20260102/us-east-1/${service}/aws4_request`;
      const response = await fetch(origin, {
        method: 'POST',
        headers: {
          Authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host, Signature=0`,
          'X-Amz-Target': operation,
        },
        body: '{}',
      });
      return JSON.parse(await response.text()).__type;
    };
    const prefix = 'SpencerFrontendService';
    expect(await call('ecr', `${prefix}.DescribeRegistries`)).toBe('InvalidSignatureException');
    expect(await call('ecr-public', `${prefix}.BatchGetImage`)).toBe('UnknownOperationException');
    const theirs = 'AmazonEC2ContainerRegistry_V20150921.DescribeRepositories';
    expect(await call('ecr-public', theirs)).toBe('UnknownOperationException');
    expect(await call('ecr-public', `${prefix}.DescribeRegistries`)).toBeUndefined();
  });
});

describe('public repositories', () => {
  const one = {
    repositoryArn: `arn:aws:ecr-public::${ACCOUNT}:repository/team/one`,
    registryId: ACCOUNT,
    repositoryName: 'team/one',
    repositoryUri: 'public.ecr.aws/acme/team/one',
    createdAt: new Date(now),
  };

  test('are created, described and deleted', async () => {
    const client = publicClient();
    const catalogData = { description: 'One', architectures: ['ARM 64'], operatingSystems: ['Linux'] };
    const created = await client.send(
      new CreateRepositoryCommand({ repositoryName: 'team/one', catalogData }),
    );
    expect(created).toMatchObject({ repository: one, catalogData });
    const describe = () => client.send(new DescribeRepositoriesCommand({ repositoryNames: ['team/one'] }));
    expect((await describe()).repositories).toEqual([one]);
    const deleted = await client.send(new DeleteRepositoryCommand({ repositoryName: 'team/one' }));
    expect(deleted.repository).toEqual(one);
    await expect(describe()).rejects.toMatchObject({ name: 'RepositoryNotFoundException' });
  });

  test('are not created twice', async () => {
    await create('one');
    await expect(create('one')).rejects.toMatchObject({ name: 'RepositoryAlreadyExistsException' });
  });

  test.each(['One', 'a', 'o'.repeat(206)])('are not called %j', async (name) => {
    await expect(create(name)).rejects.toMatchObject({ name: 'InvalidParameterException' });
  });

  test('come in pages', async () => {
    for (const name of ['b1', 'b2', 'b3']) await create(name);
    const pages = [];
    for await (const page of paginateDescribeRepositories({ client: publicClient(), pageSize: 2 }, {})) {
      pages.push(page.repositories?.map(({ repositoryName }) => repositoryName));
    }
    expect(pages).toEqual([['b1', 'b2'], ['b3']]);
  });

  test('are deleted with their images by force alone', async () => {
    await create('one');
    await (await enter('AKIDEMULATOR')).pushImage('acme/one', amd64, 'v1');
    const remove = (force: boolean) =>
      publicClient().send(new DeleteRepositoryCommand({ repositoryName: 'one', force }));
    await expect(remove(false)).rejects.toMatchObject({ name: 'RepositoryNotEmptyException' });
    await expect(remove(true)).resolves.toBeDefined();
  });
});

describe('DescribeRegistries', () => {
  const registryOf = async (client = publicClient()) => {
    const { registries } = await client.send(new DescribeRegistriesCommand({}));
    return registries;
  };

  test('tells the registry’s address and its alias', async () => {
    const alias = { name: 'acme', status: 'ACTIVE', primaryRegistryAlias: true, defaultRegistryAlias: true };
    expect(await registryOf()).toEqual([
      {
        registryId: ACCOUNT,
        registryArn: `arn:aws:ecr-public::${ACCOUNT}:registry/${ACCOUNT}`,
        registryUri: 'public.ecr.aws/acme',
        verified: false,
        aliases: [alias],
      },
    ]);
  });

  test('tells an alias for every account that was given none', async () => {
    await restart({ public: true });
    const registries = [await registryOf(), await registryOf(publicClient('AKIDOTHER'))].flat();
    expect(registries.map((each) => each?.registryId)).toEqual([ACCOUNT, OTHER]);
    const names = registries.map((each) => each?.aliases?.[0]?.name ?? '');
    expect(names).toEqual([
      expect.stringMatching(/^[a-z][a-z0-9]{7}$/),
      expect.stringMatching(/^[a-z][a-z0-9]{7}$/),
    ]);
    expect(new Set(names).size).toBe(2);
    await create('one');
    const owner = await enter('AKIDEMULATOR');
    expect((await owner.pushBlob(`${names[0]}/one`, amd64.layer)).status).toBe(201);
  });
});

describe('public images', () => {
  test('are described, and lose their tags', async () => {
    await create('one');
    await (await enter('AKIDEMULATOR')).pushImage('acme/one', amd64, 'v1');
    const client = publicClient();
    const { imageDetails } = await client.send(new DescribeImagesCommand({ repositoryName: 'one' }));
    expect(imageDetails).toMatchObject([
      { registryId: ACCOUNT, repositoryName: 'one', imageDigest: amd64.digest, imageTags: ['v1'] },
    ]);
    const remove = new BatchDeleteImageCommand({ repositoryName: 'one', imageIds: [{ imageTag: 'v1' }] });
    expect((await client.send(remove)).imageIds).toEqual([{ imageDigest: amd64.digest, imageTag: 'v1' }]);
    expect((await client.send(remove)).failures).toMatchObject([{ failureCode: 'ImageNotFound' }]);
  });

  test('have layers that can be asked for together', async () => {
    await create('one');
    await (await enter('AKIDEMULATOR')).pushBlob('acme/one', amd64.layer);
    const layerDigests = [digestOf(amd64.layer), digestOf(amd64.config)];
    const check = new BatchCheckLayerAvailabilityCommand({ repositoryName: 'one', layerDigests });
    const { layers } = await publicClient().send(check);
    expect(layers?.map((layer) => layer.layerAvailability)).toEqual(['AVAILABLE', 'UNAVAILABLE']);
  });
});
