import { Readable } from 'node:stream';
import type { Digest } from '../../src/image/digest.ts';
import type { Manifest } from '../../src/image/manifest.ts';
import { pushImage } from './push.ts';
import type { Repository } from './repository.ts';

/** What a repository holds. */
export interface Held {
  readonly tags: ReadonlyMap<string, Digest>;
  readonly manifests: ReadonlyMap<Digest, Manifest>;
  /** The bytes of a layer or a config, or nothing when the repository lacks it. */
  blob(digest: Digest): Promise<Buffer | undefined>;
}

/** What is put into a repository. */
export interface Stock {
  /** Each after those that it refers to; the last one gets the tag. */
  readonly manifests: readonly Manifest[];
  readonly blobs: ReadonlyMap<Digest, Uint8Array>;
}

/** Puts content into a repository as if it had been pushed there. */
export async function stock(
  repository: Repository,
  { manifests, blobs }: Stock,
  tag?: string,
): Promise<void> {
  for (const [digest, content] of blobs) {
    const upload = await repository.beginUpload();
    await upload.append(Readable.from([content], { objectMode: false }));
    await upload.commit(digest);
  }
  for (const { bytes, mediaType } of manifests) {
    const isLast = bytes === manifests.at(-1)?.bytes;
    pushImage(repository, { bytes, mediaType, tag: isLast ? tag : undefined, whenThere: 'accept' });
  }
}

/** What a repository holds now. */
export function contentsOf(repository: Repository): Held {
  const { tags, images, world } = repository;
  return {
    tags: new Map(tags),
    manifests: new Map([...images].map(([digest, { manifest }]) => [digest, manifest])),
    blob: async (digest) =>
      repository.layerSize(digest) === undefined
        ? undefined
        : Buffer.concat(await world.store.open(digest).toArray()),
  };
}
