import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../__tests__/e2e/engines/process.ts';
import { describe, type Manifest } from '../../src/image/manifest.ts';
import { openLayout } from '../../src/layout/layout.ts';
import { readGraph } from '../../src/release/graph.ts';
import { REPOSITORY } from '../world/builder.ts';
import { type BlobFile, blobsIn } from '../world/image.ts';
import type { World } from '../world/world.ts';

/**
 * The least that it can take: each blob to each host on a connection of its own, all at once. The uploads are begun
 * from here, and carried out by one curl a host.
 */
export async function bareUpload(
  dir: string,
  hosts: readonly string[],
  blobs: readonly BlobFile[],
): Promise<number> {
  const startedAt = performance.now();
  await Promise.all(
    hosts.map(async (host, position) => {
      const config = join(dir, `curl-${position}`);
      const targets = await Promise.all(blobs.map((blob) => beginUpload(host, blob)));
      const transfers = blobs.map(({ path }, each) =>
        [`upload-file = "${path}"`, `url = "${targets[each]}"`, 'header = "Expect:"', 'fail', 'silent'].join(
          '\n',
        ),
      );
      await writeFile(config, transfers.join('\noutput = "/dev/null"\nnext\n'));
      const args = ['--parallel', '--parallel-immediate', '--parallel-max', '100', '--config', config];
      await run('curl', args, { env: { PATH: '/usr/bin:/bin' } });
    }),
  );
  return (performance.now() - startedAt) / 1000;
}

async function beginUpload(host: string, { digest }: BlobFile): Promise<string> {
  const url = `http://${host}/v2/${REPOSITORY}/blobs/uploads/`;
  const answer = await fetch(url, { method: 'POST' });
  await answer.arrayBuffer();
  const target = new URL(answer.headers.get('location') ?? '', url);
  target.searchParams.set('digest', digest);
  return target.href;
}

/**
 * The least that a release can take, which is visible in all regions or in none and was read back: a token, then the bare upload,
 * and when all regions have everything below it the images, the index, the tag and its reading, each of which waits for the
 * one before. The content is ready beforehand.
 */
export async function bareRelease(
  dir: string,
  { hosts, regions, apiEndpoint }: Pick<World, 'hosts' | 'regions' | 'apiEndpoint'>,
  layout: string,
  tag: string,
): Promise<number> {
  const blobs = await blobsIn(layout);
  const { root, source } = await openLayout(layout);
  const { manifests } = await readGraph(describe(root), source);
  const images = manifests.filter(({ digest }) => digest !== root.digest);
  const startedAt = performance.now();
  await everywhere(regions, (region) => askForToken(apiEndpoint, region));
  await bareUpload(dir, hosts, blobs);
  await everywhere(hosts, (host) => everywhere(images, (image) => put(host, image.digest, image)));
  await everywhere(hosts, (host) => put(host, root.digest, root));
  await everywhere(hosts, (host) => put(host, tag, root));
  await everywhere(hosts, async (host) => {
    const answer = await fetch(`http://${host}/v2/${REPOSITORY}/manifests/${tag}`, {
      headers: { accept: root.mediaType },
    });
    await answer.arrayBuffer();
    if (answer.headers.get('docker-content-digest') !== root.digest)
      throw new Error('another image is shown');
  });
  return (performance.now() - startedAt) / 1000;
}

async function everywhere<T>(all: readonly T[], work: (each: T) => Promise<unknown>): Promise<void> {
  await Promise.all(all.map(work));
}

async function askForToken(apiEndpoint: string, region: string): Promise<void> {
  const answer = await fetch(apiEndpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken',
      authorization: `AWS4-HMAC-SHA256 Credential=BENCH/20260101/${region}/ecr/aws4_request`,
    },
    body: '{}',
  });
  await answer.arrayBuffer();
  if (!answer.ok) throw new Error(`the API answered ${answer.status}`);
}

async function put(host: string, reference: string, { bytes, mediaType }: Manifest): Promise<void> {
  const answer = await fetch(`http://${host}/v2/${REPOSITORY}/manifests/${reference}`, {
    method: 'PUT',
    headers: { 'content-type': mediaType },
    body: new Uint8Array(bytes),
  });
  await answer.arrayBuffer();
  if (!answer.ok) throw new Error(`the registry answered ${answer.status}`);
}
