import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { BatchCheckLayerAvailabilityCommand, type ECRClient, paginateListImages } from '@aws-sdk/client-ecr';
import { ecrClient } from '../../__tests__/emulator/support.ts';
import { DEFAULT_ACCOUNT, type EmulatorOptions, startEmulator } from '../../emulator/emulator.ts';
import { startArtifactService } from '../../emulator/github/artifactService.ts';
import type { RecordedRequest } from '../../emulator/traffic.ts';

/** A role that every job may assume. */
export const ROLE = `arn:aws:iam::${DEFAULT_ACCOUNT}:role/publish`;

/** The call by which the soak looks at the tags: the action makes no such call, so that faults can leave it alone. */
export const LOOKING = 'ListImages';

/** What tags show, in each region. */
export type Shown = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** What was asked of the emulator. */
export interface Traffic {
  readonly requests: number;
  /** Those that were one too many for a quota. */
  readonly throttled: number;
  /** Bytes of blobs that came. */
  readonly uploaded: number;
}

/** ECR in a box and GitHub's artifacts, for one scenario. */
export interface World {
  readonly regions: readonly string[];
  /** A folder that is gone when the world is. */
  readonly dir: string;
  /** The whole environment of a step. */
  readonly environment: Record<string, string>;
  /** What a job of a workflow run has besides, to hand legs over. */
  job(name: string, attempt?: number): Record<string, string>;
  /** What came since it was last asked, but for what the soak itself asked. */
  traffic(): Traffic;
  /** What all tags of a repository show. */
  shown(repository: string): Promise<Shown>;
  /** Those of the layers that a region lacks, as `region: digest`. */
  lacking(repository: string, digests: readonly string[]): Promise<string[]>;
  createRepository(name: string, immutable: boolean): void;
}

export interface WorldOptions extends Pick<EmulatorOptions, 'regions' | 'behaviour' | 'fault'> {
  /** A folder that is there. */
  readonly dir: string;
}

const RUN_ID = '4711';
/** The most digests that one BatchCheckLayerAvailability takes. */
const DIGESTS = 100;

/** Starts a world without repositories, and ends it when the work is done. */
export async function withWorld<T>(options: WorldOptions, work: (world: World) => Promise<T>): Promise<T> {
  const { close, ...world } = await startWorld(options);
  try {
    return await work(world);
  } finally {
    await close();
  }
}

async function startWorld(options: WorldOptions): Promise<World & { close(): Promise<void> }> {
  const { regions } = options;
  const dir = await mkdtemp(join(options.dir, 'world-'));
  await mkdir(join(dir, 'home'));
  const emulator = await startEmulator({
    ...options,
    dir,
    roles: { [ROLE]: { trust: [{ principals: [DEFAULT_ACCOUNT] }] } },
  });
  const artifacts = await startArtifactService();
  const clients = regions.map((region) => ({ region, client: ecrClient(emulator, region) }));
  let seen = 0;
  return {
    regions,
    dir,
    environment: environmentOf(dir, emulator.endpoint),
    job: (name, attempt = 1) => ({
      ACTIONS_RESULTS_URL: artifacts.url,
      ACTIONS_RUNTIME_TOKEN: artifacts.token(RUN_ID, name, attempt),
      GITHUB_RUN_ID: RUN_ID,
      GITHUB_RUN_ATTEMPT: String(attempt),
      GITHUB_JOB: name,
    }),
    traffic() {
      const since = emulator.requests.slice(seen);
      seen += since.length;
      return trafficOf(since);
    },
    async shown(repository) {
      const listed = clients.map(
        async ({ region, client }) => [region, await tagsIn(client, repository)] as const,
      );
      return new Map(await Promise.all(listed));
    },
    async lacking(repository, digests) {
      const asked = clients.map(async ({ region, client }) =>
        (await lackingIn(client, repository, digests)).map((digest) => `${region}: ${digest}`),
      );
      return (await Promise.all(asked)).flat();
    },
    createRepository: (name, immutable) =>
      emulator.createRepository(name, immutable ? { imageTagMutability: 'IMMUTABLE' } : {}),
    async close() {
      for (const { client } of clients) client.destroy();
      await Promise.all([artifacts.close(), emulator.close()]);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Nothing of this machine's own gets in: no profile, no credentials, no proxy. */
function environmentOf(dir: string, endpoint: string): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    HOME: join(dir, 'home'),
    RUNNER_ENVIRONMENT: 'github-hosted',
    AWS_ENDPOINT_URL_ECR: endpoint,
    AWS_ENDPOINT_URL_STS: endpoint,
    AWS_ACCESS_KEY_ID: 'AKIDSOAK',
    AWS_SECRET_ACCESS_KEY: 'secret',
  };
}

function trafficOf(requests: readonly RecordedRequest[]): Traffic {
  const asked = requests.filter(({ operation }) => operation !== LOOKING);
  const uploads = asked.filter(({ method, path }) => method === 'PUT' && path.includes('/blobs/uploads/'));
  return {
    requests: asked.length,
    throttled: asked.filter(isThrottled).length,
    uploaded: uploads.reduce((sum, { received }) => sum + received, 0),
  };
}

/** The JSON API answers 400 to whatever it refuses, and without faults it has nothing else to refuse. */
function isThrottled({ status, operation }: RecordedRequest): boolean {
  return status === 429 || (status === 400 && operation !== undefined);
}

async function tagsIn(client: ECRClient, repositoryName: string): Promise<ReadonlyMap<string, string>> {
  const tags = new Map<string, string>();
  for await (const { imageIds = [] } of paginateListImages(
    { client },
    { repositoryName, filter: { tagStatus: 'TAGGED' } },
  )) {
    for (const { imageTag = '', imageDigest = '' } of imageIds) tags.set(imageTag, imageDigest);
  }
  return tags;
}

async function lackingIn(
  client: ECRClient,
  repositoryName: string,
  digests: readonly string[],
): Promise<string[]> {
  const there = new Set<string>();
  for (let start = 0; start < digests.length; start += DIGESTS) {
    const layerDigests = digests.slice(start, start + DIGESTS);
    const { layers = [] } = await client.send(
      new BatchCheckLayerAvailabilityCommand({ repositoryName, layerDigests }),
    );
    for (const { layerDigest = '', layerAvailability } of layers) {
      if (layerAvailability === 'AVAILABLE') there.add(layerDigest);
    }
  }
  return digests.filter((digest) => !there.has(digest));
}
