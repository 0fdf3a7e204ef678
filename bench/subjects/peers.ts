import { type Environment, run } from '../../__tests__/e2e/engines/process.ts';
import { tool } from '../../__tests__/e2e/engines/tools.ts';
import { openLayout } from '../../src/layout/layout.ts';
import { buildArguments, REPOSITORY } from '../world/builder.ts';
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
