import { constants, createReadStream } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline, type Readable } from 'node:stream';
import * as z from 'zod/mini';
import { verifyContent } from '../distribution/verified.ts';
import { type Descriptor, descriptorSchema, uniqueByDigest } from '../image/descriptor.ts';
import { type Digest, hexOf } from '../image/digest.ts';
import { composeIndex } from '../image/index.ts';
import { MAX_MANIFEST_BYTES, type Manifest, parseManifest } from '../image/manifest.ts';
import type { Source } from '../release/content.ts';

/** A folder that is not an OCI layout which can be published; the message says why. */
export class LayoutError extends Error {
  override readonly name = 'LayoutError';
}

/** An OCI layout and what it holds at its top. */
export interface Layout {
  readonly source: Source;
  readonly root: Manifest;
}

const layoutSchema = z.looseObject({ imageLayoutVersion: z.string() });
const indexSchema = z.looseObject({ manifests: z.array(descriptorSchema) });

/**
 * Opens an OCI layout directory, as buildx, buildah, skopeo, ko, jib and Bazel write it. One entry in its index.json is
 * the root; several, one a platform, are composed into an index.
 * https://github.com/opencontainers/image-spec/blob/main/image-layout.md
 * @throws LayoutError naming the folder and what is wrong with it
 */
export async function openLayout(dir: string): Promise<Layout> {
  await readJson(dir, 'oci-layout', layoutSchema);
  const { manifests } = await readJson(dir, 'index.json', indexSchema);
  const entries = uniqueByDigest(manifests);
  const [first] = entries;
  if (!first) throw new LayoutError(`${dir} is an OCI layout without an image: its index.json lists none`);
  const files = layoutFiles(dir);
  if (entries.length === 1) return { source: files, root: await files.manifest(first) };
  if (entries.some(({ platform }) => !platform)) {
    throw new LayoutError(
      `${dir} holds ${entries.length} images, not all with a platform: publish a layout with one image or one index`,
    );
  }
  const root = composeIndex(entries);
  const manifest = async (wanted: Descriptor) =>
    wanted.digest === root.digest ? root : files.manifest(wanted);
  return { source: { ...files, manifest }, root };
}

async function readJson<T extends z.ZodMiniType>(dir: string, name: string, schema: T): Promise<z.infer<T>> {
  const path = join(dir, name);
  try {
    const found = await stat(path);
    if (found.size > MAX_MANIFEST_BYTES) throw new Error(`it has ${found.size} bytes`);
    return z.parse(schema, JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new LayoutError(`${dir} is not an OCI layout directory: ${name} cannot be read (${why})`);
  }
}

/** The blobs of a layout. Links are not followed: a layout from elsewhere must not name files outside of it. */
function layoutFiles(dir: string): Source {
  const verified = new Set<Digest>();
  const openBlob = async (descriptor: Descriptor): Promise<Readable> => {
    const path = join(dir, 'blobs', 'sha256', hexOf(descriptor.digest));
    const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch((error: Error) => {
      throw new LayoutError(`${dir} lacks ${descriptor.digest} (${error.message})`);
    });
    const content = createReadStream(path, { fd: handle });
    // Files do not change: the first reader checks a blob for all the others, which every region's upload is one of.
    if (verified.has(descriptor.digest)) return content;
    verified.add(descriptor.digest);
    return pipeline(content, verifyContent(descriptor, dir), (error) => {
      if (error) verified.delete(descriptor.digest);
    });
  };
  return {
    name: dir,
    blob: openBlob,
    async manifest(descriptor) {
      if (descriptor.size > MAX_MANIFEST_BYTES) {
        throw new LayoutError(`${descriptor.digest} in ${dir} is larger than a manifest may be`);
      }
      const chunks = await (await openBlob(descriptor)).toArray();
      return parseManifest(Buffer.concat(chunks), descriptor.mediaType);
    },
  };
}
