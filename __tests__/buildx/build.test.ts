import { readFile, stat } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import { describe as descriptorOf } from '../../src/image/manifest.ts';
import { Problems } from '../../src/problems.ts';
import { CONTAINER_BUILDER, containerOn, DOCKER_BUILDER, dockerWith, OK, remoteBuilder } from './docker.ts';
import { optionsOf } from './options.ts';
import { buildGraph, dockerFor, graph, pushedName, run } from './run.ts';

const SOCKET = remoteBuilder('unix:///run/buildkit/buildkitd.sock');

describe('a build', () => {
  test.each([
    [
      'pushes to this job',
      DOCKER_BUILDER,
      /^type=image,push=true,.*,name=127\.0\.0\.1:\d+\/[0-9a-f]{32}\/app:build$/,
    ],
    ['pushes from a container', CONTAINER_BUILDER, /^type=image,push=true,/],
    [
      'leaves a layout where it cannot reach this job',
      remoteBuilder('tcp://far:1'),
      /^type=oci,tar=false,.*,dest=/,
    ],
  ])('%s, and its result can be copied whole', async (_, inspected, output) => {
    const { built, destination, outputs } = await run(dockerFor(inspected));
    expect(outputs).toEqual([expect.stringMatching(output)]);
    expect(built.root.digest).toBe(graph.root.digest);
    await Promise.all(built.replicas.map((replica) => replica.copy(descriptorOf(built.root))));
    expect(destination.manifests.size).toBe(graph.manifests.size);
    expect(destination.blobs.size).toBe(graph.blobs.size);
  });

  test('gives what buildx wrote about it, without the name that is gone', async () => {
    const { built } = await run(dockerFor(DOCKER_BUILDER));
    expect(JSON.parse(built.metadata)).toEqual({ 'containerimage.digest': graph.root.digest });
    expect(built.builder).toBe('default');
  });

  test('that fails is told with the exit code', async () => {
    const failing = dockerFor(DOCKER_BUILDER, async () => ({ ...OK, code: 17 }));
    await expect(run(failing)).rejects.toThrow(Problems);
    await expect(run(failing)).rejects.toThrow('docker buildx build failed with exit code 17');
    await expect(run(failing, { transport: 'layout' })).rejects.toThrow(/exit code 17/);
  });

  test('that ends well and pushes nothing is told', async () => {
    await expect(run(dockerFor(DOCKER_BUILDER, async () => OK))).rejects.toThrow(/pushed nothing/);
  });
});

describe('a builder that cannot reach this job, though it looks so', () => {
  test('builds into a layout when its push never arrived', async () => {
    let tries = 0;
    const unreachable = dockerFor(SOCKET, async (args) => {
      tries += 1;
      if (tries > 1) return buildGraph(args);
      return { code: 1, stdout: '', stderr: `failed to push ${pushedName(args)}: connection refused` };
    });
    const { built, outputs } = await run(unreachable);
    expect(outputs).toEqual([expect.stringMatching(/^type=image/), expect.stringMatching(/^type=oci/)]);
    expect(built.root.digest).toBe(graph.root.digest);
  });

  test('does not build twice when the build itself failed', async () => {
    const failing = dockerFor(SOCKET, async () => ({ code: 1, stdout: '', stderr: 'RUN make: exit code 2' }));
    await expect(run(failing)).rejects.toThrow(/exit code 1/);
    expect(failing.commands.filter(([, command]) => command === 'build')).toHaveLength(1);
  });

  test('is not asked twice when the registry was asked for by name', async () => {
    const unreachable = dockerFor(SOCKET, async (args) => ({
      code: 1,
      stdout: '',
      stderr: `failed to push ${pushedName(args)}`,
    }));
    await expect(run(unreachable, { transport: 'registry' })).rejects.toThrow(
      /^input "transport" is "registry", but the builder could not reach this job at 127\.0\.0\.1/,
    );
    expect(unreachable.commands.filter(([, command]) => command === 'build')).toHaveLength(1);
  });
});

describe('the input "transport"', () => {
  test('"layout" keeps any builder from pushing', async () => {
    const { outputs } = await run(dockerFor(DOCKER_BUILDER), { transport: 'layout' });
    expect(outputs).toEqual([expect.stringMatching(/^type=oci/)]);
  });

  test('"registry" is refused where the builder cannot reach this job', async () => {
    await expect(run(dockerFor(remoteBuilder('tcp://far:1')), { transport: 'registry' })).rejects.toThrow(
      'input "transport" is "registry", but the builder is at far:1: write "auto" or "layout"',
    );
  });

  test('"auto" takes the layout when the gateway is no address of this machine', async () => {
    const docker = dockerWith({
      'buildx version': OK,
      'buildx inspect': { stdout: CONTAINER_BUILDER },
      'container inspect': containerOn('bridge', '192.0.2.1'),
      'buildx build': (args) => buildGraph(args),
    });
    const { outputs } = await run(docker);
    expect(outputs).toEqual([expect.stringMatching(/^type=oci/)]);
  });
});

describe('secrets', () => {
  /** Builds, and reads the secrets as buildx would. */
  async function secretsOf(options: Parameters<typeof optionsOf>[0]): Promise<Map<string, string>> {
    const found = new Map<string, string>();
    const docker = dockerFor(DOCKER_BUILDER, async (args) => {
      expect(args.join(' ')).not.toContain('s3cr3t');
      for (const [, id = '', path = ''] of args.join('\n').matchAll(/^id=([^,]+),src=(.+)$/gm)) {
        found.set(id, await readFile(path, 'utf8'));
        expect((await stat(path)).mode & 0o077).toBe(0);
      }
      return buildGraph(args);
    });
    await run(docker, { options: optionsOf(options) });
    return found;
  }

  test('reach buildx in files that nobody else can read, byte for byte', async () => {
    const secrets = ['token= s3cr3t with = and space ', 'key=-----BEGIN-----\ns3cr3t\n-----END-----\n'];
    expect(await secretsOf({ secrets })).toEqual(
      new Map([
        ['token', ' s3cr3t with = and space '],
        ['key', '-----BEGIN-----\ns3cr3t\n-----END-----\n'],
      ]),
    );
  });

  test('have the job token for a Git context, unless another one was given', async () => {
    const context = 'https://github.com/o/r.git#main';
    const githubToken = 'ghs_s3cr3t';
    expect(await secretsOf({ context, githubToken })).toEqual(new Map([['GIT_AUTH_TOKEN', githubToken]]));
    expect(await secretsOf({ context: '.', githubToken })).toEqual(new Map());
    for (const elsewhere of [
      'https://git.example.org/o/r.git',
      'https://github.com/o/other.git',
      'http://github.com/o/r',
    ]) {
      expect(await secretsOf({ context: elsewhere, githubToken })).toEqual(new Map());
    }
    expect(await secretsOf({ context, githubToken, secrets: ['GIT_AUTH_TOKEN=s3cr3t'] })).toEqual(
      new Map([['GIT_AUTH_TOKEN', 's3cr3t']]),
    );
  });
});

test("docker's own builder is not asked for provenance that it cannot make", async () => {
  const { builds } = await run(dockerFor(DOCKER_BUILDER));
  expect(builds[0]).not.toContain('--attest');
  const { builds: others } = await run(dockerFor(CONTAINER_BUILDER));
  expect(others[0]).toContain('--attest');
});
