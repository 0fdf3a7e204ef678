import { Readable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { BlobStore } from '../../src/distribution/server/blobStore.ts';
import { createRegistryHandler } from '../../src/distribution/server/handler.ts';
import { listen } from '../../src/distribution/server/listen.ts';
import { OCI_INDEX } from '../../src/image/mediaTypes.ts';
import { MemoryBackend } from '../distribution/server/memoryBackend.ts';
import { atEnd } from '../support/ends.ts';
import { makeFolder } from '../support/folder.ts';
import { attestationOf, type Graph, imageOf, indexOf, manifestOf } from '../support/images.ts';
import { REGIONS, startCloud } from './cloud.ts';
import { TARGET } from './layouts.ts';
import { each, statesOf } from './results.ts';
import { runStep } from './step.ts';

const amd64 = imageOf('linux/amd64');
const arm64 = imageOf('linux/arm64');
const index = indented(indexOf([amd64, arm64, attestationOf(arm64)]));

/** The same index with white space in it, which only a copy byte for byte keeps. */
function indented({ root, manifests, blobs }: Graph): Graph {
  const spaced = manifestOf(
    JSON.stringify(JSON.parse(Buffer.from(root.bytes).toString()), null, 2),
    OCI_INDEX,
  );
  const rest = [...manifests].filter(([digest]) => digest !== root.digest);
  return { root: spaced, manifests: new Map([...rest, [spaced.digest, spaced]]), blobs };
}

/** A registry that answers anybody, with this graph under `app/web:1.29`; gives its host. */
async function startSource({ root, manifests, blobs }: Graph): Promise<string> {
  const store = new BlobStore(await makeFolder());
  const backend = new MemoryBackend(store);
  const { repositoryBackend } = backend;
  for (const [digest, content] of blobs) {
    const writer = await store.begin();
    await writer.append(Readable.from([Buffer.from(content)]));
    await writer.commit(digest);
  }
  for (const manifest of manifests.values()) await repositoryBackend.writeManifest(manifest.digest, manifest);
  await repositoryBackend.writeManifest('1.29', root);
  const server = await listen(createRegistryHandler(backend), { host: '127.0.0.1', port: 0 });
  atEnd(() => server.close());
  return `127.0.0.1:${server.port}`;
}

async function mirrorInputs(graph: Graph): Promise<Record<string, string>> {
  return { ...TARGET, mode: 'mirror', source: `${await startSource(graph)}/app/web:1.29` };
}

describe('mirror', () => {
  test("copies an image whole into every region, under the source's tag and digest", async () => {
    const cloud = await startCloud();
    const { errors, outputs, summary, leftovers } = await runStep(await mirrorInputs(index));
    expect(errors).toEqual([]);
    expect(outputs.get('digest')).toBe(index.root.digest);
    expect(await cloud.shown('1.29')).toEqual(REGIONS.map(() => index.root.digest));
    for (const child of index.manifests.keys()) expect(await cloud.shown(child)).not.toContain(undefined);
    expect(statesOf(outputs.get('results'))).toEqual(each(REGIONS, 'published'));
    expect(summary).toContain('### Mirrored team/app');
    expect(leftovers).toEqual([]);
  });

  test('that was done before writes nothing', async () => {
    const cloud = await startCloud();
    const inputs = await mirrorInputs(index);
    await runStep(inputs);
    const before = cloud.writes().length;
    const { outputs } = await runStep(inputs);
    expect(statesOf(outputs.get('results'))).toEqual(each(REGIONS, 'unchanged'));
    expect(cloud.writes()).toHaveLength(before);
  });

  test('keeps only the platforms that are asked for, and what attests them', async () => {
    const cloud = await startCloud();
    const { errors, outputs } = await runStep({ ...(await mirrorInputs(index)), platforms: 'linux/arm64' });
    expect(errors).toEqual([]);
    const { manifests } = JSON.parse(outputs.get('metadata') ?? '');
    expect(manifests.map(({ digest }: { digest: unknown }) => digest)).toEqual([
      arm64.root.digest,
      attestationOf(arm64).root.digest,
    ]);
    expect(await cloud.shown(amd64.root.digest)).toEqual(REGIONS.map(() => undefined));
  });

  test.each([
    [
      'a platform',
      { platforms: 'linux/s390x' },
      /^input "platforms": .* has no linux\/s390x: it has linux\/amd64/,
    ],
    ['the tag', { tag: '9.9' }, /^input "source": .* has no image .*\/app\/web:9\.9$/],
    ['the repository', { repository: 'app/other' }, /^input "source": .*\/app\/other:1\.29 cannot be read: /],
  ])('of a source that lacks %s writes nothing', async (_, wanted, error) => {
    const cloud = await startCloud();
    const host = await startSource(index);
    const { repository = 'app/web', tag = '1.29', platforms = '' }: Record<string, string> = wanted;
    const source = `${host}/${repository}:${tag}`;
    const { errors } = await runStep({ ...TARGET, mode: 'mirror', source, platforms });
    expect(errors).toEqual([expect.stringMatching(error)]);
    expect(cloud.writes()).toEqual([]);
  });
});
