import { once } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import type { BuildRun } from '../../src/buildx/build.ts';
import { Problems } from '../../src/problems.ts';
import { Replica } from '../../src/release/replicate.ts';
import { MemoryDestination, SILENT, turn } from '../support/memory.ts';
import { CONTAINER_BUILDER, DOCKER_BUILDER, dockerWith, remoteBuilder, type Work } from './docker.ts';
import { buildGraph, dockerFor, graph, run } from './run.ts';

/** What the regions become when they are open. */
const opened: Awaited<ReturnType<BuildRun['open']>> = (source) => [
  new Replica(new MemoryDestination('region'), source, { uploads: 4, observer: SILENT }),
];

/** A build that never ends by itself. */
const endless: Work = async (_, { signal }) => {
  if (!signal.aborted) await once(signal, 'abort');
  return { code: 137, stdout: '', stderr: 'ended' };
};

/** Fails when it is told to. */
function failing() {
  const opening = Promise.withResolvers<never>();
  return {
    open: () => opening.promise,
    fail: () => opening.reject(new Problems(['there is no such repository'])),
  };
}

describe('the regions', () => {
  test.each([
    ['there is no buildx', dockerWith({})],
    ['there is no such builder', dockerWith({ 'buildx version': {} })],
  ])('are left alone when %s', async (_, docker) => {
    let began = false;
    const open = async () => {
      began = true;
      return opened;
    };
    await expect(run(docker, { open })).rejects.toThrow(Problems);
    expect(began).toBe(false);
  });

  test('are left alone when the builder cannot push to this job, as it was asked to', async () => {
    let began = false;
    const open = async () => {
      began = true;
      return opened;
    };
    const far = dockerFor(remoteBuilder('tcp://far:1'));
    await expect(run(far, { open, transport: 'registry' })).rejects.toThrow(/but the builder is at far:1/);
    expect(began).toBe(false);
  });

  test('begin to be opened when the builder is known to be there, before it starts', async () => {
    const docker = dockerFor(CONTAINER_BUILDER);
    let known: string[] = [];
    const open = async () => {
      known = docker.commands.map((words) => words.slice(0, 2).join(' '));
      return opened;
    };
    await run(docker, { open });
    expect(known).toEqual(['buildx inspect', 'container inspect']);
  });

  test.each([
    ['pushes', DOCKER_BUILDER],
    ['leaves a layout', remoteBuilder('tcp://far:1')],
  ])('are opened while the build goes on that %s', async (_, inspected) => {
    const building = Promise.withResolvers<void>();
    const docker = dockerFor(inspected, (args) => {
      building.resolve();
      return buildGraph(args);
    });
    const open = async () => {
      await building.promise;
      return opened;
    };
    const { built } = await run(docker, { open });
    expect(built.root.digest).toBe(graph.root.digest);
    expect(built.replicas).toHaveLength(1);
  });
});

describe('regions that cannot be opened', () => {
  test.each([
    ['pushes', DOCKER_BUILDER],
    ['leaves a layout', remoteBuilder('tcp://far:1')],
  ])('end the build that %s, and it says why', async (_, inspected) => {
    const { open, fail } = failing();
    let ended = false;
    const docker = dockerFor(inspected, async (args, watch) => {
      fail();
      const result = await endless(args, watch);
      ended = true;
      return result;
    });
    await expect(run(docker, { open })).rejects.toThrow(new Problems(['there is no such repository']));
    expect(ended).toBe(true);
    expect(docker.commands.filter(([, command]) => command === 'build')).toHaveLength(1);
  });

  test('end the build when it begins, if they are known by then', async () => {
    const open = () => Promise.reject(new Problems(['there is no such repository']));
    await expect(run(dockerFor(DOCKER_BUILDER, endless), { open })).rejects.toThrow(
      'there is no such repository',
    );
  });

  test('are told when the build has ended before', async () => {
    const { open, fail } = failing();
    const docker = dockerFor(remoteBuilder('tcp://far:1'), async (args) => {
      const result = await buildGraph(args);
      setImmediate(fail);
      return result;
    });
    await expect(run(docker, { open })).rejects.toThrow('there is no such repository');
  });

  test('are no more than a build that failed before has to say', async () => {
    const { open, fail } = failing();
    const docker = dockerFor(DOCKER_BUILDER, async () => ({ code: 2, stdout: '', stderr: '' }));
    await expect(run(docker, { open })).rejects.toThrow(/exit code 2/);
    // A rejection that goes unhandled for a turn fails the test.
    fail();
    await turn();
  });

  test('end a build that waits for the answer whether they have a blob', async () => {
    const { open, fail } = failing();
    const docker = dockerFor(DOCKER_BUILDER, async (args, watch) => {
      const pushing = buildGraph(args).catch(() => ({ code: 1, stdout: '', stderr: '' }));
      setImmediate(fail);
      await Promise.all([pushing, endless(args, watch)]);
      return pushing;
    });
    await expect(run(docker, { open })).rejects.toThrow('there is no such repository');
  });
});
