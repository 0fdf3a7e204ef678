import { type FileHandle, lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline, type Readable } from 'node:stream';
import * as z from 'zod/mini';
import { safeJson } from '../distribution/errors.ts';
import { verifyContent } from '../distribution/verified.ts';
import { openFile, readFileAtMost } from '../files.ts';
import { type Descriptor, partsSchema, uniqueByDigest } from '../image/descriptor.ts';
import { type Digest, hexOf } from '../image/digest.ts';
import { composeIndex } from '../image/index.ts';
import { MAX_MANIFEST_BYTES, type Manifest, parseManifest } from '../image/manifest.ts';
import type { Source } from '../release/content.ts';
import { toError } from '../release/errors.ts';
import { plain } from '../words.ts';

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
const indexSchema = z.looseObject({ manifests: partsSchema });

/**
 * Opens an OCI layout directory, as buildx, buildah, skopeo, ko, jib and Bazel write it. One entry in its index.json is
 * the root; several, one a platform, are composed into an index.
 * https://github.com/opencontainers/image-spec/blob/main/image-layout.md
 *
 * Links in it are not followed: a layout from elsewhere must not name files outside of it.
 * @throws LayoutError naming the folder and what is wrong with it
 */
export async function openLayout(dir: string): Promise<Layout> {
  await readJson(dir, 'oci-layout', layoutSchema);
  const { manifests } = await readJson(dir, 'index.json', indexSchema);
  const entries = uniqueByDigest(manifests);
  const [first] = entries;
  if (!first) throw new LayoutError(`${dir} is an OCI layout without an image: its index.json lists none`);
  for (const folder of ['blobs', join('blobs', 'sha256')]) await assertFolder(dir, folder);
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
  const refuse = (why: string) =>
    new LayoutError(`${dir} is not an OCI layout directory: ${name} cannot be read (${why})`);
  const bytes = await readFileAtMost(join(dir, name), MAX_MANIFEST_BYTES).catch((error: Error) => {
    throw refuse(error.message);
  });
  const json = safeJson(bytes.toString());
  // What it says instead is not repeated: it may be any file.
  if (json === undefined) throw refuse('it is no JSON');
  const parsed = z.safeParse(schema, json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw refuse(plain(`${issue?.path.join('.')}: ${issue?.message}`));
}

async function assertFolder(dir: string, name: string): Promise<void> {
  const found = await lstat(join(dir, name)).catch((error: Error) => {
    throw new LayoutError(`${dir} is not an OCI layout directory: ${error.message}`);
  });
  if (!found.isDirectory()) {
    throw new LayoutError(`${dir} is not an OCI layout directory: ${name} is a link, or no folder`);
  }
}

/** A layout of which a part is missing or damaged: reading it again would find the same. */
function damaged(why: string): LayoutError {
  return new LayoutError(`${why}: write the layout anew, whole`);
}

/** Opens the file of a blob, if that is as long as it is to be. */
async function openBlobFile(dir: string, { digest, size }: Descriptor): Promise<FileHandle> {
  const handle = await openFile(join(dir, 'blobs', 'sha256', hexOf(digest))).catch((error: Error) => {
    throw damaged(`${dir} lacks ${digest} (${error.message})`);
  });
  const found = (await handle.stat()).size;
  if (found === size) return handle;
  await handle.close();
  throw damaged(`${dir} has ${found} bytes for ${digest}, which is to have ${size}`);
}

function layoutFiles(dir: string): Source {
  const verified = new Set<Digest>();
  const openBlob = async (descriptor: Descriptor): Promise<Readable> => {
    const content = (await openBlobFile(dir, descriptor)).createReadStream();
    // Files do not change: the first reader checks the bytes for all the others, which every region's upload is one of.
    if (verified.has(descriptor.digest)) return content;
    verified.add(descriptor.digest);
    return pipeline(content, verifyContent(descriptor, dir, damaged), (error) => {
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
      try {
        return parseManifest(Buffer.concat(chunks), descriptor.mediaType);
      } catch (error) {
        throw new LayoutError(
          `${dir}: ${descriptor.digest}: ${toError(error).message}: write the layout anew, with an image or an index there`,
        );
      }
    },
  };
}
