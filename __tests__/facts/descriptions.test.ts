import { expect } from '@jest/globals';
import { emulate } from '../support/emulated.ts';
import { imageOf, indexOf } from '../support/images.ts';
import { type Acted, bytesOf, everywhere, mirror, statusesOf } from './act.ts';
import { bothWays } from './fact.ts';

const large = imageOf('linux/arm64', { layers: ['a layer that is larger than the other one'] });
const index = indexOf([imageOf('linux/amd64', { layers: ['small'] }), large]);
const other = indexOf([large]);

const described = ({ outcome }: Acted) => outcome.results.map((result) => result.described);
const said = { digest: index.root.digest, mediaType: index.root.mediaType, size: bytesOf(large) };

bothWays('16b', 'describesSame', 'what ECR says of each tag is part of the results', async (_, behaviour) => {
  const emulator = await emulate({ behaviour });
  const acted = await mirror(index, { tags: 'v1,v2' });
  expect(acted.states).toEqual(everywhere('published'));
  expect(described(acted)).toEqual(everywhere({ v1: said, v2: said }));
  expect(statusesOf(emulator, 'DescribeImages')).toEqual(everywhere(200));
});

bothWays(
  '16c',
  'describeDelay',
  'ECR is asked again until it tells of the release',
  async (delay, behaviour) => {
    const emulator = await emulate({ behaviour: { ...behaviour, quotas: {} } });
    expect((await mirror(other, { tags: 'v1' })).states).toEqual(everywhere('published'));
    const before = statusesOf(emulator, 'DescribeImages').length;
    const acted = await mirror(index, { tags: 'v1' });
    expect(acted.errors).toEqual([]);
    expect(described(acted)).toEqual(everywhere({ v1: said }));
    expect(statusesOf(emulator, 'DescribeImages').length - before > acted.states.length).toBe(delay > 0);
  },
);
