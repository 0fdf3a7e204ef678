import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod/mini';
import type { Manifest } from '../image/manifest.ts';
import type { Platform } from '../image/platform.ts';
import { openLayout } from '../layout/layout.ts';
import { DISK_FULL, Problems } from '../problems.ts';
import type { Source } from '../release/content.ts';
import type { Replica } from '../release/replicate.ts';
import type { Spool } from '../release/spool.ts';
import { type AttestationSetting, attestations, type BuildOptions, buildxArguments } from './arguments.ts';
import { type Builder, findRoute, inspectBuilder, type Route } from './builder.ts';
import type { CommandResult, Docker } from './docker.ts';
import { startIngest } from './ingest.ts';

export type Transport = 'auto' | 'registry' | 'layout';

export interface BuildRun {
  readonly options: BuildOptions;
  readonly platforms: readonly Platform[];
  readonly transport: Transport;
  readonly attestations: Omit<AttestationSetting, 'supported'>;
  /** The last part of the repository's name, which the builder's log shows. */
  readonly name: string;
  /** A folder of this run's own. */
  readonly dir: string;
  readonly spool: Spool;
  /** Given the source of the blobs: the spool, or the layout. They begin to copy while the build still runs. */
  readonly replicasFrom: (source: Source) => readonly Replica[];
}

/** What was built, where its content can be read, and what is being copied already. */
export interface Built {
  readonly root: Manifest;
  readonly source: Source;
  readonly replicas: readonly Replica[];
  /** What buildx wrote with `--metadata-file`, as JSON. */
  readonly metadata: string;
  readonly builder: string;
}

interface Log {
  info(message: string): void;
}

/**
 * Runs `docker buildx build` and takes its result over, through the ingest registry or as an OCI layout.
 * @throws Problems when there is no buildx, the build fails, or its result does not reach us
 */
export async function build(run: BuildRun, docker: Docker, log: Log): Promise<Built> {
  const builder = await inspectBuilder(docker, run.options.builder);
  const route = await chooseRoute(run.transport, docker, builder);
  const prepared = await prepare(run, builder);
  if (route.kind === 'registry') {
    log.info(`The builder ${builder.name} (${builder.driver}) pushes to this job at ${route.host}`);
    const built = await buildToRegistry(run, prepared, route, docker, log);
    if (built) return { ...built, builder: builder.name };
    log.info('The builder could not reach this job; its result is fetched as an OCI layout instead');
  } else {
    log.info(`The result is fetched as an OCI layout: ${route.why}`);
  }
  return { ...(await buildToLayout(run, prepared, docker)), builder: builder.name };
}

async function chooseRoute(transport: Transport, docker: Docker, builder: Builder): Promise<Route> {
  if (transport === 'layout') return { kind: 'layout', why: 'input "transport" asks for it' };
  const route = await findRoute(docker, builder);
  if (transport === 'auto') return route;
  if (route.kind === 'registry') return { ...route, certain: true };
  throw new Problems([`input "transport" is "registry", but ${route.why}: write "auto" or "layout"`]);
}

interface Prepared {
  readonly secretFiles: ReadonlyMap<string, string>;
  readonly attestations: readonly string[];
  readonly metadataFile: string;
}

/** Writes secrets to files that only this user can read; they never stand in the arguments. */
async function prepare(
  { options, dir, attestations: setting }: BuildRun,
  builder: Builder,
): Promise<Prepared> {
  const secretDir = join(dir, 'secrets');
  await mkdir(secretDir, { recursive: true, mode: 0o700 });
  const secretFiles = new Map<string, string>();
  for (const [position, secret] of [...options.secrets, ...gitToken(options)].entries()) {
    const equals = secret.indexOf('=');
    const path = join(secretDir, String(position));
    await writeFile(path, secret.slice(equals + 1), { mode: 0o600 });
    secretFiles.set(secret.slice(0, equals), path);
  }
  return {
    secretFiles,
    attestations: attestations(options, { ...setting, supported: builder.driver !== 'docker' }),
    metadataFile: join(dir, 'metadata.json'),
  };
}

/** A Git context is fetched by the builder itself, which needs the job's token for a private repository. */
function gitToken({ context, githubToken, secrets }: BuildOptions): string[] {
  const remote = /^(https?|git|ssh):\/\/|^git@/.test(context);
  const given = secrets.some((secret) => secret.startsWith('GIT_AUTH_TOKEN='));
  return remote && githubToken && !given ? [`GIT_AUTH_TOKEN=${githubToken}`] : [];
}

/** Gives nothing when the builder never reached the registry and need not have been able to. */
async function buildToRegistry(
  run: BuildRun,
  prepared: Prepared,
  route: Extract<Route, { kind: 'registry' }>,
  docker: Docker,
  log: Log,
): Promise<Omit<Built, 'builder'> | undefined> {
  const replicas = run.replicasFrom(run.spool);
  const ingest = await startIngest({ host: route.host, name: run.name, spool: run.spool, replicas }).catch(
    (error: NodeJS.ErrnoException) => {
      // A bridge's gateway that is no address of this machine: its docker engine runs elsewhere.
      if (error.code !== 'EADDRNOTAVAIL') throw error;
      log.info(`${route.host} is not an address of this machine`);
    },
  );
  if (!ingest) return undefined;
  try {
    const output = `type=image,push=true,registry.insecure=true,oci-mediatypes=true,name=${ingest.reference}`;
    const { code, stderr } = await runBuildx(run, prepared, output, docker);
    // The reference is shown only by a build that came as far as pushing: before that it failed for its own reasons.
    const tried = stderr.includes(ingest.reference);
    if (code !== 0 && tried && !ingest.reached && !route.certain) return undefined;
    if (ingest.diskFull) throw new Problems([DISK_FULL]);
    if (code !== 0) throw buildFailed(code);
    if (!ingest.root)
      throw new Problems(['docker buildx ended well, but pushed nothing: see its output above']);
    return { root: ingest.root, source: run.spool, replicas, metadata: await readMetadata(prepared) };
  } finally {
    await ingest.close();
  }
}

async function buildToLayout(
  run: BuildRun,
  prepared: Prepared,
  docker: Docker,
): Promise<Omit<Built, 'builder'>> {
  const dest = join(run.dir, 'layout');
  const { code } = await runBuildx(
    run,
    prepared,
    `type=oci,tar=false,oci-mediatypes=true,dest=${dest}`,
    docker,
  );
  if (code !== 0) throw buildFailed(code);
  const { source, root } = await openLayout(dest);
  return { root, source, replicas: run.replicasFrom(source), metadata: await readMetadata(prepared) };
}

function runBuildx(
  run: BuildRun,
  prepared: Prepared,
  output: string,
  docker: Docker,
): Promise<CommandResult> {
  return docker.show(buildxArguments(run.options, { ...prepared, platforms: run.platforms, output }));
}

function buildFailed(code: number): Problems {
  return new Problems([`docker buildx build failed with exit code ${code}: see its output above`]);
}

/** The metadata as buildx wrote it, less the name under which it was pushed to us, which is gone by now. */
async function readMetadata({ metadataFile }: Prepared): Promise<string> {
  const text = await readFile(metadataFile, 'utf8').catch(() => '{}');
  const { 'image.name': _, ...metadata } = z.parse(z.looseObject({}), JSON.parse(text));
  return JSON.stringify(metadata);
}
