import type { Emulator } from '../../emulator/emulator.ts';
import type { RecordedRequest } from '../../emulator/traffic.ts';
import type { Docker } from '../../src/buildx/docker.ts';
import type { HttpRequest, Transport } from '../../src/distribution/transport.ts';
import { parseInputs } from '../../src/inputs/inputs.ts';
import { runBuild } from '../../src/modes/build.ts';
import { runMirror } from '../../src/modes/mirror.ts';
import type { Outcome, RunContext, Services } from '../../src/modes/services.ts';
import { runStitch } from '../../src/modes/stitch.ts';
import { Problems } from '../../src/problems.ts';
import type { Leg } from '../../src/release/leg.ts';
import { logIn, type Who } from '../emulator/support.ts';
import { withDefaults } from '../main/inputs.ts';
import { REGIONS, REPOSITORY } from '../support/emulated.ts';
import { makeFolder } from '../support/folder.ts';
import type { Graph, Image } from '../support/images.ts';
import { writeLayout } from '../support/layout.ts';
import { serveGraph } from '../support/registry.ts';
import { servicesWith, type TestServices } from '../support/services.ts';

/** A step's inputs, as a workflow has them. */
export type Given = Readonly<Record<string, string>>;

/** What a step has to do with beside its inputs. */
export interface Around {
  readonly run?: Partial<RunContext>;
  readonly left?: readonly Leg[];
  readonly docker?: Docker;
  /** Collaborators of other kinds than the tests' own. */
  readonly services?: (own: TestServices) => Partial<Services>;
}

/** What came of a step. */
export interface Acted {
  readonly outcome: Outcome;
  /** The states of the results, in order. */
  readonly states: readonly string[];
  /** What failed, where anything did. */
  readonly errors: readonly string[];
  /** The bytes that each destination was sent. */
  readonly sent: readonly number[];
  readonly masked: readonly string[];
  /** What was sent to registries and storage, without the answers. */
  readonly asked: readonly HttpRequest[];
}

/** Runs a step of the action from its inputs to its outcome, with what surrounds it in memory. */
export async function act(given: Given, around: Around = {}): Promise<Acted> {
  const where: Given = given.destinations === undefined ? { regions: REGIONS.join() } : {};
  const values = await withDefaults({ repository: REPOSITORY, ...where, ...given });
  const { inputs } = await parseInputs((name) => values.get(name) ?? '', {});
  const own = await servicesWith({
    run: { ...around.run },
    ...(around.left && { left: [...around.left] }),
    ...(around.docker && { docker: around.docker }),
  });
  const asked: HttpRequest[] = [];
  const noted = { ...own, transport: noting(own.transport, asked) };
  const services: Services = { ...noted, ...around.services?.(noted) };
  const outcome = await runMode(inputs, services);
  return {
    outcome,
    states: outcome.results.map(({ state }) => state),
    errors: outcome.results.flatMap(({ error }) => error ?? []),
    sent: outcome.results.map(({ sent }) => sent),
    masked: own.masked,
    asked,
  };
}

function runMode(
  inputs: Awaited<ReturnType<typeof parseInputs>>['inputs'],
  services: Services,
): Promise<Outcome> {
  switch (inputs.mode) {
    case 'build':
      return runBuild(inputs, services);
    case 'stitch':
      return runStitch(inputs, services);
    case 'mirror':
      return runMirror(inputs, services);
    case 'plan':
      throw new Error('a plan asks nobody for anything');
  }
}

function noting(transport: Transport, asked: HttpRequest[]): Transport {
  return {
    send(request) {
      asked.push(request);
      return transport.send(request);
    },
    prepare: (url) => transport.prepare(url),
    close: () => transport.close(),
  };
}

/** Mirrors an image from a public registry to `v1` in all regions, as far as the inputs do not say otherwise. */
export async function mirror(graph: Graph, given: Given = {}, around: Around = {}): Promise<Acted> {
  const { repository } = await serveGraph(graph, '1');
  return act({ mode: 'mirror', source: `${repository}:1`, tags: 'v1', ...given }, around);
}

/** Publishes an image from an OCI layout as `v1` in all regions, as far as the inputs do not say otherwise. */
export async function publish(graph: Graph, given: Given = {}, around: Around = {}): Promise<Acted> {
  const dir = await makeFolder();
  await writeLayout(dir, graph);
  return act({ 'oci-layout': dir, legs: 'none', tags: 'v1', ...given }, around);
}

/** Stitches images that build jobs have landed, or some of them, to `v1` in all regions. */
export function stitch(images: readonly Image[], given: Given = {}, around: Around = {}): Promise<Acted> {
  const left = images.map((image): Leg => legOf(image));
  return act({ mode: 'stitch', tags: 'v1', ...given }, { left, ...around });
}

function legOf({ root, listed }: Image): Leg {
  return {
    schema: 'ecr-multiarch/leg/v1',
    repository: REPOSITORY,
    runId: '7',
    runAttempt: 1,
    job: 'build',
    builder: 'default',
    root: root.digest,
    images: [{ descriptor: listed, bytes: 10 }],
    attestations: [],
    destinations: [],
  };
}

/** Lands images by digest, as build jobs do. */
export async function land(images: readonly Image[], given: Given = {}): Promise<void> {
  for (const image of images) {
    const { errors } = await publish(image, { tags: '', ...given });
    if (errors.length > 0) throw new Error(errors.join('\n'));
  }
}

/** The problems that keep a step from being done; it is an error when there are none. */
export async function problemsOf(acting: Promise<unknown>): Promise<readonly string[]> {
  const error = await acting.then(
    () => new Error('nothing was wrong'),
    (reason: unknown) => reason,
  );
  if (error instanceof Problems) return error.problems;
  throw error;
}

/** The digest that a tag, or a digest, shows in each region, as a client other than the action is told it. */
export async function shown(
  emulator: Emulator,
  reference = 'v1',
  { regions = REGIONS, repository = REPOSITORY, who }: Asking = {},
): Promise<(string | null)[]> {
  return Promise.all(
    regions.map(async (region) => {
      const { call } = await logIn(emulator, region, who);
      const answer = await call('HEAD', `/v2/${repository}/manifests/${reference}`);
      return answer.headers.get('docker-content-digest');
    }),
  );
}

interface Asking {
  readonly regions?: readonly string[];
  readonly repository?: string;
  readonly who?: Who;
}

/** What a request is: `PUT manifests`, `POST uploads`, or an operation of the JSON API. */
export function kindOf({ method, path, operation }: RecordedRequest | Call): string {
  return operation ?? `${method} ${path.split('?')[0]?.split('/').at(-2) ?? ''}`;
}

interface Call {
  readonly method: string;
  readonly path: string;
  readonly operation?: string;
}

/** The statuses of all requests of a kind, in the order in which they came. */
export function statusesOf(
  { requests }: Pick<Emulator, 'requests'>,
  kind: string,
  region?: string,
): number[] {
  return requests
    .filter((request) => kindOf(request) === kind && (region === undefined || request.region === region))
    .map(({ status }) => status);
}

/** The bytes of all blobs of an image, each counted once. */
export function bytesOf({ blobs }: Graph): number {
  return [...blobs.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
}

/** The same for each region. */
export function everywhere<T>(value: T, regions: readonly string[] = REGIONS): T[] {
  return regions.map(() => value);
}
