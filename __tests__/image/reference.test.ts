import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  formatReference,
  ImageReferenceError,
  isRepositoryName,
  isTag,
  parseReference,
} from '../../src/image/reference.ts';

const DIGEST = `sha256:${'0a'.repeat(32)}`;
const word = fc.stringMatching(/^[a-z0-9]{1,8}$/);
const references = fc
  .record({
    registry: fc.constantFrom('public.ecr.aws', 'localhost', 'localhost:5000', '127.0.0.1:8', '[::1]:5000'),
    path: fc.array(word, { minLength: 1, maxLength: 4 }),
    joint: fc.constantFrom('/', '-', '.', '_', '__'),
    tag: fc.option(fc.stringMatching(/^[\w][\w.-]{0,127}$/), { nil: undefined }),
    digest: fc.boolean(),
  })
  .map(({ registry, path, joint, tag, digest }) => {
    const which = `${tag === undefined ? '' : `:${tag}`}${digest ? `@${DIGEST}` : ''}`;
    return `${registry}/${path.join(joint)}${which || ':latest'}`;
  });

describe('parsing a reference', () => {
  test.each([
    ['nginx', 'registry-1.docker.io', 'library/nginx', 'latest'],
    ['bitnami/nginx:1.29', 'registry-1.docker.io', 'bitnami/nginx', '1.29'],
    ['docker.io/nginx', 'registry-1.docker.io', 'library/nginx', 'latest'],
    ['index.docker.io/library/nginx:a', 'registry-1.docker.io', 'library/nginx', 'a'],
    ['public.ecr.aws/nginx/nginx:1', 'public.ecr.aws', 'nginx/nginx', '1'],
    ['localhost/app', 'localhost', 'app', 'latest'],
    ['127.0.0.1:5000/team/app:v1', '127.0.0.1:5000', 'team/app', 'v1'],
    [' ghcr.io/a/b:c ', 'ghcr.io', 'a/b', 'c'],
  ])('%s is at %s', (text, registry, repository, tag) => {
    expect(parseReference(text)).toEqual({ registry, repository, tag, digest: undefined });
  });

  test('a digest stands with or without a tag', () => {
    expect(parseReference(`ghcr.io/a/b@${DIGEST}`)).toMatchObject({ tag: undefined, digest: DIGEST });
    expect(parseReference(`ghcr.io/a/b:v1@${DIGEST}`)).toMatchObject({ tag: 'v1', digest: DIGEST });
  });

  test('a full reference reads back as it was written', () => {
    fc.assert(fc.property(references, (text) => expect(formatReference(parseReference(text))).toBe(text)));
  });

  test('any text is either a reference that reads back the same, or refused as none', () => {
    const texts = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc
        .array(fc.constantFrom('a', 'B', '/', ':', '@', '.', '-', '_', ' ', 'localhost', DIGEST))
        .map((all) => all.join('')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        try {
          const reference = parseReference(text);
          expect(parseReference(formatReference(reference))).toEqual(reference);
          expect(new URL(`https://${reference.registry}/`).pathname).toBe('/');
        } catch (error) {
          expect(error).toBeInstanceOf(ImageReferenceError);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test.each([
    ['a@b@c', /more than one @/],
    ['nginx@sha256:12', /after @ comes sha256: and 64 hex digits/],
    ['nginx:-v1', /"-v1" is not a tag/],
    [`nginx:${'a'.repeat(129)}`, /at most 128/],
    ['Team/App', /"Team\/App" is not a repository name/],
    ['a//b', /is not a repository name/],
    ['ghcr.io/', /is not a repository name/],
    ['exam ple.com/app', /"exam ple.com" is not a registry/],
    ['example.com:port/app', /"example.com:port" is not a registry/],
  ])('"%s" is refused with the part that is wrong', (text, words) => {
    expect(() => parseReference(text)).toThrow(ImageReferenceError);
    expect(() => parseReference(text)).toThrow(words);
  });
});

describe('names', () => {
  test.each(['latest', 'v1.2.3', '_x', 'A-b.c', 'a'.repeat(128)])('%s is a tag', (text) => {
    expect(isTag(text)).toBe(true);
  });

  test.each(['', '.x', '-x', 'a b', 'a/b', 'a:b', 'a'.repeat(129), 'a\n'])('"%s" is no tag', (text) => {
    expect(isTag(text)).toBe(false);
  });

  test.each(['app', 'team/app', 'a-b_c.d/e__f', 'ab'.repeat(128)])('%s is a repository', (text) => {
    expect(isRepositoryName(text)).toBe(true);
  });

  test.each(['', 'a', 'App', '/app', 'app/', 'a..b', 'a___b', '-a', 'ab'.repeat(129)])(
    '"%s" is no repository of ECR',
    (text) => {
      expect(isRepositoryName(text)).toBe(false);
    },
  );
});
