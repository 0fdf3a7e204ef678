import { describe, expect, test } from '@jest/globals';
import {
  MAX_MANIFEST_BYTES,
  ManifestError,
  parseManifest,
  platformFromConfig,
} from '../../src/image/manifest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../../src/image/mediaTypes.ts';
import { blobOf, OCI_CONFIG, OCI_LAYER, utf8 } from '../support/images.ts';
import { thrownBy } from './support.ts';

const HEX = 'a'.repeat(64);
const CHILD = { mediaType: OCI_MANIFEST, digest: `sha256:${HEX}`, size: 1 };
const config = blobOf(utf8('{}'), OCI_CONFIG);

function digestNumber(number: number): string {
  return `sha256:${number.toString(16).padStart(64, '0')}`;
}

/** What comes of reading an index with one child that has these fields instead of good ones. */
function readChild(fields: Readonly<Record<string, unknown>>) {
  return parseManifest(utf8(JSON.stringify({ mediaType: OCI_INDEX, manifests: [{ ...CHILD, ...fields }] })));
}

/** What a refusal says; it has to be one that the parser words itself, short and on one line. */
function refusalOf(read: () => unknown): string {
  const error = thrownBy(read);
  expect(error).toBeInstanceOf(ManifestError);
  const { message } = error instanceof Error ? error : new Error();
  expect(message.length).toBeLessThan(600);
  expect(message).not.toMatch(/\p{Cc}/u);
  return message;
}

describe('a descriptor', () => {
  test.each([-1, 1.5, 2 ** 53, 1e300, '7', null, true, [], {}])('of the size %j is refused', (size) => {
    expect(refusalOf(() => readChild({ size }))).toContain('manifests.0.size');
  });

  test('of a size that JSON has and numbers have not is refused', () => {
    const text = JSON.stringify({ mediaType: OCI_INDEX, manifests: [CHILD] }).replace(
      '"size":1',
      '"size":1e999',
    );
    expect(refusalOf(() => parseManifest(utf8(text)))).toContain('manifests.0.size');
  });

  test.each([
    'sha256:../../etc/passwd',
    '../x',
    `sha256:${HEX.slice(1)}/`,
    `sha256:${HEX}\n`,
    `SHA256:${HEX}`,
    `sha256:${HEX.toUpperCase()}`,
    `sha512:${HEX}${HEX}`,
    `md5:${HEX.slice(32)}`,
    `sha256:${HEX}a`,
    '',
    7,
    null,
  ])('of the digest %j is refused', (digest) => {
    expect(refusalOf(() => readChild({ digest }))).toContain('manifests.0.digest');
  });

  test.each(['', 'a/b\r\nX-Header: 1', 'a/b\n::error::x', 'a/\u0000b', `a/${'b'.repeat(300)}`, 'a/ü', 7])(
    'of the media type %j is refused',
    (mediaType) => {
      expect(refusalOf(() => readChild({ mediaType }))).toContain('manifests.0.mediaType');
    },
  );

  test.each([
    ['os', 'linux\n::stop-commands::x'],
    ['os', 'linux/amd64'],
    ['os', 'linux(10.0)'],
    ['architecture', 'amd64 | <img src=x>'],
    ['architecture', '\u001b[2K'],
    ['variant', 'v7/../v8'],
    ['os.version', '10.0)/amd64'],
    ['os.version', 'x'.repeat(300)],
  ])('of a platform whose %s is %j is refused', (key, value) => {
    const platform = { os: 'linux', architecture: 'amd64', [key]: value };
    expect(refusalOf(() => readChild({ platform }))).toContain(`manifests.0.platform.${key}`);
  });

  test.each([
    { os: 'windows', architecture: 'amd64', 'os.version': '10.0.20348.2966' },
    { os: 'unknown', architecture: 'unknown' },
    { os: '', architecture: '' },
    { os: 'linux', architecture: 'arm', variant: 'v7', 'os.features': ['sse4'], features: ['x'] },
  ])('of the platform %j is taken', (platform) => {
    expect(readChild({ platform })).toMatchObject({ manifests: [{ platform }] });
  });
});

describe('a manifest', () => {
  test('of more than a thousand parts is refused without a look at them', () => {
    const children = Array.from({ length: 30_000 }, (_, position) => ({
      mediaType: 'a/b',
      digest: digestNumber(position),
      size: 1,
    }));
    const bytes = utf8(JSON.stringify({ mediaType: OCI_INDEX, manifests: children }));
    expect(bytes.byteLength).toBeLessThan(MAX_MANIFEST_BYTES);
    expect(refusalOf(() => parseManifest(bytes))).toMatch(/manifests: .*at most 1000/);
    const layers = JSON.stringify({ mediaType: OCI_MANIFEST, config, layers: children });
    expect(refusalOf(() => parseManifest(utf8(layers)))).toMatch(/layers: .*at most 1000/);
  });

  test('of a thousand parts is read', () => {
    const manifests = Array.from({ length: 1000 }, (_, position) => ({
      ...CHILD,
      digest: digestNumber(position),
    }));
    expect(parseManifest(utf8(JSON.stringify({ mediaType: OCI_INDEX, manifests })))).toMatchObject({
      kind: 'index',
    });
  });

  // https://github.com/opencontainers/image-spec/security/advisories/GHSA-77vh-xpmg-72qh
  test.each([
    ['an image that lists manifests', { mediaType: OCI_MANIFEST, config, layers: [], manifests: [CHILD] }],
    ['an index that has layers', { mediaType: OCI_INDEX, manifests: [CHILD], layers: [] }],
    ['an index that has a config', { mediaType: OCI_INDEX, manifests: [CHILD], config }],
    ['both, and says neither', { manifests: [CHILD], config, layers: [] }],
  ])('that is %s is refused: others may read it as the other', (_, fields) => {
    expect(refusalOf(() => parseManifest(utf8(JSON.stringify(fields))))).toMatch(/both/);
    expect(refusalOf(() => parseManifest(utf8(JSON.stringify(fields)), OCI_MANIFEST))).toMatch(
      /both|given as/,
    );
  });

  test('with a byte order mark is refused, as every other reader does', () => {
    const marked = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), utf8('{"manifests":[]}')]);
    expect(refusalOf(() => parseManifest(marked))).toMatch(/not JSON in UTF-8/);
  });

  test('that names a key twice has the last one, as every other reader has it', () => {
    const text = `{"mediaType":"${OCI_INDEX}","manifests":[${JSON.stringify(CHILD)}],"manifests":[]}`;
    expect(parseManifest(utf8(text))).toMatchObject({ manifests: [] });
  });

  test.each([
    `{"mediaType":"${OCI_INDEX}","manifests":[],"__proto__":{"subject":7,"x":1}}`,
    `{"__proto__":{"mediaType":"${OCI_INDEX}","manifests":[]},"mediaType":"${OCI_INDEX}","manifests":[]}`,
    `{"mediaType":"${OCI_INDEX}","manifests":[{"__proto__":{"platform":7},"mediaType":"a/b","digest":"sha256:${HEX}","size":1}]}`,
    `{"mediaType":"${OCI_INDEX}","manifests":[{"annotations":{"__proto__":"x","constructor":"y"},"mediaType":"a/b","digest":"sha256:${HEX}","size":1}]}`,
  ])('cannot slip anything in by way of a prototype: %s', (text) => {
    const read = parseManifest(utf8(text));
    const parts = [read, ...(read.kind === 'index' ? read.manifests : [])];
    for (const part of parts) expect(Object.getPrototypeOf(part)).toBe(Object.prototype);
    expect(read.subject).toBeUndefined();
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect('x' in {}).toBe(false);
  });

  test('that lies in a prototype alone is none', () => {
    const text = `{"__proto__":{"mediaType":"${OCI_INDEX}","manifests":[]}}`;
    expect(refusalOf(() => parseManifest(utf8(text)))).toMatch(/unknown cannot be copied/);
  });

  test.each(['x', 'manifests', 'annotations'])('whose %s is nested as deep as 4 MiB go is refused', (key) => {
    const deep = `${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`;
    const text = `{"mediaType":"${OCI_INDEX}","manifests":[],"${key}":${deep}}`;
    expect(refusalOf(() => parseManifest(utf8(text)))).toMatch(/nested more than 100 deep/);
  });

  test('with brackets in its texts is not nested by them', () => {
    const annotations = { note: `\\"${'[{'.repeat(500)}\\\\`, 'other "[': '\\"[' };
    const bytes = utf8(JSON.stringify({ mediaType: OCI_INDEX, manifests: [], annotations }));
    expect(parseManifest(bytes).kind).toBe('index');
  });

  test('is nested a hundred deep at the most', () => {
    const nested = (depth: number) =>
      utf8(
        `{"mediaType":"${OCI_INDEX}","manifests":[],"x":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`,
      );
    expect(parseManifest(nested(100)).kind).toBe('index');
    expect(refusalOf(() => parseManifest(nested(101)))).toMatch(/nested/);
  });

  test.each([
    ['a media type', { mediaType: `x\r\n::stop-commands::${'y'.repeat(1_000_000)}`, layers: [] }],
    [
      'the name of an annotation',
      { mediaType: OCI_INDEX, manifests: [{ ...CHILD, annotations: { [`\n::x::${'y'.repeat(1e6)}`]: 7 } }] },
    ],
  ])('is refused in few words, however many %s has', (_, fields) => {
    refusalOf(() => parseManifest(utf8(JSON.stringify(fields))));
  });

  test('given as something else is refused in few words', () => {
    refusalOf(() => parseManifest(utf8('{}'), `application/\u0085${'x'.repeat(10_000)}`));
  });
});

describe("an image's config", () => {
  test.each([
    { os: 'linux\n::error::x', architecture: 'amd64' },
    { os: 'linux', architecture: 'amd64/v1' },
    { os: 'linux', architecture: 'amd64', 'os.version': '</td>' },
    { os: ['linux'], architecture: 'amd64' },
  ])('that says %j is refused', (platform) => {
    refusalOf(() => platformFromConfig(utf8(JSON.stringify(platform))));
  });

  test('takes no platform from a prototype', () => {
    const text = '{"__proto__":{"os":"linux","architecture":"amd64"}}';
    expect(refusalOf(() => platformFromConfig(utf8(text)))).toMatch(/names no os and architecture/);
  });

  test('with layers of any media type is an image that can be read', () => {
    const layers = [{ ...CHILD, mediaType: `${OCI_LAYER}; charset=utf-8` }];
    expect(parseManifest(utf8(JSON.stringify({ mediaType: OCI_MANIFEST, config, layers })))).toMatchObject({
      layers,
    });
  });
});
