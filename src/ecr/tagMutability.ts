import type { TagRule } from '../release/content.ts';

/**
 * Whether tags may be written again once they are taken.
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html
 * @param mutability as ECR names it; `unknown` follows from one that is new
 * @param filters of tags that the rule does not hold for; `*` stands for any text
 */
export function tagRuleOf(
  mutability: string | undefined,
  filters: readonly string[],
): (tag: string) => TagRule {
  const isExcluded = (tag: string) => filters.some((filter) => matches(filter, tag));
  switch (mutability) {
    case 'MUTABLE':
      return () => 'mutable';
    case 'IMMUTABLE':
      return () => 'immutable';
    case 'MUTABLE_WITH_EXCLUSION':
      return (tag) => (isExcluded(tag) ? 'immutable' : 'mutable');
    case 'IMMUTABLE_WITH_EXCLUSION':
      return (tag) => (isExcluded(tag) ? 'mutable' : 'immutable');
    default:
      return () => 'unknown';
  }
}

function matches(filter: string, tag: string): boolean {
  const [first = '', ...rest] = filter.split('*');
  const last = rest.pop();
  if (last === undefined) return tag === filter;
  if (!tag.startsWith(first) || !tag.endsWith(last) || tag.length < first.length + last.length) return false;
  let position = first.length;
  for (const part of rest) {
    const found = tag.indexOf(part, position);
    if (found < 0 || found + part.length > tag.length - last.length) return false;
    position = found + part.length;
  }
  return true;
}
