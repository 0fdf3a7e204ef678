import { describe, expect, test } from '@jest/globals';
import type { Manifest } from '../../src/image/manifest.ts';
import { VerificationError, verify } from '../../src/release/verify.ts';
import { attestationOf, imageOf, indexOf } from '../support/images.ts';
import { MemoryDestination } from '../support/memory.ts';

const amd64 = imageOf('linux/amd64');
const arm64 = imageOf('linux/arm64');
const graph = indexOf([amd64, arm64, attestationOf(amd64)]);
const platforms = ['linux/arm64', 'linux/amd64'];

/** Tags that all have to show the same. */
const expected = (tags: readonly string[], after: Manifest = graph.root) =>
  tags.map((tag) => ({ tag, after }));

function showing(tag: string, shown = graph): MemoryDestination {
  const destination = new MemoryDestination('region', graph);
  destination.hold(shown, tag);
  return destination;
}

describe('reading a release back', () => {
  test('is content with the same digest under every tag, and the same platforms in any order', async () => {
    const destination = showing('v1');
    destination.hold(graph, 'latest');
    await verify(graph.root, expected(['v1', 'latest']), platforms, destination);
    expect(destination.operations.toSorted()).toEqual(['tagged latest', 'tagged v1']);
  });

  test('reads by digest where there are no tags', async () => {
    await verify(graph.root, [], platforms, showing('v1'));
    await expect(verify(graph.root, [], platforms, new MemoryDestination('empty'))).rejects.toThrow(
      /empty does not have/,
    );
  });

  test('catches a tag that shows another digest', async () => {
    const destination = showing('v1', indexOf([amd64]));
    const failure = verify(graph.root, expected(['v1']), platforms, destination);
    await expect(failure).rejects.toThrow(VerificationError);
    await expect(failure).rejects.toThrow(`but ${graph.root.digest} was published`);
  });

  test('expects of each tag what was decided for it, whatever its platforms are', async () => {
    const destination = showing('v1');
    const kept = indexOf([amd64]);
    destination.hold(kept, 'latest');
    const tags = [...expected(['v1']), ...expected(['latest'], kept.root)];
    await expect(verify(graph.root, tags, platforms, destination)).resolves.toBeUndefined();
    destination.hold(graph, 'latest');
    await expect(verify(graph.root, tags, platforms, destination)).rejects.toThrow(
      `latest shows ${graph.root.digest}, but ${kept.root.digest} was published`,
    );
  });

  test('catches a tag that is not there', async () => {
    await expect(verify(graph.root, expected(['v2']), platforms, showing('v1'))).rejects.toThrow(
      /^v2 shows nothing/,
    );
  });

  test.each([
    ['missing', indexOf([amd64]), /has the platforms linux\/amd64, not linux\/amd64, linux\/arm64/],
    ['doubled', indexOf([amd64, amd64, arm64]), /has the platforms linux\/amd64, linux\/amd64, linux\/arm64/],
  ])('catches a platform that is %s', async (_, shown, words) => {
    await expect(
      verify(shown.root, expected(['v1'], shown.root), platforms, showing('v1', shown)),
    ).rejects.toThrow(words);
  });

  test('needs no platforms for a single image', async () => {
    const destination = new MemoryDestination('region');
    destination.hold(amd64, 'v1');
    await expect(verify(amd64.root, expected(['v1'], amd64.root), [], destination)).resolves.toBeUndefined();
  });
});
