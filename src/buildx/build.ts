import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { safeJson } from '../distribution/errors.ts';
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
import { type Ingest, startIngest } from './ingest.ts';

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
  /** The folder of docker's settings, with the logins that the builder asks for, where it is not the usual one. */
  readonly dockerConfig?: string | undefined;
  readonly spool: Spool;
  /** Ends the build. */
  readonly signal: AbortSignal;
  /** The page of the workflow's own repository, whose Git contexts alone get the job's token; empty for none. */
  readonly repositoryUrl: string;
  /**
   * Makes the regions ready to be pushed to, and gives what copies a source to them: the spool, while its blobs still
   * arrive, or a layout. Begun when the builder is known to be there; the build goes on meanwhile, and is broken off
   * when this fails.
   */
  readonly open: () => Promise<(source: Source) => readonly Replica[]>;
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
 * @throws Problems when there is no buildx, the build fails, or its result does not reach us; and what `open` throws
 */
export async function build(run: BuildRun, docker: Docker, log: Log): Promise<Built> {
  const builder = await inspectBuilder(docker, run.options.builder);
  const route: Route =
    run.transport === 'layout'
      ? { kind: 'layout', why: 'input "transport" asks for it' }
      : await findRoute(docker, builder);
  if (route.kind === 'layout') assertLayoutAllowed(run, route.why);
  const prepared = await prepare(run, builder);
  const replicate = run.open();
  // Told by the build that it ends, and here until there is one.
  replicate.catch(() => undefined);
  const pushed =
    route.kind === 'registry'
      ? await buildToRegistry(run, { ...prepared, replicate, builder, host: route.host }, docker, log)
      : route;
  if (pushed.kind === 'built') return { ...pushed, builder: builder.name };
  assertLayoutAllowed(run, pushed.why);
  log.info(`The result is fetched as an OCI layout: ${pushed.why}`);
  return { ...(await buildToLayout(run, { ...prepared, replicate }, docker)), builder: builder.name };
}

function assertLayoutAllowed({ transport }: BuildRun, why: string): void {
  if (transport !== 'registry') return;
  throw new Problems([`input "transport" is "registry", but ${why}: write "auto" or "layout"`]);
}

interface Prepared {
  readonly secretFiles: ReadonlyMap<string, string>;
  readonly attestations: readonly string[];
  readonly metadataFile: string;
}

/** A build that is ready to start, while the regions are being opened. */
interface Started extends Prepared {
  readonly replicate: Promise<(source: Source) => readonly Replica[]>;
}

/** Writes secrets to files that only this user can read; they never stand in the arguments. */
async function prepare(run: BuildRun, builder: Builder): Promise<Prepared> {
  const { options, dir, attestations: setting } = run;
  const secretDir = join(dir, 'secrets');
  await mkdir(secretDir, { recursive: true, mode: 0o700 });
  const secretFiles = new Map<string, string>();
  for (const [position, secret] of [...options.secrets, ...gitToken(run)].entries()) {
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

/**
 * A Git context is fetched by the builder itself, which needs the job's token where it is this workflow's own repository.
 * No other host or repository is given it.
 */
function gitToken({ options: { context, githubToken, secrets }, repositoryUrl }: BuildRun): string[] {
  const [url] = context.split('#');
  const own = repositoryUrl !== '' && (url === repositoryUrl || url === `${repositoryUrl}.git`);
  const given = secrets.some((secret) => secret.startsWith('GIT_AUTH_TOKEN='));
  return own && githubToken && !given ? [`GIT_AUTH_TOKEN=${githubToken}`] : [];
}

type Pushed =
  | ({ readonly kind: 'built' } & Omit<Built, 'builder'>)
  /** The builder cannot reach us, and has to be asked for a layout. */
  | { readonly kind: 'unreachable'; readonly why: string };

async function buildToRegistry(
  run: BuildRun,
  started: Started & { readonly builder: Builder; readonly host: string },
  docker: Docker,
  log: Log,
): Promise<Pushed> {
  const { builder, host } = started;
  const replicas = started.replicate.then((replicate) => replicate(run.spool));
  replicas.catch(() => undefined);
  const ingest = await startIngest({ host, name: run.name, spool: run.spool, replicas }).catch(
    (error: NodeJS.ErrnoException) => {
      // A bridge's gateway that is no address of this machine: its docker engine runs elsewhere.
      if (error.code !== 'EADDRNOTAVAIL') throw error;
    },
  );
  if (!ingest) return { kind: 'unreachable', why: `${host} is not an address of this machine` };
  log.info(`The builder ${builder.name} (${builder.driver}) pushes to this job at ${host}`);
  try {
    const output = `type=image,push=true,registry.insecure=true,oci-mediatypes=true,name=${ingest.reference}`;
    const { code, stderr } = await runBuildx(run, started, output, docker, ingest.readLog);
    // The reference is shown only by a build that came as far as pushing: before that it failed for its own reasons.
    if (code !== 0 && !ingest.reached && stderr.includes(ingest.reference)) {
      return { kind: 'unreachable', why: `the builder could not reach this job at ${host}` };
    }
    if (ingest.diskFull) throw new Problems([DISK_FULL]);
    if (code !== 0) throw buildFailed(code);
    const metadata = await readMetadata(started);
    return {
      kind: 'built',
      root: pushedRoot(ingest, metadata),
      source: run.spool,
      replicas: await replicas,
      metadata: JSON.stringify(metadata),
    };
  } finally {
    await ingest.close();
  }
}

/** What was pushed, which has to be what buildx says that it pushed. */
function pushedRoot({ root }: Ingest, metadata: Metadata): Manifest {
  if (!root) throw new Problems(['docker buildx ended well, but pushed nothing: see its output above']);
  const said = metadata['containerimage.digest'];
  if (said !== undefined && said !== root.digest) {
    throw new Problems([
      `docker buildx says that it pushed ${said}, but ${root.digest} arrived: run the job again`,
    ]);
  }
  return root;
}

async function buildToLayout(
  run: BuildRun,
  started: Started,
  docker: Docker,
): Promise<Omit<Built, 'builder'>> {
  const dest = join(run.dir, 'layout');
  const { code } = await runBuildx(
    run,
    started,
    `type=oci,tar=false,oci-mediatypes=true,dest=${dest}`,
    docker,
  );
  if (code !== 0) throw buildFailed(code);
  const { source, root } = await openLayout(dest);
  return {
    root,
    source,
    replicas: (await started.replicate)(source),
    metadata: JSON.stringify(await readMetadata(started)),
  };
}

/** @throws what kept the regions from being opened, which ends the build */
async function runBuildx(
  run: BuildRun,
  started: Started,
  output: string,
  docker: Docker,
  line: (text: string) => void = () => undefined,
): Promise<CommandResult> {
  const stop = new AbortController();
  started.replicate.catch(() => stop.abort());
  const args = buildxArguments(run.options, { ...started, platforms: run.platforms, output });
  const signal = AbortSignal.any([stop.signal, run.signal]);
  const result = await docker.show(args, { line, signal, config: run.dockerConfig });
  if (stop.signal.aborted) await started.replicate;
  return result;
}

function buildFailed(code: number): Problems {
  return new Problems([`docker buildx build failed with exit code ${code}: see its output above`]);
}

const metadataSchema = z.looseObject({ 'containerimage.digest': z.optional(z.string()) });
type Metadata = z.infer<typeof metadataSchema>;

/** The metadata as buildx wrote it, less the name under which it was pushed to us, which is gone by now. */
async function readMetadata({ metadataFile }: Prepared): Promise<Metadata> {
  const text = await readFile(metadataFile, 'utf8').catch(() => '{}');
  const { data } = z.safeParse(metadataSchema, safeJson(text));
  if (!data) throw new Problems(['docker buildx wrote metadata that cannot be read: see its output above']);
  const { 'image.name': _, ...metadata } = data;
  return metadata;
}
