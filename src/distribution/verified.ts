import { Transform } from 'node:stream';
import type { Descriptor } from '../image/descriptor.ts';
import { type Digest, digestOf, finishDigest, startDigest } from '../image/digest.ts';
import { type Manifest, ManifestError, parseManifest } from '../image/manifest.ts';
import { ContentError, safeJson } from './errors.ts';

/**
 * A stage that passes content on and fails at its end, or as soon as it grows too long, when the bytes are not what
 * the descriptor says. No second read: the hash is taken of what passes by.
 * @param refuse makes an error of what is wrong; by default one that another try may not meet
 */
export function verifyContent(
  descriptor: Descriptor,
  where: string,
  refuse = (why: string): Error => new ContentError(why),
): Transform {
  const wrongLength = (found: string) =>
    refuse(`${where} gave ${found} bytes for ${descriptor.digest}, which has ${descriptor.size}`);
  const hash = startDigest();
  let length = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      length += chunk.length;
      hash.update(chunk);
      if (length > descriptor.size) done(wrongLength(`more than ${descriptor.size}`));
      else done(null, chunk);
    },
    flush(done) {
      if (length !== descriptor.size) return done(wrongLength(String(length)));
      const digest = finishDigest(hash);
      const right = digest === descriptor.digest;
      done(right ? null : refuse(`${where} gave content of digest ${digest} for ${descriptor.digest}`));
    },
  });
}

/**
 * Reads a manifest out of the bytes of an answer.
 * @param expected the digest that was asked for, if one was
 * @param where the request that gave them
 * @throws ContentError when they were cut or damaged on their way: another try may give others; ManifestError when they are
 *   no manifest that can be copied
 */
export function verifyManifest(
  bytes: Uint8Array,
  mediaType: string | undefined,
  expected: Digest | undefined,
  where: string,
): Manifest {
  const digest = digestOf(bytes);
  if (expected && digest !== expected) throw new ContentError(`${where} gave a manifest of digest ${digest}`);
  if (!expected) assertJson(bytes, where);
  try {
    return parseManifest(bytes, mediaType);
  } catch (error) {
    throw error instanceof ManifestError ? new ManifestError(`${where}: ${error.message}`) : error;
  }
}

/**
 * Finds an answer that was cut or damaged on its way: it may be nonsense, but it is JSON if it came as it was sent.
 * @throws ContentError
 */
export function assertJson(bytes: Uint8Array, where: string): void {
  if (safeJson(new TextDecoder().decode(bytes)) === undefined)
    throw new ContentError(`${where} gave what is not JSON`);
}
