import { describe, expect, test } from '@jest/globals';
import { ambiguitiesOf, choiceOf, type Listed } from '../../src/image/choice.ts';
import { imageOf } from '../support/images.ts';

const one = imageOf('linux/amd64', { layers: ['one'] }).listed;
const other = imageOf('linux/amd64', { layers: ['other'] }).listed;
const windows = { os: 'windows', architecture: 'amd64', 'os.version': '10.0.20348.1' };

function found(...listed: readonly Listed[]) {
  return ambiguitiesOf(listed.map((descriptor) => ({ descriptor })));
}

describe('images of one platform', () => {
  test('are ambiguous, in whatever spelling', () => {
    const spelled = { ...other, platform: { os: 'linux', architecture: 'x86_64' } };
    expect(found(one, spelled)).toMatchObject([{ name: 'linux/amd64', digests: [one.digest, other.digest] }]);
  });

  test('that are the same image are not', () => {
    expect(found(one, { ...one, annotations: { by: 'another tool' } })).toEqual([]);
  });

  test.each<[string, Partial<Listed>, Partial<Listed>]>([
    ['OS version', { platform: windows }, { platform: { ...windows, 'os.version': '10.0.26100.1' } }],
    ['OS features', { platform: windows }, { platform: { ...windows, 'os.features': ['win32k'] } }],
    [
      'variant',
      { platform: { os: 'linux', architecture: 'arm', variant: 'v6' } },
      { platform: { os: 'linux', architecture: 'arm', variant: 'v7' } },
    ],
    ['mark of zstd', {}, { annotations: { 'io.github.containers.compression.zstd': 'true' } }],
    ['type, as a SOCI index has one', {}, { artifactType: 'application/vnd.amazon.soci.index.v2+json' }],
  ])('are told apart by their %s', (_, first, second) => {
    expect(found({ ...one, ...first }, { ...other, ...second })).toEqual([]);
  });

  test('of the same OS version and features are ambiguous, in whatever order these are listed', () => {
    const platforms = [
      ['a', 'b'],
      ['b', 'a'],
    ].map((features) => ({ ...windows, 'os.features': features }));
    const [first, second] = platforms.map((platform, at) => ({ ...(at === 0 ? one : other), platform }));
    if (!first || !second) throw new Error('two images');
    expect(found(first, second)).toMatchObject([{ name: 'windows(10.0.20348.1)/amd64 with a, b' }]);
  });

  test('are put in an order in which the plain image comes first, which older runtimes take', () => {
    const zstd = { ...one, annotations: { 'io.github.containers.compression.zstd': 'true' } };
    expect([choiceOf(zstd), choiceOf(other)].toSorted()).toEqual(['linux/amd64', 'linux/amd64 in zstd']);
  });
});
