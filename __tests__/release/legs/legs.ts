import { LEG_SCHEMA, type Leg } from '../../../src/release/leg.ts';
import { attestationOf, imageOf } from '../../support/images.ts';

/** A leg for a platform, as a build leaves it; its content tells images of one platform apart. */
export function legOf(platform: string, more: Partial<Leg> & { content?: string } = {}): Leg {
  const { content = '', ...fields } = more;
  const image = imageOf(platform, { layers: [`${platform} ${content}`] });
  return {
    schema: LEG_SCHEMA,
    repository: 'team/app',
    runId: '7',
    runAttempt: 1,
    job: 'build',
    builder: 'default',
    root: image.root.digest,
    images: [{ descriptor: image.listed, bytes: 100 }],
    attestations: [attestationOf(image).listed],
    destinations: ['one.example/team/app'],
    ...fields,
  };
}
