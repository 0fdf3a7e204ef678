import { Transform } from 'node:stream';
import type { Descriptor } from '../image/descriptor.ts';
import { finishDigest, startDigest } from '../image/digest.ts';
import { ContentError } from './errors.ts';

/**
 * A stage that passes content on and fails at its end, or as soon as it grows too long, when the bytes are not what
 * the descriptor says. No second read: the hash is taken of what passes by.
 */
export function verifyContent(descriptor: Descriptor, where: string): Transform {
  const hash = startDigest();
  let length = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      length += chunk.length;
      hash.update(chunk);
      if (length > descriptor.size) done(wrongLength(descriptor, where, `more than ${descriptor.size}`));
      else done(null, chunk);
    },
    flush(done) {
      if (length !== descriptor.size) return done(wrongLength(descriptor, where, String(length)));
      const digest = finishDigest(hash);
      const right = digest === descriptor.digest;
      done(
        right ? null : new ContentError(`${where} gave content of digest ${digest} for ${descriptor.digest}`),
      );
    },
  });
}

function wrongLength({ digest, size }: Descriptor, where: string, found: string): ContentError {
  return new ContentError(`${where} gave ${found} bytes for ${digest}, which has ${size}`);
}
