import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Descriptor } from '../src/image/descriptor.ts';
import { digestOf, hexOf } from '../src/image/digest.ts';
import { OCI_MANIFEST } from '../src/image/mediaTypes.ts';
import type { Platform } from '../src/image/platform.ts';

/** A layer that only one architecture has, and one that all of them share, in bytes before compression. */
const OWN_BYTES = 3_000_000;
const SHARED_BYTES = 1_000_000;

/**
 * Writes an OCI layout with an image for one platform, as any build tool without Docker leaves it.
 * @param dir a folder to fill
 */
export async function writeLayout(dir: string, platform: Platform): Promise<void> {
  const blobs = join(dir, 'blobs', 'sha256');
  await mkdir(blobs, { recursive: true });
  const put = async (mediaType: string, bytes: Uint8Array): Promise<Descriptor> => {
    const digest = digestOf(bytes);
    await writeFile(join(blobs, hexOf(digest)), bytes);
    return { mediaType, digest, size: bytes.byteLength };
  };
  const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

  const files = [
    archive('shared', filler('shared', SHARED_BYTES)),
    archive('machine', filler(platform.architecture, OWN_BYTES)),
  ];
  const layers = await Promise.all(
    files.map((tar) => put('application/vnd.oci.image.layer.v1.tar+gzip', gzipSync(tar))),
  );
  const config = await put(
    'application/vnd.oci.image.config.v1+json',
    json({
      ...platform,
      config: { Cmd: ['/machine'] },
      rootfs: { type: 'layers', diff_ids: files.map(digestOf) },
    }),
  );
  const manifest = json({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers });
  const root = { ...(await put(OCI_MANIFEST, manifest)), platform };
  await writeFile(join(dir, 'index.json'), json({ schemaVersion: 2, manifests: [root] }));
  await writeFile(join(dir, 'oci-layout'), json({ imageLayoutVersion: '1.0.0' }));
}

/** Bytes that hardly compress and are the same on every machine. */
function filler(seed: string, length: number): Buffer {
  const block = (position: number) =>
    Buffer.from(digestOf(Buffer.from(`${seed} ${position}`)).slice(7), 'hex');
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, position) => block(position));
  return Buffer.concat(blocks).subarray(0, length);
}

/** A tar archive with one file in it (POSIX ustar). */
function archive(name: string, content: Buffer): Buffer {
  const header = Buffer.alloc(512);
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, '0');
  header.write(name, 0);
  header.write(`${octal(0o755, 7)}\0${octal(0, 7)}\0${octal(0, 7)}\0`, 100);
  header.write(`${octal(content.length, 11)}\0${octal(0, 11)}\0`, 124);
  header.write('        0', 148);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 6)}\0 `, 148);
  const padding = Buffer.alloc((512 - (content.length % 512)) % 512);
  return Buffer.concat([header, content, padding, Buffer.alloc(1024)]);
}
