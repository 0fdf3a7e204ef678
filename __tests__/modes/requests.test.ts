import { describe, expect, test } from '@jest/globals';
import type { Emulator } from '../../emulator/emulator.ts';
import { runBuild } from '../../src/modes/build.ts';
import { runStitch } from '../../src/modes/stitch.ts';
import { countOf, emulate, REGIONS } from '../support/emulated.ts';
import { attestationOf, imageOf, indexOf } from '../support/images.ts';
import { Rounds } from '../support/rounds.ts';
import { openTransport } from '../support/server.ts';
import { buildInputs, EVERYWHERE, servicesWith, statesOf } from '../support/services.ts';
import { buildxOf } from './buildx.ts';

/** As many connections to a registry as the action has. */
const CONNECTIONS = 16;

/** What a builder makes of a platform: an image with so many layers, and what attests it. */
function builtFor(platform: string, layers = 2) {
  const image = imageOf(platform, {
    layers: Array.from({ length: layers }, (_, position) => `${platform} ${position}`),
  });
  return indexOf([image, attestationOf(image)]);
}

/** The requests that each region had since there were so many, but for those of the token. */
function perRegion({ requests }: Emulator, since: number): number[] {
  const later = requests.slice(since).filter(({ operation }) => operation !== 'GetAuthorizationToken');
  return REGIONS.map((region) => later.filter((each) => each.region === region).length);
}

describe('a leg with nothing new', () => {
  test.each([2, 40])('asks a region no more than four things of an image with %p layers', async (layers) => {
    const emulator = await emulate();
    const { docker } = buildxOf(builtFor('linux/arm64', layers));
    await runBuild(buildInputs('linux/arm64'), await servicesWith({ docker }));
    const before = emulator.requests.length;
    const outcome = await runBuild(buildInputs('linux/arm64'), await servicesWith({ docker }));
    expect(statesOf(outcome)).toEqual(['unchanged', 'unchanged', 'unchanged']);
    expect(Math.max(...perRegion(emulator, before))).toBeLessThanOrEqual(4);
    expect(countOf(emulator.requests.slice(before), 'BatchCheckLayerAvailability')).toBe(0);
    expect(countOf(emulator.requests.slice(before), 'GetAuthorizationToken')).toBe(REGIONS.length);
  });

  test('takes no more than five round trips one after the other', async () => {
    const rounds = new Rounds();
    await emulate({ fault: rounds.fault });
    const { docker } = buildxOf(builtFor('linux/arm64', 40));
    await runBuild(buildInputs('linux/arm64'), await servicesWith({ docker }));
    rounds.start();
    await runBuild(buildInputs('linux/arm64'), await servicesWith({ docker }));
    expect(rounds.count).toBeLessThanOrEqual(5);
  });
});

describe('a stitch of two legs', () => {
  const inputs = {
    mode: 'stitch',
    target: EVERYWHERE,
    platforms: [],
    tags: ['v1', 'latest'],
    legs: { by: 'artifact' },
    platformTags: undefined,
    annotations: {},
  } as const;

  /** Lands two legs in every region, and gives what has the stitch find them. */
  async function landLegs() {
    const services = { ...(await servicesWith()), transport: openTransport(CONNECTIONS) };
    for (const platform of ['linux/amd64', 'linux/arm64']) {
      const { docker } = buildxOf(builtFor(platform));
      await runBuild(buildInputs(platform), { ...services, docker });
    }
    return services;
  }

  test('takes no more than five round trips one after the other', async () => {
    const rounds = new Rounds();
    await emulate({ fault: rounds.fault });
    const services = await landLegs();
    rounds.start();
    const outcome = await runStitch(inputs, services);
    expect(statesOf(outcome)).toEqual(['published', 'published', 'published']);
    expect(rounds.count).toBeLessThanOrEqual(5);
  });

  test('takes no more than four when its tags show it already, and says all the same what ECR says of them', async () => {
    const rounds = new Rounds();
    const emulator = await emulate({ fault: rounds.fault });
    const services = await landLegs();
    await runStitch(inputs, services);
    const before = emulator.requests.length;
    rounds.start();
    const outcome = await runStitch(inputs, services);
    expect(statesOf(outcome)).toEqual(['unchanged', 'unchanged', 'unchanged']);
    expect(rounds.count).toBeLessThanOrEqual(4);
    for (const { described } of outcome.results) expect(Object.keys(described ?? {})).toEqual(inputs.tags);
    expect(countOf(emulator.requests.slice(before), 'DescribeImages')).toBe(REGIONS.length);
  });

  test('asks each region once for each manifest, writes the index once, and each tag once', async () => {
    const emulator = await emulate();
    const services = await landLegs();
    const before = emulator.requests.length;
    await runStitch(inputs, services);
    const requests = emulator.requests.slice(before);
    for (const region of REGIONS) {
      const count = (what: string) => countOf(requests, what, region);
      // Two images, what attests them, and the index; which is written, and then under two tags.
      expect([count('HEAD manifests'), count('PUT manifests'), count('GET manifests')]).toEqual([5, 3, 4]);
      expect(count('DescribeImages')).toBe(1);
    }
    expect(perRegion(emulator, before)).toEqual(REGIONS.map(() => 1 + 5 + 3 + 4 + 1));
  });
});
