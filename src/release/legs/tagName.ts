import { formatPlatform, normalizePlatform, type Platform } from '../../image/platform.ts';
import { isTag } from '../../image/reference.ts';

/** How pipelines usually call the tag of one architecture: `v1-arm64`, `v1-arm-v7`. */
export const DEFAULT_TEMPLATE = '{tag}-{arch}{-variant}';

/** A placeholder, with what stands before its value where there is one: `{-variant}` is `-v7` or nothing. */
const PLACEHOLDER = /\{([-_.]?)(tag|os|arch|variant)\}/g;

/** What keeps a template from naming tags, or nothing; the text goes on from the template. */
export function templateProblem(template: string): string | undefined {
  const rest = template.replace(PLACEHOLDER, '');
  if (/[^A-Za-z0-9_.-]/.test(rest)) {
    return 'write a tag with the placeholders {tag}, {os}, {arch} and {variant}, such as "{tag}-{arch}{-variant}", where {-variant} is "-v7" or nothing';
  }
  const names = new Set([...template.matchAll(PLACEHOLDER)].map((match) => match[2]));
  if (!names.has('arch')) return 'every platform needs a tag of its own: let it have {arch}';
  return undefined;
}

/** Whether the names that a template gives depend on the tag that is released. */
export function dependsOnTag(template: string): boolean {
  return /\{[-_.]?tag\}/.test(template);
}

/** The tags beside a release, which are those of one platform each, and whatever else keeps them from being used. */
export interface PlatformTags<T> {
  readonly named: readonly { readonly tag: string; readonly of: T }[];
  readonly problems: readonly string[];
}

/**
 * Names the tags of each platform beside the tags of a release.
 * @param template without a {@link templateProblem}
 * @param tags of the release; a template without `{tag}` needs none
 */
export function namePlatformTags<T extends { readonly platform: Platform }>(
  template: string,
  tags: readonly string[],
  platforms: readonly T[],
): PlatformTags<T> {
  const releases = dependsOnTag(template) ? tags : [''];
  const named = releases.flatMap((release) =>
    platforms.map((of) => ({ tag: platformTag(template, release, of.platform), of })),
  );
  const refuse = (tag: string, why: string) => `input "platform-tags": "${template}": "${tag}" ${why}`;
  const problems = [...Map.groupBy(named, ({ tag }) => tag)].flatMap(([tag, same]) => {
    if (!isTag(tag)) return [refuse(tag, 'is no tag: letters, digits, "_", "." and "-", at most 128')];
    if (tags.includes(tag)) return [refuse(tag, 'is a tag of the whole image, too: write another template')];
    if (same.length === 1) return [];
    const platforms = same.map(({ of }) => formatPlatform(of.platform)).join(' and ');
    return [refuse(tag, `would be the tag of ${platforms}: let the template have {os} and {variant}`)];
  });
  return { named, problems };
}

function platformTag(template: string, tag: string, platform: Platform): string {
  const { os, architecture, variant = '' } = normalizePlatform(platform);
  const values: Readonly<Record<string, string>> = { tag, os, arch: architecture, variant };
  return template.replace(PLACEHOLDER, (_, before: string, name: string) => {
    const value = values[name] ?? '';
    return value && `${before}${value}`;
  });
}
