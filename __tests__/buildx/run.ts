import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BuildRun, build } from '../../src/buildx/build.ts';
import type { CommandResult } from '../../src/buildx/docker.ts';
import { BlobStore } from '../../src/distribution/server/blobStore.ts';
import { parsePlatform } from '../../src/image/platform.ts';
import { Holdings } from '../../src/release/holdings.ts';
import { Replica } from '../../src/release/replicate.ts';
import { Spool } from '../../src/release/spool.ts';
import { makeFolder } from '../support/folder.ts';
import { attestationOf, type Graph, imageOf, indexOf } from '../support/images.ts';
import { writeLayout } from '../support/layout.ts';
import { MemoryDestination, SILENT } from '../support/memory.ts';
import { push } from '../support/push.ts';
import { containerOn, dockerWith, type FakeDocker, OK, type Work } from './docker.ts';
import { optionsOf } from './options.ts';

const amd64 = imageOf('linux/amd64');

/** What is built, unless a test says otherwise. */
export const graph = indexOf([amd64, attestationOf(amd64)]);

/** Does what buildx does with `--output`: pushes the graph, or writes it as a layout; and writes the metadata. */
export async function buildGraph(args: readonly string[], built: Graph = graph): Promise<CommandResult> {
  const [, dest] = /,dest=([^,]+)/.exec(flagOf(args, '--output')) ?? [];
  const name = pushedName(args);
  if (name) await push(name, built);
  if (dest) await writeLayout(dest, built);
  const metadata = { 'containerimage.digest': built.root.digest, 'image.name': name };
  await writeFile(flagOf(args, '--metadata-file'), JSON.stringify(metadata));
  return { ...OK, stderr: `pushing ${name}` };
}

/** What the command's `--output` says to push, if it says so. */
export function pushedName(args: readonly string[]): string | undefined {
  return /,name=([^,]+)/.exec(flagOf(args, '--output'))?.[1];
}

export function flagOf(args: readonly string[], flag: string): string {
  return args[args.indexOf(flag) + 1] ?? '';
}

/** A docker with this builder, on the host's network if it is a container. */
export function dockerFor(inspected: string, work: Work = (args) => buildGraph(args)): FakeDocker {
  return dockerWith({
    'buildx version': OK,
    'buildx inspect': { stdout: inspected },
    'container inspect': containerOn('host'),
    'buildx build': work,
  });
}

/** Builds into one region in memory. */
export async function run(docker: FakeDocker, more: Partial<BuildRun> = {}) {
  const dir = await makeFolder();
  const destination = new MemoryDestination('region');
  const lines: string[] = [];
  const built = await build(
    {
      options: optionsOf(),
      platforms: [parsePlatform('linux/amd64')],
      transport: 'auto',
      attestations: { noDefault: false, privateRepository: false, runUrl: '' },
      repositoryUrl: 'https://github.com/o/r',
      name: 'app',
      dir,
      spool: new Spool(new BlobStore(join(dir, 'spool'))),
      signal: new AbortController().signal,
      regions: [Promise.resolve(new Holdings(destination))],
      open: async () => (source) => [new Replica(destination, source, { uploads: 4, observer: SILENT })],
      ...more,
    },
    docker,
    { info: (line) => lines.push(line) },
  );
  const builds = docker.commands.filter(([, command]) => command === 'build');
  return { built, destination, lines, outputs: builds.map((args) => flagOf(args, '--output')), builds };
}
