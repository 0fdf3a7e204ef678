import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parsePlatform } from '../../src/image/platform.ts';
import { type PlanOptions, planJobs } from '../../src/modes/plan.ts';

function plan(platforms: readonly string[], more: Partial<PlanOptions> = {}) {
  return planJobs({
    platforms: platforms.map(parsePlatform),
    runners: new Map(),
    fallback: undefined,
    share: false,
    ...more,
  });
}

describe('a plan', () => {
  test("has GitHub's own runners build what they run themselves", () => {
    expect(plan(['linux/amd64', 'linux/arm64', 'linux/386'])).toEqual([
      { platform: 'linux/amd64', runner: 'ubuntu-24.04', qemu: '' },
      { platform: 'linux/arm64', runner: 'ubuntu-24.04-arm', qemu: '' },
      { platform: 'linux/386', runner: 'ubuntu-24.04', qemu: '' },
    ]);
  });

  test('has everything else emulated, and says what', () => {
    expect(plan(['linux/arm/v7', 'linux/s390x'])).toEqual([
      { platform: 'linux/arm/v7', runner: 'ubuntu-24.04', qemu: 'linux/arm/v7' },
      { platform: 'linux/s390x', runner: 'ubuntu-24.04', qemu: 'linux/s390x' },
    ]);
  });

  test('emulates neither what a variant of the runner is, nor what no emulator runs', () => {
    expect(plan(['linux/amd64/v2', 'linux/arm64/v9', 'windows/amd64'])).toEqual([
      { platform: 'linux/amd64/v2', runner: 'ubuntu-24.04', qemu: '' },
      { platform: 'linux/arm64/v9', runner: 'ubuntu-24.04-arm', qemu: '' },
      { platform: 'windows/amd64', runner: 'ubuntu-24.04', qemu: '' },
    ]);
  });

  test('takes the runners that are named, which emulate nothing', () => {
    const runners = new Map([['linux/arm/v7', ['self-hosted', 'armhf']]]);
    expect(plan(['linux/arm', 'linux/riscv64'], { runners, fallback: { group: 'large' } })).toEqual([
      { platform: 'linux/arm/v7', runner: ['self-hosted', 'armhf'], qemu: '' },
      { platform: 'linux/riscv64', runner: { group: 'large' }, qemu: 'linux/riscv64' },
    ]);
  });

  test('lets one job build all platforms of a runner when asked', () => {
    const platforms = ['linux/amd64', 'linux/arm64', 'linux/arm/v7', 'linux/arm/v6'];
    expect(plan(platforms, { share: true })).toEqual([
      {
        platform: 'linux/amd64,linux/arm/v7,linux/arm/v6',
        runner: 'ubuntu-24.04',
        qemu: 'linux/arm/v7,linux/arm/v6',
      },
      { platform: 'linux/arm64', runner: 'ubuntu-24.04-arm', qemu: '' },
    ]);
  });

  test('builds each platform exactly once, shared or not', () => {
    const names = ['linux/amd64', 'linux/arm64', 'linux/arm/v7', 'linux/ppc64le', 'linux/s390x', 'linux/386'];
    fc.assert(
      fc.property(fc.shuffledSubarray(names, { minLength: 1 }), fc.boolean(), (platforms, share) => {
        const built = plan(platforms, { share }).flatMap(({ platform }) => platform.split(','));
        expect(built.toSorted()).toEqual(platforms.toSorted());
      }),
    );
  });
});
