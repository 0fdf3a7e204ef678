import * as z from 'zod/mini';
import { type Digest, digestOf, isDigest } from '../../src/image/digest.ts';
import { MAX_MANIFEST_BYTES, type ManifestContent } from '../../src/image/manifest.ts';
import { EcrError, invalidParameter } from '../errors.ts';
import { convertFor } from '../state/convert.ts';
import { pushImage } from '../state/push.ts';
import type { Image, Repository } from '../state/repository.ts';
import { isEcrTag } from '../state/settings.ts';
import {
  type Call,
  inRepository,
  type Operation,
  operation,
  pageOf,
  paging,
  repositoryOf,
  timestamp,
} from './call.ts';

const imageIdSchema = z.object({ imageDigest: z.optional(z.string()), imageTag: z.optional(z.string()) });
type ImageId = z.infer<typeof imageIdSchema>;

const imageIdsSchema = z
  .array(imageIdSchema)
  .check(z.minLength(1), z.maxLength(100, 'Member must have length less than or equal to 100'));

interface Failure {
  readonly imageId: ImageId;
  readonly failureCode: string;
  readonly failureReason: string;
}

function failure(imageId: ImageId, failureCode: string, failureReason: string): Failure {
  return { imageId, failureCode, failureReason };
}

/** The image that an id names, or why it names none. */
function resolve(imageId: ImageId, repository: Repository): Image | Failure {
  const { imageDigest, imageTag } = imageId;
  if (imageDigest !== undefined && !isDigest(imageDigest)) {
    return failure(
      imageId,
      'InvalidImageDigest',
      'Invalid request parameters: image digest should satisfy the regex',
    );
  }
  if (imageTag !== undefined && !isEcrTag(imageTag)) {
    return failure(
      imageId,
      'InvalidImageTag',
      'Invalid request parameters: image tag should satisfy the regex',
    );
  }
  const reference = imageTag ?? imageDigest;
  if (reference === undefined) {
    return failure(
      imageId,
      'MissingDigestAndTag',
      'Invalid request parameters: both tag and digest cannot be null',
    );
  }
  const image = repository.find(reference);
  if (!image) return failure(imageId, 'ImageNotFound', 'Requested image not found');
  if (imageDigest !== undefined && image.digest !== imageDigest) {
    return failure(
      imageId,
      'ImageTagDoesNotMatchDigest',
      'Requested image tag does not match the image digest',
    );
  }
  return image;
}

const batchGetSchema = z.object({
  ...inRepository,
  imageIds: imageIdsSchema,
  acceptedMediaTypes: z._default(z.array(z.string()), []),
});

function batchGet(input: z.infer<typeof batchGetSchema>, call: Call): unknown {
  const repository = repositoryOf(input, call);
  const images: unknown[] = [];
  const failures: Failure[] = [];
  for (const imageId of input.imageIds) {
    const image = resolve(imageId, repository);
    if ('failureCode' in image) {
      failures.push(image);
      continue;
    }
    const converts = repository.world.behaviour.convertByAccept && imageId.imageDigest === undefined;
    const content = converts ? convertFor(image.manifest, input.acceptedMediaTypes) : image.manifest;
    images.push(describeImage(content, imageId.imageTag, repository));
  }
  return { images, failures };
}

function describeImage(
  { bytes, digest, mediaType }: ManifestContent,
  tag: string | undefined,
  place: Repository,
) {
  return {
    registryId: place.account,
    repositoryName: place.name,
    imageId: { imageDigest: digest, ...(tag !== undefined && { imageTag: tag }) },
    imageManifest: new TextDecoder().decode(bytes),
    imageManifestMediaType: mediaType,
  };
}

const putSchema = z.object({
  ...inRepository,
  imageManifest: z
    .string('must not be null')
    .check(z.minLength(1), z.maxLength(MAX_MANIFEST_BYTES, 'must have length less than or equal to 4194304')),
  imageManifestMediaType: z.optional(z.string()),
  imageTag: z.optional(z.string()),
  imageDigest: z.optional(z.string()),
});

function putImage(input: z.infer<typeof putSchema>, call: Call): unknown {
  const repository = repositoryOf(input, call);
  const bytes = new TextEncoder().encode(input.imageManifest);
  if (input.imageDigest !== undefined && input.imageDigest !== digestOf(bytes)) {
    throw new EcrError(
      'ImageDigestDoesNotMatchException',
      'The specified image digest does not match the digest that Amazon ECR calculated for the image.',
    );
  }
  const push = {
    bytes,
    mediaType: input.imageManifestMediaType,
    tag: input.imageTag,
    whenThere: 'refuse',
  } as const;
  const { manifest } = pushImage(repository, push);
  return { image: describeImage(manifest, input.imageTag, repository) };
}

const describeSchema = z.object({
  ...inRepository,
  imageIds: z.optional(imageIdsSchema),
  filter: z.optional(z.object({ tagStatus: z.optional(z.enum(['TAGGED', 'UNTAGGED', 'ANY'])) })),
  ...paging,
});
type Filter = z.infer<typeof describeSchema>['filter'];

/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeImages.html */
function describeImages(input: z.infer<typeof describeSchema>, call: Call): unknown {
  const { imageIds, filter, maxResults, nextToken } = input;
  const repository = repositoryOf(input, call);
  const listing = new Listing(repository);
  if (!imageIds) {
    const all = [...repository.images.values()].filter(({ digest }) =>
      matches(listing.tagsOf(digest), filter),
    );
    const { page, next } = pageOf(all, input);
    return { imageDetails: page.map((image) => listing.detailsOf(image)), ...next };
  }
  if (maxResults !== undefined || nextToken !== undefined) {
    throw invalidParameter('imageIds', 'cannot be used together with maxResults or nextToken');
  }
  const named = imageIds.map((imageId) => listing.find(imageId));
  const images = repository.world.behaviour.describesSame === 'each' ? named : [...new Set(named)];
  const matching = images.filter(({ digest }) => matches(listing.tagsOf(digest), filter));
  return { imageDetails: matching.map((image) => listing.detailsOf(image)) };
}

function matches(tags: readonly string[], filter: Filter): boolean {
  const status = filter?.tagStatus ?? 'ANY';
  return status === 'ANY' || (status === 'TAGGED') === tags.length > 0;
}

/** A repository as DescribeImages tells of it, which may be late. */
class Listing {
  readonly #repository: Repository;
  readonly #tags: ReadonlyMap<string, Digest>;

  constructor(repository: Repository) {
    this.#repository = repository;
    this.#tags = repository.listedTags();
  }

  tagsOf(digest: Digest): string[] {
    return [...this.#tags].flatMap(([tag, shown]) => (shown === digest ? [tag] : [])).toSorted();
  }

  /** @throws EcrError (ImageNotFoundException) */
  find(imageId: ImageId): Image {
    const { imageDigest = 'null', imageTag = 'null' } = imageId;
    const { name, account, images } = this.#repository;
    const found = resolve(imageId, this.#repository);
    const listed = this.#tags.get(imageTag);
    const image = imageId.imageTag === undefined ? found : listed && images.get(listed);
    if (image && !('failureCode' in found) && !('failureCode' in image)) return image;
    throw new EcrError(
      'ImageNotFoundException',
      `The image with imageId {imageDigest:'${imageDigest}', imageTag:'${imageTag}'} does not exist within the repository with name '${name}' in the registry with id '${account}'`,
    );
  }

  detailsOf({ digest, manifest, pushedAt, artifactType }: Image) {
    const imageTags = this.tagsOf(digest);
    return {
      registryId: this.#repository.account,
      repositoryName: this.#repository.name,
      imageDigest: digest,
      ...(imageTags.length > 0 && { imageTags }),
      imageSizeInBytes: this.#repository.sizeOf(manifest),
      imagePushedAt: timestamp(pushedAt),
      imageManifestMediaType: manifest.mediaType,
      ...(artifactType && { artifactMediaType: artifactType }),
      ...(manifest.subject && { subjectManifestDigest: manifest.subject.digest }),
    };
  }
}

const listSchema = z.object({ ...inRepository, filter: describeSchema.shape.filter, ...paging });

function listImages(input: z.infer<typeof listSchema>, call: Call): unknown {
  const repository = repositoryOf(input, call);
  const all = [...repository.images.keys()].flatMap((digest) => imageIdsOf(digest, repository, input.filter));
  const { page, next } = pageOf(all, input);
  return { imageIds: page, ...next };
}

function imageIdsOf(imageDigest: Digest, repository: Repository, filter: Filter): ImageId[] {
  const tags = repository.tagsOf(imageDigest);
  if (!matches(tags, filter)) return [];
  return tags.length > 0 ? tags.map((imageTag) => ({ imageDigest, imageTag })) : [{ imageDigest }];
}

const batchDeleteSchema = z.object({ ...inRepository, imageIds: imageIdsSchema });

function batchDelete(input: z.infer<typeof batchDeleteSchema>, call: Call): unknown {
  const repository = repositoryOf(input, call);
  const imageIds: ImageId[] = [];
  const failures: Failure[] = [];
  for (const imageId of input.imageIds) {
    const image = resolve(imageId, repository);
    if ('failureCode' in image) failures.push(image);
    else {
      try {
        const gone = repository.remove(imageId.imageTag ?? image.digest);
        imageIds.push(...gone.map(({ digest, tag }) => ({ imageDigest: digest, imageTag: tag })));
      } catch (error) {
        if (!(error instanceof EcrError)) throw error;
        failures.push(failure(imageId, 'ImageReferencedByManifestList', error.message));
      }
    }
  }
  return { imageIds, failures };
}

export const IMAGE_OPERATIONS: Readonly<Record<string, Operation>> = {
  BatchGetImage: operation(batchGetSchema, batchGet),
  PutImage: operation(putSchema, putImage),
  DescribeImages: operation(describeSchema, describeImages),
  ListImages: operation(listSchema, listImages),
  BatchDeleteImage: operation(batchDeleteSchema, batchDelete),
};
