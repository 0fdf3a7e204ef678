import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Environment, run } from '../../__tests__/e2e/engines/process.ts';
import { tool } from '../../__tests__/e2e/engines/tools.ts';
import { openLayout } from '../../src/layout/layout.ts';
import { buildArguments, REPOSITORY } from '../world/builder.ts';
import type { BlobFile } from '../world/image.ts';
import { timed } from './timed.ts';

/** `docker buildx build --push` with a tag for each host: spelled out, for the same media types as ours. */
export async function buildxPush(
  environment: Environment,
  hosts: readonly string[],
  { context, tag }: { context: string; tag: string },
): Promise<number> {
  const names = hosts.map((host) => `${host}/${REPOSITORY}:${tag}`).join(',');
  const output = `type=image,push=true,oci-mediatypes=true,"name=${names}"`;
  const args = ['buildx', ...buildArguments(output, context)];
  return (await timed({ command: tool('docker'), args, env: environment })).seconds;
}

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

/** Puts the image of an OCI layout into a registry, whatever that takes. */
export async function seed(origin: string, layout: string, tag: string): Promise<void> {
  const reference = `${new URL(origin).host}/${REPOSITORY}:${tag}`;
  const env = { PATH: '/usr/bin:/bin', HOME: layout };
  await run(tool('crane'), ['push', '--insecure', '--index', layout, reference], { env });
  // crane takes the layout's own index.json for the image: the tag belongs to the index that is in it.
  const { root } = await openLayout(layout);
  const answer = await fetch(`${origin}/v2/${REPOSITORY}/manifests/${tag}`, {
    method: 'PUT',
    headers: { 'content-type': root.mediaType },
    body: new Uint8Array(root.bytes),
  });
  if (!answer.ok) throw new Error(`the registry refused the root: ${await answer.text()}`);
}
