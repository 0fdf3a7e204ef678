import { describe, expect, test } from '@jest/globals';
import { describe as descriptorOf } from '../../src/image/manifest.ts';
import { parsePlatform } from '../../src/image/platform.ts';
import { parseReference } from '../../src/image/reference.ts';
import type { BuildInputs, MirrorInputs } from '../../src/inputs/inputs.ts';
import { runBuild } from '../../src/modes/build.ts';
import { runMirror } from '../../src/modes/mirror.ts';
import type { Services } from '../../src/modes/services.ts';
import { Replica } from '../../src/release/replicate.ts';
import { emulate, openEmulated, REGIONS, REPOSITORY } from '../support/emulated.ts';
import { makeFolder } from '../support/folder.ts';
import { attestationOf, type Graph, imageOf, indexOf } from '../support/images.ts';
import { writeLayout } from '../support/layout.ts';
import { SILENT, sourceOf } from '../support/memory.ts';
import { serveGraph } from '../support/registry.ts';
import {
  buildInputs,
  EVERYWHERE,
  inLayout,
  servicesWith,
  statesOf,
  type TestServices,
} from '../support/services.ts';
import { buildxOf } from './buildx.ts';
import { startFanIn } from './fanIn.ts';

const amd64 = imageOf('linux/amd64');
const arm64 = imageOf('linux/arm64');
const attestation = attestationOf(arm64);
const graph = indexOf([arm64, attestation]);

const UNPUSHED = { ...EVERYWHERE, push: false };
const NAMES = REGIONS.map((region) => `ACCOUNT.dkr.ecr.${region}.amazonaws.com/${REPOSITORY}`);
const NOWHERE = REGIONS.map(() => 'not pushed');

const inputs: BuildInputs = buildInputs('linux/arm64', { target: UNPUSHED });

/** The collaborators of a mode that has nobody to ask: no API of AWS's, and no login of docker's. */
async function alone(more: Partial<Pick<Services, 'docker'>> = {}): Promise<TestServices> {
  const nobody = () => {
    throw new Error('nobody is to be asked');
  };
  const services = await servicesWith(more);
  return { ...services, createApi: nobody, createPublicApi: nobody, logins: nobody };
}

async function layoutOf(built: Graph): Promise<string> {
  const dir = await makeFolder();
  await writeLayout(dir, built);
  return dir;
}

describe('a build that is not pushed', () => {
  test('takes all from the builder, and leaves a record that says so', async () => {
    const { docker, sent } = buildxOf(graph);
    const services = await alone({ docker });
    const outcome = await runBuild(inputs, services);
    expect(sent).toEqual([graph.blobs.size]);
    expect(statesOf(outcome)).toEqual(NOWHERE);
    expect(outcome.digest).toBe(graph.root.digest);
    expect(outcome.results.map(({ image }) => image)).toEqual(NAMES);
    expect(services.left).toMatchObject([
      {
        root: graph.root.digest,
        pushed: false,
        images: [{ descriptor: arm64.listed }],
        attestations: [attestation.listed],
        destinations: NAMES,
      },
    ]);
    expect(JSON.parse(outcome.metadata)).toEqual({ 'buildx.build.ref': 'x' });
  });

  test('that is of another platform than was asked for is refused as ever, and leaves no record', async () => {
    const services = await alone({ docker: buildxOf(amd64).docker });
    await expect(runBuild(inputs, services)).rejects.toThrow('the build gave linux/amd64, not linux/arm64');
    expect(services.left).toEqual([]);
  });

  test('that a region would refuse fails there, says why, and leaves no record', async () => {
    const empty = imageOf('linux/arm64', { layers: [''] });
    const services = await alone();
    const outcome = await runBuild({ ...inputs, image: inLayout(await layoutOf(empty)) }, services);
    expect(statesOf(outcome)).toEqual(['failed', 'failed', 'failed']);
    expect(outcome.results[0]?.error).toMatch(/^us-east-1: team\/app: .*ECR takes no blob of 0 bytes/);
    expect(services.left).toEqual([]);
  });

  test('that no stitch follows says under which tags it would be shown', async () => {
    const ociLayout = await layoutOf(graph);
    const services = await alone();
    const outcome = await runBuild(
      { ...inputs, legs: 'none', tags: ['v1', 'latest'], image: inLayout(ociLayout) },
      services,
    );
    const { digest } = graph.root;
    expect(outcome.results.map(({ tags }) => tags)).toEqual(
      REGIONS.map(() => ({ v1: digest, latest: digest })),
    );
    expect(services.left).toEqual([]);
  });
});

describe('a layout that is not pushed', () => {
  test('is read whole, and leaves a record', async () => {
    const services = await alone();
    const outcome = await runBuild({ ...inputs, image: inLayout(await layoutOf(graph)) }, services);
    expect(statesOf(outcome)).toEqual(NOWHERE);
    expect(services.left).toMatchObject([{ builder: 'oci-layout', pushed: false }]);
  });

  test('is refused when it lacks a layer, and leaves no record', async () => {
    const [lost] = attestation.blobs.keys();
    const blobs = new Map([...graph.blobs].filter(([digest]) => digest !== lost));
    const services = await alone();
    const ociLayout = await layoutOf({ ...graph, blobs });
    await expect(runBuild({ ...inputs, image: inLayout(ociLayout) }, services)).rejects.toThrow(
      ` lacks ${lost} `,
    );
    expect(services.left).toEqual([]);
  });
});

describe('a stitch that is not pushed', () => {
  const push = { push: 'false' };

  test('says what would be shown of legs that nobody pushed, and asks nothing of ECR', async () => {
    const run = await startFanIn();
    await run.build(graph, push);
    await run.build(amd64, push);
    const outcome = await run.stitch({ ...push, tags: 'v1', 'platform-tags': '{tag}-{arch}' });
    expect(statesOf(outcome)).toEqual(NOWHERE);
    for (const { tags, platforms, digest } of outcome.results) {
      expect(digest).toBe(outcome.digest);
      expect(platforms.toSorted()).toEqual(['linux/amd64', 'linux/arm64']);
      expect(Object.keys(tags).toSorted()).toEqual(['v1', 'v1-amd64', 'v1-arm64']);
      expect(tags.v1).toBe(outcome.digest);
    }
    expect(run.emulator.requests).toEqual([]);
  });

  test('gives the digest that a push of the same legs publishes', async () => {
    const run = await startFanIn();
    await run.build(graph);
    await run.build(amd64);
    const asked = run.emulator.requests.length;
    const annotations = 'org.opencontainers.image.title=web';
    const rehearsed = await run.stitch({ ...push, annotations });
    expect(run.emulator.requests).toHaveLength(asked);
    const published = await run.stitch({ annotations });
    expect(statesOf(published)).toEqual(['published', 'published', 'published']);
    expect(rehearsed.digest).toBe(published.digest);
    expect(rehearsed.metadata).toBe(published.metadata);
  });

  test('takes legs that were pushed, and some that were not', async () => {
    const run = await startFanIn();
    await run.build(graph);
    await run.build(amd64, push);
    expect(statesOf(await run.stitch(push))).toEqual(NOWHERE);
  });

  test.each<[string, Graph, Record<string, string>, RegExp]>([
    ['lacks a platform', arm64, { platforms: 'linux/amd64,linux/arm64' }, /^linux\/amd64 is missing: /],
    ['has two images of one platform', imageOf('linux/amd64', { layers: ['x'] }), {}, /was built more than/],
  ])('refuses a run that %s', async (_, other, wanted, problem) => {
    const run = await startFanIn();
    const first = wanted.platforms ? arm64 : amd64;
    await run.build(first, push, { job: 'one' });
    await run.build(other, push, { job: 'two' });
    await expect(run.stitch({ ...push, ...wanted })).rejects.toThrow(problem);
    expect(run.emulator.requests).toEqual([]);
  });
});

test('a stitch that pushes refuses legs that were not, and writes nothing', async () => {
  const run = await startFanIn();
  await run.build(graph);
  await run.build(amd64, { push: 'false', 'job-index': '1' });
  const written = run.writes().length;
  await expect(run.stitch()).rejects.toThrow(
    /^job build #1 of attempt 1 was built with "push: false", so that no region has its image: write the same "push"/,
  );
  expect(run.writes()).toHaveLength(written);
});

describe('a mirror that is not pushed', () => {
  const index = indexOf([arm64, amd64, attestation], { annotations: { by: 'upstream' } });

  function mirrorOf(source: string, more: Partial<MirrorInputs> = {}): MirrorInputs {
    const reference = parseReference(source);
    return {
      mode: 'mirror',
      target: UNPUSHED,
      platforms: [],
      tags: ['1.29'],
      source: reference,
      referrers: false,
      ...more,
    };
  }

  test('reads each manifest of its source once, and no layer', async () => {
    const upstream = await serveGraph(index, '1.29');
    const services = { ...(await alone()), logins: async () => undefined };
    const outcome = await runMirror(mirrorOf(`${upstream.repository}:1.29`), services);
    expect(statesOf(outcome)).toEqual(NOWHERE);
    expect(outcome.digest).toBe(index.root.digest);
    expect(outcome.results[0]?.tags).toEqual({ '1.29': index.root.digest });
    const children = [...index.manifests.keys()].filter((digest) => digest !== index.root.digest);
    expect(upstream.requests.map(({ path }) => path.split('/').slice(-2).join('/')).toSorted()).toEqual(
      ['1.29', ...children].map((reference) => `manifests/${reference}`).toSorted(),
    );
  });

  test('gives the digest of the platforms that a push would keep', async () => {
    const { repository } = await serveGraph(index, '1.29');
    const platforms = [parsePlatform('linux/arm64')];
    const services = { ...(await alone()), logins: async () => undefined };
    const rehearsed = await runMirror(mirrorOf(`${repository}:1.29`, { platforms }), services);
    await emulate();
    const target = EVERYWHERE;
    const mirrored = await runMirror(
      mirrorOf(`${repository}:1.29`, { platforms, target }),
      await servicesWith(),
    );
    expect(rehearsed.digest).toBe(mirrored.digest);
    expect(rehearsed.digest).not.toBe(index.root.digest);
  });

  test('of a source that lacks what it lists is refused, with what to do', async () => {
    const manifests = new Map([...index.manifests].filter(([digest]) => digest !== amd64.root.digest));
    const { repository } = await serveGraph({ ...index, manifests }, '1.29');
    const services = { ...(await alone()), logins: async () => undefined };
    await expect(runMirror(mirrorOf(`${repository}:1.29`), services)).rejects.toThrow(
      new RegExp(
        `^input "source": .*/upstream/app:1.29 cannot be read: .*${amd64.root.digest}.*; the source is not whole: have it pushed anew`,
      ),
    );
  });

  test("reads private ECR with the job's credentials, and does nothing else there", async () => {
    const emulator = await emulate({ repositories: ['team/base'] });
    const [source] = await openEmulated({
      places: [
        {
          kind: 'private',
          region: 'us-east-1',
          account: '123456789012',
          repository: 'team/base',
          role: undefined,
          fips: false,
          dualStack: false,
        },
      ],
    });
    if (!source) throw new Error('the source is not open');
    await new Replica(source, sourceOf(amd64), { uploads: 4, observer: SILENT }).copy(
      descriptorOf(amd64.root),
    );
    await source.writeManifest('1.29', amd64.root);
    const before = emulator.requests.length;
    const services = await servicesWith();
    const outcome = await runMirror(
      mirrorOf('123456789012.dkr.ecr.us-east-1.amazonaws.com/team/base:1.29'),
      services,
    );
    expect(statesOf(outcome)).toEqual(NOWHERE);
    const asked = emulator.requests.slice(before).map(({ method, operation }) => operation ?? method);
    expect(new Set(asked)).toEqual(new Set(['GetAuthorizationToken', 'GET']));
  });
});
