import { expect } from '@jest/globals';
import { ECR_BEHAVIOUR } from '../../emulator/behaviour.ts';
import type { Emulator } from '../../emulator/emulator.ts';
import { QUOTAS } from '../../src/ecr/operations.ts';
import { emulate } from '../support/emulated.ts';
import { imageOf, indexOf } from '../support/images.ts';
import { bytesOf, everywhere, land, mirror, publish, statusesOf, stitch } from './act.ts';
import { bothWays, fact } from './fact.ts';
import { indexWith } from './images.ts';

const REGION = 'us-east-1';
const ONE = { regions: REGION };

/** How many requests were too many. */
function throttled({ requests }: Emulator): number {
  return requests.filter(({ status }) => status === 429 || status === 400).length;
}

/** An image with so many layers, of a few bytes each. */
function layered(count: number, platform = 'linux/amd64') {
  return imageOf(platform, {
    layers: Array.from({ length: count }, (_, position) => `${platform} ${position}`),
  });
}

const TWENTY = [
  ...['us-east-1', 'us-east-2', 'us-west-1', 'us-west-2', 'ca-central-1', 'sa-east-1', 'eu-west-1'],
  ...['eu-west-2', 'eu-west-3', 'eu-central-1', 'eu-north-1', 'eu-south-1', 'af-south-1', 'me-south-1'],
  ...['ap-south-1', 'ap-northeast-1', 'ap-northeast-2', 'ap-southeast-1', 'ap-southeast-2', 'ap-east-1'],
];

bothWays(
  'q-shared',
  'quotaWindow',
  'a leg of 60 layers in 20 regions has nothing refused',
  async (_, behaviour) => {
    const emulator = await emulate({ regions: TWENTY, behaviour });
    const image = layered(60);
    const { states, sent } = await publish(image, { regions: TWENTY.join(), tags: '' });
    expect(states).toEqual(everywhere('landed', TWENTY));
    expect(sent).toEqual(everywhere(bytesOf(image), TWENTY));
    expect(throttled(emulator)).toBe(0);
  },
);

bothWays(
  'q-PutImage',
  'quotaWindow',
  'more images than a second has are written without a refusal',
  async (_, behaviour) => {
    const emulator = await emulate({ regions: [REGION], behaviour });
    const { states } = await mirror(indexWith(18), { ...ONE, tags: 'v1,v2,v3' });
    expect(states).toEqual(['published']);
    expect([QUOTAS.PutImage, ECR_BEHAVIOUR.quotas.PutImage]).toEqual([10, 10]);
    expect(statusesOf(emulator, 'PUT manifests')).toEqual(Array(22).fill(201));
  },
);

/** A quota that a small release uses up: there is no time to use up a real one. */
const SMALL = 4;

const PLATFORMS = ['linux/amd64', 'linux/arm64', 'linux/386', 'linux/arm/v7', 'linux/riscv64', 'linux/s390x'];

/** An emulator of which an operation has so small a quota, though its seconds pass quickly. */
function withLittle(operation: string, regions: readonly string[]): Promise<Emulator> {
  const start = Date.now();
  const now = () => start + 5 * (Date.now() - start);
  return emulate({ regions, now, behaviour: { quotas: { [operation]: SMALL } } });
}

for (const [operation, most, kinds] of [
  ['InitiateLayerUpload', 100, ['POST uploads']],
  ['UploadLayerPart', 500, ['PUT uploads']],
  ['CompleteLayerUpload', 100, ['PUT uploads']],
  ['BatchGetImage', 2_000, ['HEAD manifests', 'GET manifests']],
] as const) {
  fact(`q-${operation}`, `${most} are known, and what is used up otherwise is waited for`, async () => {
    expect([QUOTAS[operation], ECR_BEHAVIOUR.quotas[operation]]).toEqual([most, most]);
    const emulator = await withLittle(operation, [REGION]);
    const { states, errors } = await mirror(indexOf(PLATFORMS.map((platform) => layered(2, platform))), ONE);
    expect([states, errors]).toEqual([['published'], []]);
    const statuses = kinds.flatMap((kind) => statusesOf(emulator, kind));
    expect(statuses).toContain(429);
  });
}

fact('q-GetDownloadUrlForLayer', '3,000 are known, and what is used up otherwise is waited for', async () => {
  expect([QUOTAS.GetDownloadUrlForLayer, ECR_BEHAVIOUR.quotas.GetDownloadUrlForLayer]).toEqual([
    3_000, 3_000,
  ]);
  const [here, there] = ['us-east-1', 'eu-west-1'];
  const emulator = await withLittle('GetDownloadUrlForLayer', [here, there]);
  const image = layered(12);
  await land([image], { regions: there });
  const { states } = await stitch([image], { regions: `${here},${there}` });
  expect(states).toEqual(['published', 'published']);
  expect(statusesOf(emulator, 'GET blobs')).toContain(429);
});

for (const [name, most] of [
  ['GetAuthorizationToken', 500],
  ['BatchCheckLayerAvailability', 1_000],
] as const) {
  fact(
    `q-${name}`,
    `${most} are known, and a call that is refused because others ask is made again`,
    async () => {
      expect([QUOTAS[name], ECR_BEHAVIOUR.quotas[name]]).toEqual([most, most]);
      let asked = 0;
      const emulator = await emulate({
        fault: ({ operation }) => {
          if (operation !== name) return undefined;
          asked += 1;
          return asked <= 3
            ? { status: 400, code: 'ThrottlingException', message: 'Rate exceeded' }
            : undefined;
        },
      });
      expect((await mirror(indexWith(2))).states).toEqual(everywhere('published'));
      expect(throttled(emulator)).toBe(3);
      expect(statusesOf(emulator, 'HEAD blobs')).toEqual([]);
    },
  );
}

fact(
  'q-GetAuthorizationToken',
  'one token a region is asked for, which 20 a second, as once, are enough for',
  async () => {
    const emulator = await emulate({ behaviour: { quotas: { GetAuthorizationToken: 1 } } });
    expect((await mirror(indexWith(2))).states).toEqual(everywhere('published'));
    expect(throttled(emulator)).toBe(0);
  },
);
