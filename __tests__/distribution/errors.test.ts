import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { RegistryError, redactUrl } from '../../src/distribution/errors.ts';

const url = new URL('https://user:pass@registry.example/v2/app/blobs/x?X-Amz-Signature=s3cr3t#part');

function errorOf(body: string, status = 400, retryAfter?: string): RegistryError {
  return new RegistryError({ method: 'PUT', url }, { status, body, ...(retryAfter && { retryAfter }) });
}

describe("a registry's refusal", () => {
  test('says method, address, status, code and words', () => {
    const body = JSON.stringify({ errors: [{ code: 'TAG_INVALID', message: 'taken' }, { code: 'DENIED' }] });
    const error = errorOf(body);
    expect(error.message).toBe(
      'PUT https://registry.example/v2/app/blobs/x?… answered 400: TAG_INVALID: taken; DENIED',
    );
    expect(error.codes).toEqual(['TAG_INVALID', 'DENIED']);
  });

  test('gives neither user nor query away', () => {
    expect(errorOf('x').message).not.toMatch(/user|pass|s3cr3t/);
    expect(redactUrl(new URL('https://a.b/c'))).toBe('https://a.b/c');
  });

  test('stays on one line and short, whatever the registry says', () => {
    const bodies = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 2000 }),
      fc.json(),
      fc
        .array(fc.record({ code: fc.string({ unit: 'binary' }), message: fc.string({ unit: 'binary' }) }))
        .map((errors) => JSON.stringify({ errors })),
    );
    fc.assert(
      fc.property(bodies, (body) => {
        const { message } = errorOf(body);
        expect(message).not.toMatch(/[\r\n]/);
        expect(message.length).toBeLessThan(600);
      }),
    );
  });

  test('cannot write a line into the log', () => {
    const body = JSON.stringify({ errors: [{ code: 'X', message: 'a\r\n::set-output name=a::b' }] });
    expect(errorOf(body).message).toMatch(/answered 400: X: a ::set-output name=a::b$/);
  });

  test('repeats a text that is not in the form of the API', () => {
    expect(errorOf('Not Authorized\n', 401)).toMatchObject({ codes: [], said: 'Not Authorized' });
    expect(errorOf('', 502).message).toMatch(/answered 502$/);
  });

  test.each([
    ['2', 2000],
    ['0', 0],
    ['-5', 0],
    ['soon', undefined],
    [undefined, undefined],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
  ])('understands Retry-After: %s', (header, expected) => {
    expect(errorOf('', 429, header).retryAfter).toBe(expected);
  });
});
