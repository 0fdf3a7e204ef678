import type { Digest } from '../../src/image/digest.ts';
import type { Repository } from './repository.ts';

/**
 * Takes a layer over from another repository of the same registry, which must be encrypted in the same way.
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/blob-mounting.html
 * @returns whether it did; otherwise the layer has to be uploaded
 */
export function mountLayer(digest: Digest, source: Repository, target: Repository): boolean {
  const size = source.layerSize(digest);
  if (size === undefined || !areEncryptedAlike(source, target)) return false;
  const { mountNeedsManifest } = target.world.behaviour;
  if (mountNeedsManifest && source.layerType(digest) === undefined) return false;
  target.addLayer(digest, size);
  return true;
}

function areEncryptedAlike(one: Repository, other: Repository): boolean {
  const [ours, theirs] = [one.settings.encryptionConfiguration, other.settings.encryptionConfiguration];
  return ours.encryptionType === theirs.encryptionType && ours.kmsKey === theirs.kmsKey;
}
