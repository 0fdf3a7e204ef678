import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Behaviour } from '../../emulator/behaviour.ts';
import { DEFAULT_ACCOUNT, type Emulator, startEmulator } from '../../emulator/emulator.ts';
import type { Fault } from '../../emulator/traffic.ts';
import type { Limits } from '../../src/distribution/limits.ts';
import type { RetryPolicy } from '../../src/distribution/retry.ts';
import { BlobStore } from '../../src/distribution/server/blobStore.ts';
import { createTransport } from '../../src/distribution/transport.ts';
import type { Digest } from '../../src/image/digest.ts';
import type { Services } from '../../src/modes/services.ts';
import type { Leg } from '../../src/release/leg.ts';
import { SWIFT } from '../support/emulated.ts';
import { SILENT } from '../support/memory.ts';
import { apisOf, rolesOf } from './apis.ts';
import { type Elsewhere, startElsewhere } from './elsewhere.ts';
import type { Powers, Span } from './kinds.ts';
import { ALIAS, PUBLIC, REPOSITORY, SOURCE, TAG, UPSTREAM } from './release.ts';

/** How long is waited for what does not come, in milliseconds: where that is what is tried, and where it is not. */
const WAITS = { short: 1_000, long: 15_000 };

function limitsOf(wait: number): Partial<Limits> {
  return { connect: wait, answer: wait, uploadAnswer: wait, stall: wait, patience: wait, rest: wait / 2 };
}

/** Tries that come soon, and as many as it takes to outlast what is not to last. */
const RETRY: RetryPolicy = { retries: 3, throttled: 4, silent: 4, minDelay: 20, maxDelay: 80 };
/** How long a region is away that comes back, in milliseconds. */
const AWAY = 40;

/** A cloud of its own for one cell, and what a mode needs to publish in it. */
export interface World {
  readonly emulator: Emulator;
  readonly elsewhere: Elsewhere;
  readonly services: Services;
  readonly powers: Powers;
  /** The step's own folder, which its end removes. */
  readonly dir: string;
  /** Ends the step as the entry does: closes connections, and removes the folder. */
  leave(): Promise<void>;
  /** Ends the cloud. */
  end(): Promise<void>;
}

export interface WorldOptions {
  /** Tells the worlds of one machine apart. */
  readonly id: number;
  readonly behaviour?: Partial<Behaviour>;
  readonly regions: readonly string[];
  readonly roles?: readonly string[];
  readonly fault: (powers: Powers) => Fault;
  /** Whether somebody will be waited for in vain: for a moment, or for good. */
  readonly silence?: Span;
}

/** Where nobody else opens ports, so that one that was closed can be opened again; other systems know one address alone. */
function addressOf(id: number): string {
  return process.platform === 'linux' ? `127.77.${1 + Math.floor(id / 250)}.${1 + (id % 250)}` : '127.0.0.1';
}

export async function startWorld(options: WorldOptions): Promise<World> {
  const { id, regions, behaviour, roles = [], fault, silence } = options;
  const host = addressOf(id);
  const elsewhere = await startElsewhere(host, (region, tag) => {
    const { tags, manifests } = emulator.look(region, repositoryIn(region));
    const digest = tags.get(tag) ?? tags.get(TAG);
    return digest && manifests.get(digest);
  });
  let now = 0;
  let full = false;
  const away = new Set<string>();
  const reopening: Promise<void>[] = [];
  const all = [...regions, SOURCE];
  const powers: Powers = {
    regions: all,
    shown: (region) => tagIn(emulator, region),
    elsewhere: elsewhere.url,
    challenge: (region) =>
      region === PUBLIC
        ? `Bearer realm="${emulator.url(PUBLIC)}/token/",service="public.ecr.aws",scope="aws"`
        : 'Basic realm="https://registry/",service="ecr.amazonaws.com"',
    leap: (milliseconds) => {
      now += milliseconds;
    },
    fillDisk: () => {
      full = true;
    },
    async cutOff(wanted, span) {
      const cut = wanted.filter((region) => !away.has(region));
      for (const region of cut) away.add(region);
      await Promise.all(cut.map((region) => emulator.shut(region)));
      if (span === 'once') reopening.push(...cut.map((region) => reopen(emulator, region)));
      return 'reset';
    },
  };
  const emulator = await startEmulator({
    regions: all.filter((region) => region !== PUBLIC),
    repositories: [],
    host,
    ...(all.includes(PUBLIC) && { public: { aliases: { [DEFAULT_ACCOUNT]: ALIAS } } }),
    roles: rolesOf(roles),
    behaviour: { quotas: {}, ...behaviour },
    now: () => Date.now() + now,
    fault: fault(powers),
  });
  const dir = await mkdtemp(join(tmpdir(), 'ecr-multiarch-faults-'));
  const { services, close } = servicesOf(emulator, dir, roles, silence, () => full);
  return {
    emulator,
    elsewhere,
    services,
    powers,
    dir,
    async leave() {
      await close();
      await rm(dir, { recursive: true, force: true });
    },
    async end() {
      await Promise.all(reopening);
      await Promise.all([emulator.close(), elsewhere.close()]);
    },
  };
}

/** What the release's tag shows, there or at the source. */
function tagIn(emulator: Emulator, region: string): Digest | undefined {
  return emulator.look(region, repositoryIn(region)).tags.get(TAG);
}

function repositoryIn(region: string): string {
  return region === SOURCE ? UPSTREAM : REPOSITORY;
}

async function reopen(emulator: Emulator, region: string): Promise<void> {
  await sleep(AWAY);
  await emulator.reopen(region);
}

function servicesOf(
  emulator: Emulator,
  tempDir: string,
  roles: readonly string[],
  silence: Span | undefined,
  isFull: () => boolean,
): { services: Services; close(): Promise<void> } {
  const wait = silence ? WAITS.short : WAITS.long;
  const transport = createTransport({ connections: 6, userAgent: 'test', limits: limitsOf(wait) });
  const apis = apisOf(emulator, roles, wait);
  const legs: Leg[] = [];
  const nobody = () => {
    throw new Error('nobody is asked for that');
  };
  return {
    services: {
      log: { info() {}, warn() {}, group: (_, step) => step(), during: (_, step) => step() },
      run: {
        runId: '7',
        runAttempt: 1,
        job: 'build',
        call: undefined,
        repositoryUrl: '',
        runUrl: '',
        privateRepository: false,
        noDefaultAttestations: false,
        tempDir,
        apiOverridden: true,
        publicEndpoint: emulator.publicUrl,
      },
      docker: { ask: nobody, show: nobody },
      legs: { save: async (leg) => void legs.push(leg), list: async () => legs },
      openStore: (dir) => new BlobStore(dir, (path) => openFile(path, isFull)),
      transport,
      retry: { ...RETRY, ...(silence === 'lasting' && { silent: 1 }) },
      patience: SWIFT,
      observer: SILENT,
      cancellation: { signal: new AbortController().signal, hold: (work) => work() },
      createApi: apis.createApi,
      createPublicApi: apis.createPublicApi,
      logins: async () => undefined,
      dockerConfig: nobody,
      mask: () => undefined,
    },
    async close() {
      apis.close();
      await transport.close();
    },
  };
}

/** A file on a disk that may be full. */
async function openFile(path: string, isFull: () => boolean) {
  const file = await open(path, 'wx+');
  return {
    read: file.read.bind(file),
    close: file.close.bind(file),
    writev: async (...args: Parameters<typeof file.writev>) => {
      if (isFull()) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
      return file.writev(...args);
    },
  };
}
