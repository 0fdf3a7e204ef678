import type { Descriptor } from '../../src/image/descriptor.ts';
import { blobsOf, childrenOf, type Manifest } from '../../src/image/manifest.ts';
import { isIndexType } from '../../src/image/mediaTypes.ts';
import { childrenNotFound, type EcrError, invalidParameter, layersNotFound } from '../errors.ts';
import type { Repository } from './repository.ts';

/**
 * Holds what a manifest refers to against ECR's rules: the layers and the config are neither empty nor too large,
 * no child is an index itself, and all of it is in the repository.
 * @throws EcrError
 */
export function assertReferenced(repository: Repository, manifest: Manifest): void {
  if (manifest.kind === 'image') {
    for (const blob of [manifest.config, ...manifest.layers]) assertSize(repository, blob);
    assertLayers(repository, blobsOf(manifest));
  } else {
    assertChildren(repository, childrenOf(manifest));
  }
  assertSubject(repository, manifest);
}

function assertSubject(repository: Repository, { subject }: Manifest): void {
  const { images, world } = repository;
  if (!subject || images.has(subject.digest) || world.behaviour.missingSubject === 'accepted') return;
  throw childrenNotFound([subject.digest], repository);
}

function assertSize({ world }: Repository, { digest, size }: Descriptor): void {
  const { emptyBlobs, maximumLayer } = world.behaviour;
  if (size === 0 && emptyBlobs === 'refused') throw invalidManifest(`${digest} is empty`);
  if (size > maximumLayer) throw invalidManifest(`${digest} exceeds the limit of ${maximumLayer} bytes`);
}

function assertLayers(repository: Repository, layers: readonly Descriptor[]): void {
  const missing = layers.filter(({ digest }) => repository.settledSize(digest) === undefined);
  if (missing.length > 0) throw layersNotFound(digestsOf(missing), repository);
  if (!repository.world.behaviour.checkSizes) return;
  for (const { digest, size } of layers) {
    const real = repository.settledSize(digest);
    if (real !== size) throw invalidManifest(`${digest} has ${real} bytes, not ${size}`);
  }
}

function assertChildren(repository: Repository, children: readonly Descriptor[]): void {
  const { images, world } = repository;
  const { nestedIndexes, manifestDelay } = world.behaviour;
  const nested = children.find(
    ({ digest, mediaType }) => isIndexType(mediaType) || images.get(digest)?.manifest.kind === 'index',
  );
  if (nested && nestedIndexes === 'refused') {
    throw invalidManifest(`an index cannot refer to another one: ${nested.digest}`);
  }
  const missing = children.filter(({ digest }) => {
    const image = images.get(digest);
    return !image || (manifestDelay > 0 && image.pushedAt + manifestDelay > world.now());
  });
  if (missing.length > 0) throw childrenNotFound(digestsOf(missing), repository);
}

function digestsOf(descriptors: readonly Descriptor[]): string[] {
  return descriptors.map(({ digest }) => digest);
}

function invalidManifest(constraint: string): EcrError {
  return invalidParameter('ImageManifest', constraint);
}
