import { describe, expect, test } from '@jest/globals';
import type { ImageBuild } from '../../src/inputs/inputs.ts';
import { runBuild } from '../../src/modes/build.ts';
import type { Services } from '../../src/modes/services.ts';
import { Problems } from '../../src/problems.ts';
import { countOf, emulate, REGIONS } from '../support/emulated.ts';
import { imageOf } from '../support/images.ts';
import { buildInputs, EVERYWHERE, servicesWith, statesOf } from '../support/services.ts';
import { buildxOf } from './buildx.ts';

const [region = ''] = REGIONS;
const registryIn = (name: string, account?: string): ImageBuild['baseRegistries'][number] => {
  return { region: name, account, fips: false, dualStack: false, role: undefined };
};

/** Builds with base images from these registries; gives what the builder was given, and which settings docker had. */
async function build(
  baseRegistries: ImageBuild['baseRegistries'],
  more: Partial<Services> = {},
  places = EVERYWHERE.places,
) {
  const { docker } = buildxOf(imageOf('linux/arm64'));
  const configs: (string | undefined)[] = [];
  const given: [string, string][] = [];
  const own = await servicesWith();
  const outcome = await runBuild(
    buildInputs('linux/arm64', { target: { ...EVERYWHERE, places }, baseRegistries }),
    {
      ...own,
      docker: {
        ask: docker.ask,
        show(args, watch) {
          configs.push(watch.config);
          return docker.show(args, watch);
        },
      },
      async dockerConfig(logins) {
        given.push(...logins);
        return '/settings';
      },
      ...more,
    },
  );
  return { outcome, configs, given, masked: own.masked };
}

describe('base images from private registries of ECR', () => {
  test('are pulled with a login of the job, which is masked, and asked for once with that of the destination', async () => {
    const emulator = await emulate();
    const { outcome, configs, given, masked } = await build([registryIn(region)]);
    expect(statesOf(outcome)).toEqual(['landed', 'landed', 'landed']);
    expect(configs).toEqual(['/settings']);
    const [[host, basic] = ['', '']] = given;
    expect(host).toBe(new URL(emulator.url(region)).host);
    expect(masked).toContain(basic);
    expect(Buffer.from(basic, 'base64').toString()).toMatch(/^AWS:/);
    expect(countOf(emulator.requests, 'GetAuthorizationToken')).toBe(REGIONS.length);
  });

  test('are pulled with the login that docker has, if there is one', async () => {
    await emulate();
    const { configs, given } = await build([registryIn(region)], { logins: async () => 'eDp5' });
    expect([configs, given]).toEqual([[undefined], []]);
  });

  test('need no other settings where there are none', async () => {
    await emulate();
    expect((await build([])).configs).toEqual([undefined]);
  });

  test('that no login can be had for keep the build from beginning, and it is told where', async () => {
    await emulate({
      fault: ({ region: where, operation }) =>
        where === 'sa-east-1' && operation === 'GetAuthorizationToken'
          ? { status: 400, code: 'AccessDeniedException', message: 'not for you' }
          : undefined,
    });
    const failure = build([registryIn('sa-east-1')], {}, EVERYWHERE.places.slice(0, 1));
    const error = await failure.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Problems);
    expect(error instanceof Problems && error.problems).toEqual([
      expect.stringMatching(
        /^input "base-registries": sa-east-1: GetAuthorizationToken at \S+: AccessDeniedException: not for you/,
      ),
    ]);
  });
});
