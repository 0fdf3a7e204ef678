import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  answersPlatform,
  formatPlatform,
  isUnknownPlatform,
  normalizePlatform,
  PlatformError,
  parsePlatform,
  samePlatform,
} from '../../src/image/platform.ts';

const words = fc.oneof(
  fc.constantFrom(
    'linux',
    'windows',
    'macos',
    'amd64',
    'arm64',
    'arm',
    'x86_64',
    'aarch64',
    'armhf',
    'armel',
  ),
  fc.constantFrom('v6', 'v7', 'v8', '8', 'constructor', '__proto__', 'toString', ''),
  fc.string(),
);

describe('a platform in normal form', () => {
  test.each([
    ['linux/amd64', 'linux/amd64'],
    ['linux/arm64/v8', 'linux/arm64'],
    ['linux/arm64/8', 'linux/arm64'],
    ['linux/arm', 'linux/arm/v7'],
    ['linux/arm/6', 'linux/arm/v6'],
    ['linux/armhf', 'linux/arm/v7'],
    ['linux/armel', 'linux/arm/v6'],
    ['linux/x86_64', 'linux/amd64'],
    ['linux/x86-64', 'linux/amd64'],
    ['linux/aarch64', 'linux/arm64'],
    ['linux/i386', 'linux/386'],
    ['linux/amd64/v1', 'linux/amd64'],
    ['linux/amd64/v3', 'linux/amd64/v3'],
    ['macos/arm64', 'darwin/arm64'],
    [' Linux/AMD64 ', 'linux/amd64'],
  ])('%s is %s', (written, normal) => {
    expect(formatPlatform(parsePlatform(written))).toBe(normal);
  });

  test('what a platform is written as reads back as the same platform', () => {
    const platforms = fc.record({
      os: fc.constantFrom('linux', 'windows', 'darwin', 'macos', 'freebsd'),
      architecture: fc.constantFrom('amd64', 'x86_64', 'arm64', 'aarch64', 'arm', 'armhf', '386', 's390x'),
      variant: fc.constantFrom('', 'v6', 'v7', 'v8', '7'),
    });
    fc.assert(
      fc.property(platforms, (platform) => {
        const text = formatPlatform(platform);
        expect(formatPlatform(parsePlatform(text))).toBe(text);
        expect(normalizePlatform(normalizePlatform(platform))).toEqual(normalizePlatform(platform));
        expect(samePlatform(parsePlatform(text), platform)).toBe(true);
      }),
    );
  });

  test('Windows images of two OS versions are two platforms', () => {
    const one = { os: 'windows', architecture: 'amd64', 'os.version': '10.0.20348.1970' };
    const other = { ...one, 'os.version': '10.0.17763.4010' };
    expect(formatPlatform(one)).toBe('windows(10.0.20348.1970)/amd64');
    expect(samePlatform(one, other)).toBe(false);
  });

  test('names that every object has are platforms that nobody knows, not aliases', () => {
    for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
      expect(formatPlatform({ os: name, architecture: name })).toBe(`${name}/${name}`);
    }
  });
});

describe('parsing a platform', () => {
  test.each([
    ['linux/amd46', /did you mean amd64\?/],
    ['linus/arm64', /did you mean linux\?/],
    ['linux/sparc64x9000', /known are amd64, arm64/],
    ['linux', /write os\/arch or os\/arch\/variant/],
    ['linux/', /write os\/arch/],
    ['linux/arm/v7/x', /write os\/arch/],
    ['linux/arm/', /write os\/arch/],
    ['linux/arm/seven', /"seven" is no variant; write v6, v7 or v8/],
    ['', /write os\/arch/],
  ])('"%s" is refused with what to write instead', (text, words) => {
    expect(() => parsePlatform(text)).toThrow(PlatformError);
    expect(() => parsePlatform(text)).toThrow(words);
  });

  test('any text is either a platform or refused as none', () => {
    fc.assert(
      fc.property(fc.array(words, { maxLength: 4 }), (parts) => {
        try {
          expect(formatPlatform(parsePlatform(parts.join('/')))).toMatch(/^[a-z]+\/[a-z0-9]+(\/v[\d.]+)?$/);
        } catch (error) {
          expect(error).toBeInstanceOf(PlatformError);
        }
      }),
    );
  });
});

describe('a wished platform', () => {
  const image = { os: 'windows', architecture: 'amd64', 'os.version': '10.0.20348.1970' };

  test('without an OS version is answered by any version', () => {
    expect(answersPlatform({ os: 'windows', architecture: 'amd64' }, image)).toBe(true);
  });

  test('with an OS version is answered by that version alone', () => {
    expect(answersPlatform(image, image)).toBe(true);
    expect(answersPlatform({ ...image, 'os.version': '10.0.17763.1' }, image)).toBe(false);
  });

  test('is not answered by another variant', () => {
    const v6 = parsePlatform('linux/arm/v6');
    expect(answersPlatform(parsePlatform('linux/arm'), v6)).toBe(false);
    expect(answersPlatform(parsePlatform('linux/arm/v6'), v6)).toBe(true);
  });
});

test('only unknown/unknown is the platform of attestations', () => {
  expect(isUnknownPlatform({ os: 'unknown', architecture: 'unknown' })).toBe(true);
  expect(isUnknownPlatform({ os: 'linux', architecture: 'unknown' })).toBe(false);
  expect(isUnknownPlatform(undefined)).toBe(false);
});
