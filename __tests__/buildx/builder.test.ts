import { describe, expect, test } from '@jest/globals';
import { findRoute, inspectBuilder, parseBuilder } from '../../src/buildx/builder.ts';
import type { CommandResult } from '../../src/buildx/docker.ts';
import { Problems } from '../../src/problems.ts';
import {
  CONTAINER_BUILDER,
  containerOn,
  DOCKER_BUILDER,
  dockerWith,
  remoteBuilder,
  TWO_NODES,
} from './docker.ts';

describe('what docker buildx inspect prints', () => {
  test("is read for the builder's name, driver and nodes", () => {
    expect(parseBuilder(CONTAINER_BUILDER)).toEqual({
      name: 'builder-8a6f0e7c',
      driver: 'docker-container',
      nodes: [{ name: 'builder-8a6f0e7c0', endpoint: 'unix:///var/run/docker.sock' }],
    });
    expect(parseBuilder(DOCKER_BUILDER)).toMatchObject({ name: 'default', driver: 'docker' });
    expect(parseBuilder(TWO_NODES).nodes).toEqual([
      { name: 'farm0', endpoint: 'ssh://amd64' },
      { name: 'farm1', endpoint: 'ssh://arm64' },
    ]);
  });

  test('with the lines of Windows is read too', () => {
    expect(parseBuilder(DOCKER_BUILDER.replaceAll('\n', '\r\n'))).toEqual(parseBuilder(DOCKER_BUILDER));
  });

  test('that is something else has no driver, and no crash', () => {
    expect(parseBuilder('')).toEqual({ name: '', driver: '', nodes: [] });
  });
});

describe('looking at the builder', () => {
  const version = { stdout: 'github.com/docker/buildx v0.35.0' };

  test('asks for the one that is named, started if need be', async () => {
    const docker = dockerWith({ 'buildx version': version, 'buildx inspect': { stdout: CONTAINER_BUILDER } });
    expect(await inspectBuilder(docker, 'mine')).toMatchObject({ driver: 'docker-container' });
    await inspectBuilder(docker, '');
    expect(docker.commands.filter(([, command]) => command === 'inspect')).toEqual([
      ['buildx', 'inspect', '--bootstrap', 'mine'],
      ['buildx', 'inspect', '--bootstrap'],
    ]);
  });

  test('says what to do when there is no buildx, or no docker at all', async () => {
    const words = /docker buildx was not found: run docker\/setup-buildx-action .* or .*"oci-layout"/;
    await expect(inspectBuilder(dockerWith({}), '')).rejects.toThrow(words);
    const none = {
      ask: async () => Promise.reject(new Error('spawn docker ENOENT')),
      show: async () => Promise.reject(new Error('spawn docker ENOENT')),
    };
    await expect(inspectBuilder(none, '')).rejects.toThrow(words);
  });

  test('says why when the builder cannot be used', async () => {
    const inspect = { code: 1, stderr: 'a warning\nERROR: no builder "mine" found\n' };
    const failure = inspectBuilder(
      dockerWith({ 'buildx version': version, 'buildx inspect': inspect }),
      'mine',
    );
    await expect(failure).rejects.toThrow(Problems);
    await expect(failure).rejects.toThrow(
      /the builder "mine" \(input "builder"\) cannot be used: ERROR: no builder "mine" found; check it with/,
    );
  });
});

describe('the way from the builder to this job', () => {
  const route = (inspected: string, container?: Partial<CommandResult>) =>
    findRoute(dockerWith(container ? { 'container inspect': container } : {}), parseBuilder(inspected));

  test("is loopback for docker's own builder", async () => {
    expect(await route(DOCKER_BUILDER)).toEqual({ kind: 'registry', host: '127.0.0.1' });
  });

  test("is the bridge's gateway for a builder in a container", async () => {
    expect(await route(CONTAINER_BUILDER, containerOn('bridge', '172.17.0.1'))).toEqual({
      kind: 'registry',
      host: '172.17.0.1',
    });
  });

  test('is found by the name of the container that buildx started', async () => {
    const docker = dockerWith({ 'container inspect': containerOn('bridge', '172.17.0.1') });
    await findRoute(docker, parseBuilder(CONTAINER_BUILDER));
    expect(docker.commands[0]?.at(-1)).toBe('buildx_buildkit_builder-8a6f0e7c0');
  });

  test("is loopback for a container on the host's network", async () => {
    expect(await route(CONTAINER_BUILDER, containerOn('host'))).toMatchObject({ host: '127.0.0.1' });
  });

  test.each([
    ['has no gateway', containerOn('none'), /the builder's network none has no gateway/],
    [
      'cannot be inspected',
      { code: 1 },
      /the container buildx_buildkit_builder-8a6f0e7c0 cannot be inspected/,
    ],
  ])('is none for a container that %s', async (_, container, why) => {
    expect(await route(CONTAINER_BUILDER, container)).toEqual({
      kind: 'layout',
      why: expect.stringMatching(why),
    });
  });

  test('is most likely loopback for a local socket', async () => {
    expect(await route(remoteBuilder('unix:///run/buildkit/buildkitd.sock'))).toEqual({
      kind: 'registry',
      host: '127.0.0.1',
    });
  });

  test('is that of the container for a remote builder in one', async () => {
    const bridge = containerOn('bridge', '172.17.0.1');
    expect(await route(remoteBuilder('docker-container://buildkitd'), bridge)).toMatchObject({
      host: '172.17.0.1',
    });
  });

  test.each([
    [remoteBuilder('tcp://buildkit.example:1234'), 'the builder is at buildkit.example:1234'],
    [remoteBuilder(''), expect.stringContaining('elsewhere')],
    [TWO_NODES, 'the builder has 2 nodes'],
    [CONTAINER_BUILDER.replace('docker-container', 'kubernetes'), expect.stringContaining('kubernetes')],
    [DOCKER_BUILDER.replace(/docker$/m, 'cloud'), expect.stringContaining('cloud')],
  ])('is none for builders elsewhere', async (inspected, why) => {
    expect(await route(inspected)).toEqual({ kind: 'layout', why });
  });
});
