import { digestOf } from '../../src/image/digest.ts';
import { parsePlatform } from '../../src/image/platform.ts';
import type { Leg } from '../../src/release/leg.ts';
import { imageOf } from '../support/images.ts';

/** A leg with one image a platform. */
export function legOf(platforms: readonly string[], fields: Partial<Leg> = {}): Leg {
  return {
    schema: 'ecr-multiarch/leg/v1',
    repository: 'team/app',
    runId: '4711',
    runAttempt: 1,
    job: 'build',
    builder: 'default',
    root: digestOf(Buffer.from(platforms.join())),
    images: platforms.map((platform) => {
      const { listed } = imageOf(platform);
      return { descriptor: { ...listed, platform: parsePlatform(platform) }, bytes: 12 };
    }),
    attestations: [],
    destinations: ['123456789012.dkr.ecr.us-east-1.amazonaws.com/team/app'],
    ...fields,
  };
}
