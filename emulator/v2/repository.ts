import type {
  BlobContent,
  BlobElsewhere,
  RepositoryBackend,
  Upload,
} from '../../src/distribution/server/backend.ts';
import type { Descriptor } from '../../src/image/descriptor.ts';
import { type Digest, isDigest } from '../../src/image/digest.ts';
import { describe, type ManifestContent } from '../../src/image/manifest.ts';
import { EcrError } from '../errors.ts';
import type { Registry } from '../state/cloud.ts';
import { convertFor } from '../state/convert.ts';
import { mountLayer } from '../state/mounting.ts';
import { pushImage } from '../state/push.ts';
import type { Repository } from '../state/repository.ts';
import type { Presign } from './backend.ts';
import { wordedForV2 } from './wording.ts';

/** One repository, as the distribution API shows it. */
export class EcrRepository implements RepositoryBackend {
  readonly #repository: Repository;
  readonly #registry: Registry;
  readonly #presign: Presign;
  readonly #mayMount: (from: string) => boolean;

  /** @param mayMount whether blobs may be mounted from a repository, by who asks for it */
  constructor(
    repository: Repository,
    registry: Registry,
    { presign, mayMount }: { presign: Presign; mayMount: (from: string) => boolean },
  ) {
    this.#repository = repository;
    this.#registry = registry;
    this.#presign = presign;
    this.#mayMount = mayMount;
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
    if (this.#registry.accountSettings.get('BLOB_MOUNTING') !== 'ENABLED') return false;
    if (!this.#registry.has(from) || !this.#mayMount(from)) return false;
    return mountLayer(digest, this.#registry.repository(from), this.#repository);
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
    try {
      pushImage(this.#repository, { bytes, mediaType, tag, whenThere: 'accept' });
    } catch (error) {
      throw wordedForV2(error, this.#repository.world.behaviour);
    }
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
