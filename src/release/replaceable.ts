import type { Destination } from './content.ts';

/**
 * Why tags that are meant to move (`if-tag-exists: replace`) could not, as far as can be told before anything is known of the
 * image: those that are immutable somewhere.
 * @returns one problem for each such tag, which names the destinations; none when all tags may move
 */
export function irreplaceableTags(
  destinations: readonly Pick<Destination, 'name' | 'tagRule'>[],
  tags: readonly string[],
): string[] {
  return tags.flatMap((tag) => {
    const names = destinations
      .filter((destination) => destination.tagRule(tag) === 'immutable')
      .map(({ name }) => name);
    if (names.length === 0) return [];
    return [
      `input "if-tag-exists": the tag "${tag}" is immutable in ${names.join(', ')} and cannot be replaced: make it mutable there, or write "fail", "same-images" or "keep"`,
    ];
  });
}
