import { describe, expect, test } from '@jest/globals';
import { type BuildOptions, type BuildSetting, buildxArguments } from '../../src/buildx/arguments.ts';
import { parsePlatform } from '../../src/image/platform.ts';
import { optionsOf } from './options.ts';

const setting: BuildSetting = {
  platforms: [],
  output: 'type=image',
  metadataFile: '/tmp/metadata.json',
  secretFiles: new Map(),
  attestations: [],
};

function argumentsOf(options: Partial<BuildOptions>, more: Partial<BuildSetting> = {}): string[] {
  return buildxArguments(optionsOf(options), { ...setting, ...more });
}

describe('the arguments of docker buildx build', () => {
  test('are few when nothing is asked for', () => {
    expect(argumentsOf({})).toEqual([
      ...['buildx', 'build', '--output', 'type=image', '--metadata-file', '/tmp/metadata.json', '.'],
    ]);
  });

  test.each<[Partial<BuildOptions>, string[]]>([
    [{ builder: 'b' }, ['--builder', 'b']],
    [{ file: 'a/Dockerfile' }, ['--file', 'a/Dockerfile']],
    [{ target: 'web' }, ['--target', 'web']],
    [{ buildArgs: ['A=1', 'B=2,3'] }, ['--build-arg', 'A=1', '--build-arg', 'B=2,3']],
    [{ buildContexts: ['base=docker-image://x'] }, ['--build-context', 'base=docker-image://x']],
    [{ labels: ['a=b'] }, ['--label', 'a=b']],
    [{ annotations: ['index:a=b'] }, ['--annotation', 'index:a=b']],
    [{ cacheFrom: ['type=gha,scope=x'] }, ['--cache-from', 'type=gha,scope=x']],
    [{ cacheTo: ['type=gha,mode=max'] }, ['--cache-to', 'type=gha,mode=max']],
    [{ secretEnvs: ['TOKEN=MY_TOKEN'] }, ['--secret', 'id=TOKEN,env=MY_TOKEN']],
    [{ secretFiles: ['key=./a=b.pem'] }, ['--secret', 'id=key,src=./a=b.pem']],
    [{ addHosts: ['a:1.2.3.4'] }, ['--add-host', 'a:1.2.3.4']],
    [{ allow: ['network.host'] }, ['--allow', 'network.host']],
    [{ noCacheFilters: ['web'] }, ['--no-cache-filter', 'web']],
    [{ ssh: ['default'] }, ['--ssh', 'default']],
    [{ ulimit: ['nofile=1024'] }, ['--ulimit', 'nofile=1024']],
    [{ network: 'host' }, ['--network', 'host']],
    [{ shmSize: '2g' }, ['--shm-size', '2g']],
    [{ cgroupParent: 'x' }, ['--cgroup-parent', 'x']],
    [{ pull: true }, ['--pull']],
    [{ noCache: true }, ['--no-cache']],
  ])('of %j are as docker/build-push-action has them', (options, expected) => {
    const added = argumentsOf(options).slice(2, 2 + expected.length);
    expect(added).toEqual(expected);
    expect(argumentsOf(options)).toHaveLength(argumentsOf({}).length + expected.length);
  });

  test('name all platforms at once, in normal form', () => {
    const platforms = ['linux/amd64', 'linux/arm64/v8', 'linux/arm'].map(parsePlatform);
    expect(argumentsOf({}, { platforms })).toEqual(
      expect.arrayContaining(['--platform', 'linux/amd64,linux/arm64,linux/arm/v7']),
    );
  });

  test('name secrets by the file that holds them, and never hold a value', () => {
    const args = argumentsOf(
      { secrets: ['token=s3cr3t'], githubToken: 'ghs_s3cr3t' },
      { secretFiles: new Map([['token', '/tmp/0']]) },
    );
    expect(args).toEqual(expect.arrayContaining(['--secret', 'id=token,src=/tmp/0']));
    expect(args.join(' ')).not.toContain('s3cr3t');
  });

  test('end with the context', () => {
    expect(argumentsOf({ context: 'https://github.com/o/r.git#main', pull: true }).at(-1)).toBe(
      'https://github.com/o/r.git#main',
    );
  });
});
