import { choiceOf } from './choice.ts';
import { type Descriptor, isCompanion, spokenOf, uniqueByDigest } from './descriptor.ts';
import { type Index, ManifestError, parseManifest } from './manifest.ts';
import { DOCKER_LIST, isDockerType, isIndexType, OCI_INDEX } from './mediaTypes.ts';
import { normalizePlatform, type Platform } from './platform.ts';

/**
 * Composes an index of these children. The bytes depend on nothing but the children and the annotations: not on
 * the order in which legs arrived, nor on the clock.
 * @param children images with their platform, and what speaks of them; repeated digests count once
 * @throws ManifestError when there is nothing to compose, a child is itself an index or has no platform, the
 *   families are mixed, or annotations are asked of a Docker manifest list, which has none
 */
export function composeIndex(
  children: readonly Descriptor[],
  annotations: Readonly<Record<string, string>> = {},
): Index {
  const mediaType = familyOf(children);
  if (mediaType === DOCKER_LIST && Object.keys(annotations).length > 0) {
    throw new ManifestError(
      'a Docker manifest list has no annotations; build the legs with OCI media types to annotate their index',
    );
  }
  // Put in order first: of two descriptors of one digest it must not depend on the order which of them stays.
  const manifests = uniqueByDigest(inOrder(children)).map(writeChild);
  const body = {
    schemaVersion: 2,
    mediaType,
    manifests,
    ...(Object.keys(annotations).length > 0 && { annotations: sorted(annotations) }),
  };
  const index = parseManifest(new TextEncoder().encode(JSON.stringify(body)), mediaType);
  if (index.kind !== 'index') throw new ManifestError('an index was composed that does not read as one');
  return index;
}

function familyOf(children: readonly Descriptor[]): string {
  if (children.length === 0) throw new ManifestError('an index needs at least one image');
  const nested = children.find(({ mediaType }) => isIndexType(mediaType));
  if (nested) throw new ManifestError(`${nested.digest} is itself an index; an index takes images`);
  const docker = children.filter(({ mediaType }) => isDockerType(mediaType));
  if (docker.length === 0) return OCI_INDEX;
  if (docker.length === children.length) return DOCKER_LIST;
  throw new ManifestError(
    'the images mix Docker and OCI media types: build all of them with the same builder and the same attestations',
  );
}

/** Images by platform, then what speaks of them, in the order of the images. */
function inOrder(children: readonly Descriptor[]): Descriptor[] {
  const images = children.filter((child) => !isCompanion(child));
  const companions = children.filter(isCompanion);
  const rank = new Map(images.toSorted(byPlatform).map(({ digest }, position) => [String(digest), position]));
  const rankOf = (child: Descriptor) =>
    rank.get(isCompanion(child) ? (spokenOf(child) ?? '') : child.digest) ?? rank.size;
  return [...images, ...companions].toSorted(
    (one, other) =>
      Number(isCompanion(one)) - Number(isCompanion(other)) ||
      rankOf(one) - rankOf(other) ||
      compareText(one.digest, other.digest) ||
      compareText(JSON.stringify(writeChild(one)), JSON.stringify(writeChild(other))),
  );
}

function byPlatform(one: Descriptor, other: Descriptor): number {
  return compareText(choiceText(one), choiceText(other)) || compareText(one.digest, other.digest);
}

/** Of one platform the plain image comes first, which is what those take who know of nothing else. */
function choiceText(child: Descriptor): string {
  return child.platform ? choiceOf({ ...child, platform: child.platform }) : '';
}

/** By code unit: the order must not depend on the machine's locale. */
function compareText(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function writeChild(child: Descriptor): Record<string, unknown> {
  // A runtime that meets an empty os or architecture may fail over the whole index.
  if (!child.platform?.os || !child.platform.architecture)
    throw new ManifestError(`${child.digest} has no platform; an index names one for each image`);
  return {
    mediaType: child.mediaType,
    digest: child.digest,
    size: child.size,
    ...(child.annotations && { annotations: sorted(child.annotations) }),
    ...(child.artifactType && { artifactType: child.artifactType }),
    platform: writePlatform(child.platform),
  };
}

function writePlatform(platform: Platform): Record<string, unknown> {
  const {
    os,
    architecture,
    variant,
    'os.version': version,
    'os.features': features,
  } = normalizePlatform(platform);
  return {
    architecture,
    os,
    ...(version && { 'os.version': version }),
    ...(features && { 'os.features': features }),
    ...(variant && { variant }),
  };
}

function sorted(record: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(record).toSorted(([one], [other]) => compareText(one, other)));
}
