import {
  BatchDeleteImageCommand,
  BatchGetImageCommand,
  DescribeImagesCommand,
  ListImagesCommand,
  PutImageCommand,
  PutImageTagMutabilityCommand,
  paginateDescribeImages,
  paginateListImages,
} from '@aws-sdk/client-ecr';
import { describe, expect, test } from '@jest/globals';
import { DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST } from '../../../src/image/mediaTypes.ts';
import { imageOf, indexOf, logIn, manifestOf } from '../support.ts';
import { absent, amd64, arm64, ecr, emulator, index, now, pushAll, repositoryName } from './setup.ts';

describe('images', () => {
  test('are described with their tags, types, sizes and times', async () => {
    await pushAll();
    const byTag = new DescribeImagesCommand({ repositoryName, imageIds: [{ imageTag: 'v1' }] });
    expect((await ecr.send(byTag)).imageDetails).toEqual([
      {
        registryId: '123456789012',
        repositoryName,
        imageDigest: index.digest,
        imageTags: ['v1'],
        imageSizeInBytes: amd64.config.length + amd64.layer.length,
        imagePushedAt: new Date(now),
        imageManifestMediaType: OCI_INDEX,
      },
    ]);
    const untagged = new DescribeImagesCommand({ repositoryName, filter: { tagStatus: 'UNTAGGED' } });
    const { imageDetails = [] } = await ecr.send(untagged);
    expect(imageDetails.map((each) => [each.imageDigest, each.imageTags])).toEqual([
      [amd64.digest, undefined],
      [arm64.digest, undefined],
    ]);
    const missing = new DescribeImagesCommand({ repositoryName, imageIds: [{ imageTag: 'v2' }] });
    await expect(ecr.send(missing)).rejects.toMatchObject({
      name: 'ImageNotFoundException',
      message: expect.stringContaining("{imageDigest:'null', imageTag:'v2'}"),
    });
  });

  test('are described and listed in pages', async () => {
    await pushAll();
    await pushAll('v2');
    const described = [];
    for await (const page of paginateDescribeImages({ client: ecr, pageSize: 2 }, { repositoryName })) {
      described.push(page.imageDetails?.length);
    }
    expect(described).toEqual([2, 1]);
    const listed = [];
    for await (const page of paginateListImages({ client: ecr, pageSize: 3 }, { repositoryName })) {
      listed.push(page.imageIds?.map((each) => each.imageTag));
    }
    expect(listed).toEqual([[undefined, undefined, 'v1'], ['v2']]);
  });

  test('are listed by whether they have tags', async () => {
    await pushAll();
    const tagged = new ListImagesCommand({ repositoryName, filter: { tagStatus: 'TAGGED' } });
    expect((await ecr.send(tagged)).imageIds).toEqual([{ imageDigest: index.digest, imageTag: 'v1' }]);
  });

  test('are got byte for byte, and those that are not there are failures', async () => {
    await pushAll();
    const imageIds = [
      { imageTag: 'v1' },
      { imageDigest: amd64.digest },
      { imageTag: 'v2' },
      { imageDigest: 'x' },
      { imageTag: 'v1', imageDigest: amd64.digest },
      {},
    ];
    const { images = [], failures = [] } = await ecr.send(
      new BatchGetImageCommand({ repositoryName, imageIds }),
    );
    expect(
      images.map(({ imageId, imageManifest, imageManifestMediaType }) => [
        imageId,
        imageManifest,
        imageManifestMediaType,
      ]),
    ).toEqual([
      [{ imageDigest: index.digest, imageTag: 'v1' }, index.text, OCI_INDEX],
      [{ imageDigest: amd64.digest }, amd64.text, OCI_MANIFEST],
    ]);
    expect(failures.map(({ failureCode }) => failureCode)).toEqual([
      'ImageNotFound',
      'InvalidImageDigest',
      'ImageTagDoesNotMatchDigest',
      'MissingDigestAndTag',
    ]);
  });

  test('are described in pages, or by their ids, but not both', async () => {
    await pushAll();
    const imageIds = [{ imageTag: 'v1' }];
    const paged = new DescribeImagesCommand({ repositoryName, imageIds, maxResults: 1 });
    await expect(ecr.send(paged)).rejects.toMatchObject({ name: 'InvalidParameterException' });
  });

  test('are converted for who takes no other type, by tag alone', async () => {
    const registry = await logIn(emulator, 'us-east-1');
    await registry.pushImage(repositoryName, amd64, 'single');
    const acceptedMediaTypes = [DOCKER_MANIFEST];
    const get = async (imageId: { imageTag?: string; imageDigest?: string }) => {
      const command = new BatchGetImageCommand({ repositoryName, imageIds: [imageId], acceptedMediaTypes });
      return (await ecr.send(command)).images?.[0];
    };
    const converted = await get({ imageTag: 'single' });
    expect(converted?.imageManifestMediaType).toBe(DOCKER_MANIFEST);
    expect(converted?.imageId?.imageDigest).not.toBe(amd64.digest);
    expect((await get({ imageDigest: amd64.digest }))?.imageManifest).toBe(amd64.text);
  });

  const put = (input: {
    imageTag?: string;
    imageManifest?: string;
    imageManifestMediaType?: string;
    imageDigest?: string;
  }) => ecr.send(new PutImageCommand({ repositoryName, imageManifest: index.text, ...input }));

  test('get another tag by being put again', async () => {
    await pushAll();
    const { image } = await put({ imageTag: 'v2', imageDigest: index.digest });
    expect(image?.imageId).toEqual({ imageDigest: index.digest, imageTag: 'v2' });
  });

  test('that are there as they are put are refused', async () => {
    await pushAll();
    await expect(put({ imageTag: 'v1' })).rejects.toMatchObject({
      name: 'ImageAlreadyExistsException',
      message: `Image with digest '${index.digest}' and tag 'v1' already exists in the repository with name 'app' in registry with id '123456789012'`,
    });
    await expect(put({})).rejects.toMatchObject({ name: 'ImageAlreadyExistsException' });
  });

  test('are refused under a taken immutable tag, even their own', async () => {
    await pushAll();
    await ecr.send(new PutImageTagMutabilityCommand({ repositoryName, imageTagMutability: 'IMMUTABLE' }));
    await expect(put({ imageTag: 'v1' })).rejects.toMatchObject({
      name: 'ImageTagAlreadyExistsException',
      message:
        "The image tag 'v1' already exists in the 'app' repository and cannot be overwritten because the tag is immutable.",
    });
  });

  test.each([
    ['whose layers are not there', { imageManifest: imageOf('s390x').text }, 'LayersNotFoundException'],
    [
      'whose children are not there',
      { imageManifest: indexOf(imageOf('s390x')).text },
      'ReferencedImagesNotFoundException',
    ],
    ['of another digest', { imageDigest: absent }, 'ImageDigestDoesNotMatchException'],
    ['of another type', { imageManifestMediaType: OCI_MANIFEST }, 'InvalidParameterException'],
    ['that are no JSON', { imageManifest: '{' }, 'InvalidParameterException'],
    ['under a tag that cannot be', { imageTag: '.v1' }, 'InvalidParameterException'],
  ])('%s are refused', async (_, input, name) => {
    await pushAll();
    await expect(put({ imageTag: 'v2', ...input })).rejects.toMatchObject({ name });
  });

  test('that name no type need one named for them', async () => {
    await pushAll();
    const { text } = manifestOf({ ...JSON.parse(amd64.text), mediaType: undefined }, OCI_MANIFEST);
    await expect(put({ imageManifest: text })).rejects.toMatchObject({ name: 'InvalidParameterException' });
    const { image } = await put({ imageManifest: text, imageManifestMediaType: OCI_MANIFEST });
    expect(image?.imageManifest).toBe(text);
  });

  const remove = (imageId: { imageTag?: string; imageDigest?: string }) =>
    ecr.send(new BatchDeleteImageCommand({ repositoryName, imageIds: [imageId] }));

  test('lose a tag, and with the last one they are gone', async () => {
    await pushAll();
    await put({ imageTag: 'v2' });
    expect((await remove({ imageTag: 'v1' })).imageIds).toEqual([
      { imageDigest: index.digest, imageTag: 'v1' },
    ]);
    const list = () => ecr.send(new ListImagesCommand({ repositoryName }));
    expect((await list()).imageIds).toHaveLength(3);
    await remove({ imageTag: 'v2' });
    expect((await list()).imageIds).toEqual([{ imageDigest: amd64.digest }, { imageDigest: arm64.digest }]);
  });

  test('are gone with all of their tags when they are deleted by digest', async () => {
    await pushAll();
    await put({ imageTag: 'v2' });
    expect((await remove({ imageDigest: index.digest })).imageIds).toEqual([
      { imageDigest: index.digest, imageTag: 'v1' },
      { imageDigest: index.digest, imageTag: 'v2' },
    ]);
  });

  test('that an index names stay', async () => {
    await pushAll();
    const { failures } = await remove({ imageDigest: amd64.digest });
    expect(failures).toMatchObject([{ failureCode: 'ImageReferencedByManifestList' }]);
    expect((await remove({ imageTag: 'none' })).failures).toMatchObject([{ failureCode: 'ImageNotFound' }]);
  });
});
