import { createHash, type Hash } from 'node:crypto';
import * as z from 'zod/mini';

/**
 * A content digest in its only form that ECR stores: `sha256:` and 64 lower-case hex digits.
 * https://github.com/opencontainers/image-spec/blob/main/descriptor.md#digests
 */
export type Digest = `sha256:${string}`;

const DIGEST = /^sha256:[a-f0-9]{64}$/;

/** Tells whether a text is a well-formed SHA-256 digest. */
export function isDigest(text: string): text is Digest {
  return DIGEST.test(text);
}

/** Parses digests in data from outside. */
export const digestSchema = z.custom<Digest>(
  (value) => typeof value === 'string' && isDigest(value),
  'must be a digest: "sha256:" and 64 hex digits',
);

/** The digest of these bytes. */
export function digestOf(bytes: Uint8Array): Digest {
  return finishDigest(startDigest().update(bytes));
}

/** A running hash, for content that passes by in pieces; end it with {@link finishDigest}. */
export function startDigest(): Hash {
  return createHash('sha256');
}

/** Ends a running hash and gives the digest of all that was put into it. */
export function finishDigest(hash: Hash): Digest {
  return `sha256:${hash.digest('hex')}`;
}

/** The 64 hex digits of a digest, as OCI layouts name their blob files. */
export function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length);
}
