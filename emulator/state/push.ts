import { digestOf } from '../../src/image/digest.ts';
import { EcrError, invalidParameter } from '../errors.ts';
import { assertReferenced } from './referenced.ts';
import type { Image, Repository } from './repository.ts';
import { parseStrictly } from './schema.ts';
import { isEcrTag, isImmutable } from './settings.ts';

/** A manifest that is pushed, before anything is known of it. */
export interface Push {
  readonly bytes: Uint8Array;
  /** The type given outside of the manifest. */
  readonly mediaType: string | undefined;
  readonly tag: string | undefined;
  /** Whether what is there already is refused (the JSON API) or taken as done (/v2/). */
  readonly whenThere: 'refuse' | 'accept';
}

/**
 * Puts an image into a repository, by ECR's rules: the manifest must be one that it takes, the tag free or
 * mutable, and everything that the manifest names there already.
 * @throws EcrError
 */
export function pushImage(repository: Repository, push: Push): Image {
  const stored = parseStrictly(push.bytes, push.mediaType, repository.world.behaviour);
  const digest = digestOf(push.bytes);
  assertTag(repository, push, digest);
  assertReferenced(repository, stored.manifest);
  if (push.whenThere === 'refuse') assertNew(repository, push, digest);
  const image = repository.images.get(digest) ?? { ...stored, digest, pushedAt: repository.world.now() };
  repository.images.set(digest, image);
  if (push.tag !== undefined) repository.tag(push.tag, digest);
  return image;
}

function assertTag(repository: Repository, { tag, whenThere }: Push, digest: string): void {
  if (tag === undefined) return;
  if (!isEcrTag(tag))
    throw invalidParameter('imageTag', "must satisfy regular expression '[a-zA-Z0-9_][a-zA-Z0-9-_.]{0,299}'");
  const { behaviour } = repository.world;
  const current = repository.tags.get(tag);
  if (current !== undefined && isImmutable(tag, repository.settings)) {
    const { sameDigestInApi, sameDigestUnderImmutableTag } = behaviour;
    const passes =
      whenThere === 'refuse'
        ? sameDigestInApi === 'ImageAlreadyExists'
        : sameDigestUnderImmutableTag === 'accepted';
    if (current !== digest || !passes) throw tagTaken(repository, tag);
  }
  const others = [...repository.tags].filter(([name, target]) => target === digest && name !== tag);
  if (others.length >= behaviour.maximumTags) {
    throw new EcrError(
      'LimitExceededException',
      `The image with digest '${digest}' in the '${repository.name}' repository has the maximum of ${behaviour.maximumTags} tags`,
    );
  }
}

function tagTaken({ name, world }: Repository, tag: string): EcrError {
  return new EcrError(
    'ImageTagAlreadyExistsException',
    `The image tag '${tag}' already exists in the '${name}' repository and cannot be overwritten because the ${world.behaviour.immutableWords} is immutable.`,
  );
}

function assertNew({ images, tags, name, account }: Repository, { tag }: Push, digest: string): void {
  const there =
    tag === undefined ? [...images.keys()].some((each) => each === digest) : tags.get(tag) === digest;
  if (!there) return;
  throw new EcrError(
    'ImageAlreadyExistsException',
    `Image with digest '${digest}' and tag '${tag ?? null}' already exists in the repository with name '${name}' in registry with id '${account}'`,
  );
}
