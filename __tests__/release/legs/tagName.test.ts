import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { formatPlatform, parsePlatform } from '../../../src/image/platform.ts';
import { isTag } from '../../../src/image/reference.ts';
import {
  DEFAULT_TEMPLATE,
  dependsOnTag,
  namePlatformTags,
  templateProblem,
} from '../../../src/release/legs/tagName.ts';

const PLATFORMS = ['linux/amd64', 'linux/arm64/v8', 'linux/arm/v7', 'linux/arm/v6', 'linux/amd64/v3'];

function naming(template: string, tags: readonly string[], platforms: readonly string[]) {
  const { named, problems } = namePlatformTags(
    template,
    tags,
    platforms.map((text) => ({ platform: parsePlatform(text) })),
  );
  return { tags: named.map(({ tag }) => tag), problems };
}

describe('the tags of single platforms', () => {
  test.each([
    ['linux/amd64', 'prod-42-amd64'],
    ['linux/arm64', 'prod-42-arm64'],
    ['linux/arm64/v8', 'prod-42-arm64'],
    ['linux/arm/v7', 'prod-42-arm-v7'],
    ['linux/arm', 'prod-42-arm-v7'],
    ['linux/arm/v6', 'prod-42-arm-v6'],
    ['windows/amd64', 'prod-42-amd64'],
  ])('have the architecture and the variant of %s by default', (platform, tag) => {
    expect(naming(DEFAULT_TEMPLATE, ['prod-42'], [platform])).toEqual({ tags: [tag], problems: [] });
  });

  test.each([
    ['{os}-{arch}-{tag}', 'linux-arm-v1'],
    ['{tag}_{arch}{_variant}', 'v1_arm_v7'],
    ['{tag}{.os}.{arch}{variant}', 'v1.linux.armv7'],
  ])('are called by the template %s', (template, tag) => {
    expect(templateProblem(template)).toBeUndefined();
    expect(naming(template, ['v1'], ['linux/arm/v7']).tags).toEqual([tag]);
  });

  test('are one for each tag of the release, unless the template has no tag', () => {
    expect(naming('{tag}-{arch}', ['a', 'b'], ['linux/amd64', 'linux/arm64']).tags).toEqual([
      ...['a-amd64', 'a-arm64'],
      ...['b-amd64', 'b-arm64'],
    ]);
    expect(dependsOnTag('stage-{arch}')).toBe(false);
    expect(naming('stage-{arch}', ['a', 'b'], ['linux/amd64']).tags).toEqual(['stage-amd64']);
    expect(naming('stage-{arch}', [], ['linux/amd64']).tags).toEqual(['stage-amd64']);
  });

  test('are no two the same, for platforms that differ by architecture and variant', () => {
    const platforms = fc.uniqueArray(fc.constantFrom(...PLATFORMS), { minLength: 1 });
    fc.assert(
      fc.property(platforms, fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,40}$/), (some, release) => {
        const { tags, problems } = naming(DEFAULT_TEMPLATE, [release], some);
        expect(problems).toEqual([]);
        expect(new Set(tags).size).toBe(some.length);
        expect(tags.every(isTag)).toBe(true);
      }),
    );
  });

  test.each([
    [
      'two platforms would share',
      '{tag}-{arch}',
      ['v1'],
      ['linux/arm/v6', 'linux/arm/v7'],
      `input "platform-tags": "{tag}-{arch}": "v1-arm" would be the tag of linux/arm/v6 and linux/arm/v7: let the template have {os} and {variant}`,
    ],
    [
      'the whole image has',
      '{arch}',
      ['amd64'],
      ['linux/amd64'],
      'input "platform-tags": "{arch}": "amd64" is a tag of the whole image, too: write another template',
    ],
    [
      'is too long',
      '{tag}-{arch}',
      ['x'.repeat(128)],
      ['linux/amd64'],
      `input "platform-tags": "{tag}-{arch}": "${'x'.repeat(128)}-amd64" is no tag: letters, digits, "_", "." and "-", at most 128`,
    ],
    [
      'begins with a dash',
      '-{arch}',
      ['v1'],
      ['linux/amd64'],
      'input "platform-tags": "-{arch}": "-amd64" is no tag: letters, digits, "_", "." and "-", at most 128',
    ],
  ])('that %s are refused', (_, template, tags, platforms, problem) => {
    expect(naming(template, tags, platforms).problems).toEqual([problem]);
  });

  test('of two Windows versions are refused, with both', () => {
    const platforms = ['10.0.1', '10.0.2'].map((version) => ({
      platform: { ...parsePlatform('windows/amd64'), 'os.version': version },
    }));
    expect(namePlatformTags(DEFAULT_TEMPLATE, ['v1'], platforms).problems).toEqual([
      expect.stringContaining(platforms.map(({ platform }) => formatPlatform(platform)).join(' and ')),
    ]);
  });
});

describe('a template', () => {
  test.each([
    '{tag}-{Arch}',
    '{tag}-{arch}-{sha}',
    '{{ x }}{arch}',
    '{tag}/{arch}',
    '{arch',
    '{+variant}{arch}',
  ])('is refused when it is %s', (template) => {
    expect(templateProblem(template)).toMatch(/^write a tag with the placeholders/);
  });

  test.each(['{tag}', 'fixed', '{tag}-{os}{-variant}'])(
    'without the architecture is refused: %s',
    (template) => {
      expect(templateProblem(template)).toMatch(/let it have \{arch\}$/);
    },
  );
});
