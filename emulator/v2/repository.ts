import type {
  BlobContent,
  BlobElsewhere,
  RepositoryBackend,
  Upload,
} from '../../src/distribution/server/backend.ts';
import type { Descriptor } from '../../src/image/descriptor.ts';
import { type Digest, isDigest } from '../../src/image/digest.ts';
import { blobsOf, describe, type ManifestContent } from '../../src/image/manifest.ts';
import { EcrError } from '../errors.ts';
import type { Registry } from '../state/cloud.ts';
import { convertFor } from '../state/convert.ts';
import { pushImage } from '../state/push.ts';
import type { Repository } from '../state/repository.ts';
import type { Presign } from './backend.ts';

/** One repository, as the distribution API shows it. */
export class EcrRepository implements RepositoryBackend {
  readonly #repository: Repository;
  readonly #registry: Registry;
  readonly #presign: Presign;

  constructor(repository: Repository, registry: Registry, presign: Presign) {
    this.#repository = repository;
    this.#registry = registry;
    this.#presign = presign;
  }

  async statBlob(digest: Digest): Promise<number | undefined> {
    return this.#repository.layerSize(digest);
  }

  async readBlob(digest: Digest): Promise<BlobContent | BlobElsewhere | undefined> {
    const size = this.#repository.layerSize(digest);
    if (size === undefined) return undefined;
    const { behaviour, store } = this.#repository.world;
    if (behaviour.redirectBlobs)
      return { kind: 'elsewhere', location: this.#presign(digest, this.#registry) };
    return { kind: 'content', size, open: (range) => store.open(digest, range) };
  }

  async mountBlob(digest: Digest, from: string): Promise<boolean> {
    if (!this.#repository.world.behaviour.blobMounting || !this.#registry.has(from)) return false;
    const source = this.#registry.repository(from);
    const size = source.layerSize(digest);
    const { encryptionType: theirs } = source.settings.encryptionConfiguration;
    const { encryptionType: ours } = this.#repository.settings.encryptionConfiguration;
    // A layer that no manifest over there refers to cannot be mounted.
    const referred = [...source.images.values()].some(({ manifest }) =>
      blobsOf(manifest).some((blob) => blob.digest === digest),
    );
    if (size === undefined || !referred || theirs !== ours) return false;
    this.#repository.addLayer(digest, size);
    return true;
  }

  beginUpload(): Promise<Upload> {
    return this.#repository.beginUpload();
  }

  upload(id: string): Upload | undefined {
    return this.#repository.upload(id);
  }

  async readManifest(reference: string, accept: readonly string[]): Promise<ManifestContent | undefined> {
    const image = this.#repository.find(reference);
    if (!image) return undefined;
    const converts = this.#repository.world.behaviour.convertByAccept && !isDigest(reference);
    return converts ? convertFor(image.manifest, accept) : image.manifest;
  }

  async writeManifest(reference: string, { bytes, mediaType }: ManifestContent): Promise<void> {
    const tag = isDigest(reference) ? undefined : reference;
    pushImage(this.#repository, { bytes, mediaType, tag, whenThere: 'accept' });
  }

  async deleteManifest(reference: string): Promise<boolean> {
    try {
      this.#repository.remove(reference);
      return true;
    } catch (error) {
      if (error instanceof EcrError && error.exception === 'ImageNotFoundException') return false;
      throw error;
    }
  }

  async tags(): Promise<string[]> {
    return [...this.#repository.tags.keys()].toSorted();
  }

  async referrers(digest: Digest): Promise<Descriptor[]> {
    return [...this.#repository.images.values()]
      .filter(({ manifest }) => manifest.subject?.digest === digest)
      .map(({ manifest, artifactType, annotations }) => ({
        ...describe(manifest),
        ...(artifactType && { artifactType }),
        ...(annotations && { annotations }),
      }));
  }
}
