import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import * as z from 'zod/mini';
import {
  digestOf,
  digestSchema,
  finishDigest,
  hexOf,
  isDigest,
  startDigest,
} from '../../src/image/digest.ts';

describe('digests', () => {
  test('the digest of no bytes is the well-known one', () => {
    expect(digestOf(new Uint8Array())).toBe(
      'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    );
  });

  test('whatever the bytes, the digest is well formed and its hex digits name a file', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const digest = digestOf(bytes);
        expect(isDigest(digest)).toBe(true);
        expect(hexOf(digest)).toMatch(/^[a-f0-9]{64}$/);
        expect(`sha256:${hexOf(digest)}`).toBe(digest);
      }),
    );
  });

  test('content that passes in pieces has the digest of the whole', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array()), (pieces) => {
        const hash = startDigest();
        for (const piece of pieces) hash.update(piece);
        expect(finishDigest(hash)).toBe(digestOf(Buffer.concat(pieces)));
      }),
    );
  });

  const hex = 'a'.repeat(64);
  test.each([
    ['nothing', ''],
    ['no algorithm', hex],
    ['upper case', `sha256:${'A'.repeat(64)}`],
    ['a digit too few', `sha256:${hex.slice(1)}`],
    ['a digit too many', `sha256:${hex}a`],
    ['another algorithm', `sha512:${hex}${hex}`],
    ['a path', `sha256:../../${'a'.repeat(58)}`],
    ['a line after it', `sha256:${hex}\n`],
  ])('%s is no digest', (_, text) => {
    expect(isDigest(text)).toBe(false);
    expect(z.safeParse(digestSchema, text).success).toBe(false);
  });

  test('data from outside that is no text is no digest', () => {
    for (const value of [undefined, null, 7, {}, [`sha256:${hex}`]]) {
      expect(z.safeParse(digestSchema, value).success).toBe(false);
    }
  });
});
