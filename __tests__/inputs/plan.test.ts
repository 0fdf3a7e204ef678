import { describe, expect, test } from '@jest/globals';
import { formatPlatform } from '../../src/image/platform.ts';
import { parseInputs } from '../../src/inputs/inputs.ts';
import { problemsOf, type Values } from './read.ts';

const PLAN = { mode: 'plan', platforms: 'linux/amd64, linux/arm64' };

function runnersOf(runners: string) {
  return planOf({ runners });
}

async function planOf(more: Values) {
  const values: Values = { ...PLAN, ...more };
  const { inputs } = await parseInputs((name) => values[name] ?? '', {});
  if (inputs.mode !== 'plan') throw new Error('not a plan');
  return inputs;
}

describe('a plan', () => {
  test('needs neither a repository nor a region', async () => {
    expect(await problemsOf({ mode: 'plan', platforms: '' })).toEqual([
      'input "platforms" is missing: write what is to be built, such as "linux/amd64, linux/arm64"',
    ]);
  });

  test('takes a label, several of them, or JSON for a runner', async () => {
    const { runners, fallback } = await runnersOf(
      'linux/arm64/v8=ubuntu-24.04-arm\nlinux/arm=self-hosted, armhf\ndefault={"group":"large"}',
    );
    expect([...runners]).toEqual([
      ['linux/arm64', 'ubuntu-24.04-arm'],
      ['linux/arm/v7', ['self-hosted', 'armhf']],
    ]);
    expect(fallback).toEqual({ group: 'large' });
  });

  test.each(['linux/arm64', '=ubuntu', 'linux/arm64=', 'linux/arm64={not json', 'linux/arm64=a,,b'])(
    'refuses %s',
    async (line) => {
      expect(await problemsOf({ ...PLAN, runners: line })).toEqual([
        expect.stringMatching(/^input "runners": ".*": write a platform and its runner/),
      ]);
    },
  );

  test('takes a platform that is named twice, however it is spelt, once', async () => {
    const { platforms } = await planOf({
      platforms: 'linux/arm64, linux/amd64, linux/arm64/v8, linux/aarch64',
    });
    expect(platforms.map(formatPlatform)).toEqual(['linux/arm64', 'linux/amd64']);
  });

  test('takes a runner that is written twice in the same way', async () => {
    const { runners } = await runnersOf('linux/arm64=a, b\nlinux/arm64/v8=a,b');
    expect([...runners]).toEqual([['linux/arm64', ['a', 'b']]]);
  });

  test.each([
    ['linux/arm64=one\nlinux/arm64/v8=other', 'linux/arm64/v8=other', 'linux/arm64=one'],
    ['default=one\ndefault=one,other', 'default=one,other', 'default=one'],
  ])('refuses two runners for one platform: %j', async (runners, line, before) => {
    expect(await problemsOf({ ...PLAN, runners })).toEqual([
      `input "runners": "${line}": "${before}" names another runner for the same: keep one of the two`,
    ]);
  });

  test('says which platform is meant by one that is misspelt', async () => {
    expect(await problemsOf({ ...PLAN, runners: 'linux/arm46=x' })).toEqual([
      expect.stringContaining('input "runners": "linux/arm46" is not a platform'),
    ]);
  });
});
