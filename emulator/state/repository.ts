import type { BlobStore } from '../../src/distribution/server/blobStore.ts';
import { type Digest, isDigest } from '../../src/image/digest.ts';
import { blobsOf, type Manifest } from '../../src/image/manifest.ts';
import type { Behaviour } from '../behaviour.ts';
import { EcrError, type Place } from '../errors.ts';
import type { StoredManifest } from './schema.ts';
import { ECR_SETTINGS, type RepositorySettings } from './settings.ts';
import { LayerUpload } from './upload.ts';

/** What every repository of an emulator shares. */
export interface World {
  readonly behaviour: Behaviour;
  /** The clock, in epoch milliseconds. */
  readonly now: () => number;
  /** The bytes of all layers; which repository holds which of them, the repositories know. */
  readonly store: BlobStore;
}

/** An image in a repository; an index is one too. */
export interface Image extends StoredManifest {
  readonly digest: Digest;
  /** Epoch milliseconds. */
  readonly pushedAt: number;
}

export interface Layer {
  readonly size: number;
  /** When it can be seen first, in epoch milliseconds. */
  readonly visibleAt: number;
}

/** One repository of one account in one region. */
export class Repository implements Place {
  readonly name: string;
  readonly account: string;
  readonly region: string;
  readonly createdAt: number;
  readonly world: World;
  readonly settings: RepositorySettings;
  readonly images = new Map<Digest, Image>();
  readonly tags = new Map<string, Digest>();
  readonly #writes = new Map<string, { readonly before: Digest | undefined; readonly at: number }>();
  readonly #layers = new Map<Digest, Layer>();
  readonly #uploads = new Map<string, LayerUpload>();

  constructor(place: Place & { region: string }, world: World, settings: Partial<RepositorySettings> = {}) {
    this.name = place.name;
    this.account = place.account;
    this.region = place.region;
    this.world = world;
    this.createdAt = world.now();
    this.settings = { ...ECR_SETTINGS, ...settings };
  }

  /** The layer's size in bytes as whoever asks is told it, or nothing when it is not there, or not yet. */
  layerSize(digest: Digest): number | undefined {
    return this.world.behaviour.raceShowsLayer ? this.#layers.get(digest)?.size : this.settledSize(digest);
  }

  /** The same as a manifest that is pushed finds it. */
  settledSize(digest: Digest): number | undefined {
    const layer = this.#layers.get(digest);
    return layer && layer.visibleAt <= this.world.now() ? layer.size : undefined;
  }

  /** The media type by which an image here refers to the layer, if one does. */
  layerType(digest: Digest): string | undefined {
    for (const { manifest } of this.images.values()) {
      const found = blobsOf(manifest).find((blob) => blob.digest === digest);
      if (found) return found.mediaType;
    }
    return undefined;
  }

  /** Takes a layer over that is in the store already. */
  addLayer(digest: Digest, size: number): void {
    if (this.#layers.has(digest)) return;
    const { layerDelay } = this.world.behaviour;
    // Without a delay it is seen whatever the clock says: that may be set back.
    this.#layers.set(digest, { size, visibleAt: layerDelay > 0 ? this.world.now() + layerDelay : 0 });
  }

  async beginUpload(): Promise<LayerUpload> {
    const writer = await this.world.store.begin();
    const upload = new LayerUpload(writer, this.world.behaviour, (digest) => {
      this.#uploads.delete(upload.id);
      if (digest) this.addLayer(digest, writer.received);
    });
    this.#uploads.set(upload.id, upload);
    return upload;
  }

  upload(id: string): LayerUpload | undefined {
    return this.#uploads.get(id);
  }

  /** The image under a tag or a digest. */
  find(reference: string): Image | undefined {
    const digest = isDigest(reference) ? reference : this.tags.get(reference);
    return digest && this.images.get(digest);
  }

  /** Writes a tag. */
  tag(tag: string, digest: Digest): void {
    const before = this.tags.get(tag);
    if (before !== digest) this.#writes.set(tag, { before, at: this.world.now() });
    this.tags.set(tag, digest);
  }

  /** What each tag shows as DescribeImages tells it, which may be late. */
  listedTags(): Map<string, Digest> {
    const { behaviour, now } = this.world;
    const listed = [...this.tags].flatMap(([tag, digest]): [string, Digest][] => {
      const write = this.#writes.get(tag);
      const isLate = write && write.at + behaviour.describeDelay > now();
      const shown = isLate ? write.before : digest;
      return shown ? [[tag, shown]] : [];
    });
    return new Map(listed);
  }

  /** The tags of an image, sorted. */
  tagsOf(digest: Digest): string[] {
    return [...this.tags].flatMap(([tag, target]) => (target === digest ? [tag] : [])).toSorted();
  }

  /** The size of an image's layers and config in bytes; of an index, that of its largest image. */
  sizeOf(manifest: Manifest): number {
    if (manifest.kind === 'image') return blobsOf(manifest).reduce((sum, { size }) => sum + size, 0);
    const sizes = manifest.manifests.map(({ digest }) => {
      const child = this.images.get(digest);
      return child ? this.sizeOf(child.manifest) : 0;
    });
    return Math.max(0, ...sizes);
  }

  /**
   * Removes a tag, and the image with it if that was its last one; or an image by its digest with all its tags.
   * @returns what is gone: one entry for each tag, or one without a tag
   * @throws EcrError when there is nothing, or an index still refers to the image
   */
  remove(reference: string): { digest: Digest; tag: string | undefined }[] {
    const image = this.find(reference);
    if (!image) throw new EcrError('ImageNotFoundException', 'Requested image not found');
    const { digest } = image;
    const all = this.tagsOf(digest);
    const going = reference === digest ? all : [reference];
    if (going.length === all.length) this.#removeImage(digest);
    for (const tag of going) this.tags.delete(tag);
    return going.length > 0 ? going.map((tag) => ({ digest, tag })) : [{ digest, tag: undefined }];
  }

  #removeImage(digest: Digest): void {
    const parents = [...this.images.values()].filter(
      ({ manifest }) =>
        manifest.kind === 'index' && manifest.manifests.some((child) => child.digest === digest),
    );
    if (parents.length > 0) {
      throw new EcrError(
        'ImageReferencedByManifestListException',
        `Requested image referenced by manifest list: [${parents.map((parent) => parent.digest).join(', ')}]`,
      );
    }
    this.images.delete(digest);
  }
}
