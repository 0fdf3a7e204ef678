import { describe, expect, test } from '@jest/globals';
import type { Emulator } from '../../emulator/emulator.ts';
import type { Fault } from '../../emulator/traffic.ts';
import { parsePlatform } from '../../src/image/platform.ts';
import type { BuildInputs } from '../../src/inputs/inputs.ts';
import { runBuild } from '../../src/modes/build.ts';
import { Problems } from '../../src/problems.ts';
import { dockerWith } from '../buildx/docker.ts';
import { optionsOf } from '../buildx/options.ts';
import { countOf, emulate, openEmulated, REGIONS, REPOSITORY } from '../support/emulated.ts';
import { makeFolder } from '../support/folder.ts';
import { attestationOf, type Graph, imageOf, indexOf } from '../support/images.ts';
import { writeLayout } from '../support/layout.ts';
import { buildInputs, EVERYWHERE, inLayout, servicesWith, statesOf } from '../support/services.ts';
import { buildxOf } from './buildx.ts';

const arm64 = imageOf('linux/arm64');
const attestation = attestationOf(arm64);
const graph = indexOf([arm64, attestation]);

const inputs: BuildInputs = buildInputs('linux/arm64', { jobIndex: 1, jobTotal: 2 });

async function layoutOf(built: Graph): Promise<string> {
  const dir = await makeFolder();
  await writeLayout(dir, built);
  return dir;
}

describe('building a leg', () => {
  test('lands it by digest in every region, without a tag, and leaves its record', async () => {
    const emulator = await emulate();
    const services = await servicesWith({ docker: buildxOf(graph).docker });
    const outcome = await runBuild(inputs, services);
    expect(statesOf(outcome)).toEqual(['landed', 'landed', 'landed']);
    for (const destination of await openEmulated()) {
      expect(await destination.hasManifest(graph.root.digest)).toBe(true);
      expect(await destination.hasManifest(attestation.root.digest)).toBe(true);
    }
    expect(emulator.requests.filter(({ path }) => path.endsWith('/manifests/build'))).toEqual([]);
    const bytes = [...arm64.blobs.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
    expect(services.left).toEqual([
      {
        schema: 'ecr-multiarch/leg/v1',
        repository: REPOSITORY,
        runId: '7',
        runAttempt: 1,
        job: 'build',
        jobIndex: 1,
        jobTotal: 2,
        builder: 'builder-8a6f0e7c',
        root: graph.root.digest,
        images: [{ descriptor: arm64.listed, bytes }],
        attestations: [attestation.listed],
        destinations: REGIONS.map((region) => `${new URL(emulator.url(region)).host}/${REPOSITORY}`),
      },
    ]);
    expect(JSON.parse(outcome.metadata)).toEqual({ 'buildx.build.ref': 'x' });
  });

  test.each([
    ['nothing but the configs', 'says what it pushes', { quiet: false }, graph.manifests.size - 1],
    ['nothing', 'says nothing', { quiet: true }, 0],
  ])('again sends %s from a builder that %s, and nothing to the regions', async (_, __, how, configs) => {
    const emulator = await emulate();
    const { docker, sent } = buildxOf(graph, how);
    await runBuild(inputs, await servicesWith({ docker }));
    const uploads = countOf(emulator.requests, 'POST uploads');
    const outcome = await runBuild(inputs, await servicesWith({ docker }));
    expect(sent).toEqual([graph.blobs.size, configs]);
    expect(countOf(emulator.requests, 'POST uploads')).toBe(uploads);
    expect(statesOf(outcome)).toEqual(['unchanged', 'unchanged', 'unchanged']);
    const bytes = [...graph.blobs.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
    expect(outcome.results.map(({ sent: moved, reused }) => [moved, reused])).toEqual(
      REGIONS.map(() => [0, bytes]),
    );
  });

  test('masks secrets before docker is asked for anything', async () => {
    await emulate();
    const { docker } = buildxOf(graph);
    const services = await servicesWith({ docker });
    const options = optionsOf({ secrets: ['token=s3cr3t=x'], githubToken: 'ghs_1' });
    const before = services.masked;
    const ask = docker.ask;
    docker.ask = async (args) => {
      expect(before).toEqual(expect.arrayContaining(['s3cr3t=x', 'ghs_1']));
      return ask(args);
    };
    await runBuild(buildInputs('linux/arm64', { options }), services);
  });

  test('leaves no record when a region failed', async () => {
    await emulate({
      fault: ({ region, method, path }) =>
        region === 'sa-east-1' && method === 'POST' && path.includes('/blobs/uploads/')
          ? { status: 403, code: 'DENIED', message: 'no' }
          : undefined,
    });
    const services = await servicesWith({ docker: buildxOf(graph).docker });
    const outcome = await runBuild(inputs, services);
    expect(statesOf(outcome)).toEqual(['landed', 'landed', 'failed']);
    expect(services.left).toEqual([]);
  });

  test('refuses an image of another platform than was asked for', async () => {
    await emulate();
    const services = await servicesWith({ docker: buildxOf(imageOf('linux/amd64')).docker });
    await expect(runBuild(inputs, services)).rejects.toThrow(
      'the build gave linux/amd64, not linux/arm64: check "platforms", and FROM --platform in the Dockerfile',
    );
    expect(services.left).toEqual([]);
  });
});

describe('when a region cannot be opened', () => {
  /** Starts regions of which only the first has the repository. */
  async function emulateLacking(fault?: Fault): Promise<Emulator> {
    const emulator = await emulate({ repositories: [], ...(fault && { fault }) });
    emulator.createRepository(REPOSITORY, {}, ['us-east-1']);
    return emulator;
  }

  /** Whatever changes something. */
  const changes = ({ requests }: Emulator) =>
    requests.filter(({ method, operation }) =>
      operation ? operation === 'CreateRepository' : method !== 'GET' && method !== 'HEAD',
    );

  test('because it lacks the repository, the build is broken off and nothing is pushed or created', async () => {
    const emulator = await emulateLacking();
    const { docker, signals } = buildxOf(graph);
    const services = await servicesWith({ docker });
    await expect(runBuild(inputs, services)).rejects.toThrow(
      /^- eu-west-1: the repository "team\/app" does not exist.*\n- sa-east-1: the repository/,
    );
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    expect(changes(emulator)).toEqual([]);
    expect(services.left).toEqual([]);
  });

  test('the repository is created in no other one', async () => {
    const emulator = await emulateLacking(({ region, operation }) =>
      region === 'sa-east-1' && operation === 'DescribeRepositories'
        ? { status: 400, code: 'AccessDeniedException', message: 'no' }
        : undefined,
    );
    const { docker, signals } = buildxOf(graph);
    const target = { ...EVERYWHERE, createRepository: true };
    const building = runBuild({ ...inputs, target }, await servicesWith({ docker }));
    await expect(building).rejects.toThrow(/^sa-east-1: /);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    expect(changes(emulator)).toEqual([]);
  });

  test('and there is no buildx either, both are told', async () => {
    const emulator = await emulateLacking();
    const building = runBuild(inputs, await servicesWith({ docker: dockerWith({}) }));
    await expect(building).rejects.toThrow(Problems);
    await expect(building).rejects.toMatchObject({
      problems: [
        expect.stringMatching(/^docker buildx was not found/),
        expect.stringMatching(/^eu-west-1: the repository/),
        expect.stringMatching(/^sa-east-1: the repository/),
      ],
    });
    expect(changes(emulator)).toEqual([]);
  });
});

test('without a builder no repository is created', async () => {
  const emulator = await emulate({ repositories: [] });
  const target = { ...EVERYWHERE, createRepository: true };
  const building = runBuild({ ...inputs, target }, await servicesWith({ docker: dockerWith({}) }));
  await expect(building).rejects.toThrow(/^docker buildx was not found/);
  expect(countOf(emulator.requests, 'CreateRepository')).toBe(0);
});

describe('publishing a build alone', () => {
  test('shows its tags in every region, and leaves no record', async () => {
    await emulate();
    const services = await servicesWith({ docker: buildxOf(graph).docker });
    const outcome = await runBuild({ ...inputs, legs: 'none', tags: ['v1'] }, services);
    expect(statesOf(outcome)).toEqual(['published', 'published', 'published']);
    for (const destination of await openEmulated()) {
      expect((await destination.tagged('v1'))?.digest).toBe(graph.root.digest);
    }
    expect(services.left).toEqual([]);
  });
});

describe('a layout that another tool has built', () => {
  test('lands in every region without docker', async () => {
    await emulate();
    const services = await servicesWith();
    const outcome = await runBuild({ ...inputs, image: inLayout(await layoutOf(graph)) }, services);
    expect(statesOf(outcome)).toEqual(['landed', 'landed', 'landed']);
    expect(services.left).toMatchObject([{ builder: 'oci-layout', root: graph.root.digest }]);
  });

  test('says its own platforms, unless some are asked for', async () => {
    await emulate();
    const ociLayout = await layoutOf(indexOf([imageOf('linux/amd64'), arm64]));
    const outcome = await runBuild(
      { ...inputs, platforms: [], image: inLayout(ociLayout) },
      await servicesWith(),
    );
    expect(outcome.results[0]?.platforms).toEqual(['linux/amd64', 'linux/arm64']);
    const platforms = [parsePlatform('linux/s390x')];
    await expect(
      runBuild({ ...inputs, platforms, image: inLayout(ociLayout) }, await servicesWith()),
    ).rejects.toThrow(/"oci-layout": .* has linux\/amd64, linux\/arm64, but "platforms" has linux\/s390x/);
  });

  test('is not published with platforms that were not asked for', async () => {
    const emulator = await emulate();
    const ociLayout = await layoutOf(indexOf([imageOf('linux/amd64'), arm64]));
    const platforms = [parsePlatform('linux/arm64')];
    await expect(
      runBuild({ ...inputs, platforms, image: inLayout(ociLayout) }, await servicesWith()),
    ).rejects.toThrow(
      /"oci-layout": .* has linux\/amd64, linux\/arm64, but "platforms" has linux\/arm64: write a layout of these/,
    );
    expect(countOf(emulator.requests, 'POST uploads')).toBe(0);
  });

  test.each<[string, Partial<BuildInputs>]>([
    ['', { platforms: [] }],
    [', even if that platform was asked for', {}],
    [', even if nothing is pushed', { target: { ...EVERYWHERE, push: false } }],
  ])('that has two images of one platform is refused before anything is sent%s', async (_, more) => {
    const emulator = await emulate();
    const twin = imageOf('linux/arm64', { layers: ['twin'] });
    const ociLayout = await layoutOf(indexOf([arm64, twin]));
    const run = runBuild({ ...inputs, image: inLayout(ociLayout), ...more }, await servicesWith());
    await expect(run).rejects.toThrow(Problems);
    await expect(run).rejects.toThrow(
      new RegExp(
        `^input "oci-layout": "${ociLayout}": .* several images of linux/arm64 \\(${arm64.root.digest} and ${twin.root.digest}\\), .*: leave one of each platform in it`,
      ),
    );
    expect(countOf(emulator.requests, 'POST uploads')).toBe(0);
  });

  test('that cannot be published is refused before missing repositories are created', async () => {
    const emulator = await emulate({ repositories: [] });
    const ociLayout = await layoutOf(indexOf([arm64, imageOf('linux/arm64', { layers: ['twin'] })]));
    const target = { ...EVERYWHERE, createRepository: true };
    await expect(
      runBuild({ ...inputs, image: inLayout(ociLayout), target }, await servicesWith()),
    ).rejects.toThrow(Problems);
    expect(countOf(emulator.requests, 'CreateRepository')).toBe(0);
  });

  test('whose image has a config that cannot be read is refused, with its path', async () => {
    await emulate();
    const broken = imageOf('linux/arm64', { config: 'no JSON' });
    const ociLayout = await layoutOf(broken);
    await expect(runBuild({ ...inputs, image: inLayout(ociLayout) }, await servicesWith())).rejects.toThrow(
      `input "oci-layout": "${ociLayout}": ${broken.root.digest}: its config sha256:`,
    );
  });

  test('whose index names another platform than the image is refused', async () => {
    const emulator = await emulate();
    const mislabelled = { ...arm64, listed: { ...arm64.listed, platform: parsePlatform('linux/amd64') } };
    const ociLayout = await layoutOf(indexOf([mislabelled]));
    await expect(runBuild({ ...inputs, image: inLayout(ociLayout) }, await servicesWith())).rejects.toThrow(
      /^input "oci-layout": ".*": .* is listed as linux\/amd64, but its own config says linux\/arm64/,
    );
    expect(countOf(emulator.requests, 'POST uploads')).toBe(0);
  });
});
