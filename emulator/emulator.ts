import { mkdtemp } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BlobStore } from '../src/distribution/server/blobStore.ts';
import { createRegistryHandler } from '../src/distribution/server/handler.ts';
import { type Listening, listen } from '../src/distribution/server/listen.ts';
import { addressed, operationOf, signatureScope } from './addresses.ts';
import { type AccessKeys, createApiHandler } from './api/handler.ts';
import { type Behaviour, ECR_BEHAVIOUR } from './behaviour.ts';
import { Cloud } from './state/cloud.ts';
import type { RepositorySettings } from './state/settings.ts';
import { regionOfBucket, Storage } from './storage.ts';
import { Tokens } from './tokens.ts';
import { type Fault, type RecordedRequest, type RequestFacts, watched } from './traffic.ts';
import { EcrBackend, type Presign } from './v2/backend.ts';

/** The account whose registries the emulator has when it is not told of another. */
export const DEFAULT_ACCOUNT = '123456789012';

export interface EmulatorOptions {
  readonly regions: readonly string[];
  /** The accounts that there are, of which the first is the callers'. */
  readonly accounts?: readonly string[];
  /** The account of each access key; without it, every key is the first account's. */
  readonly accessKeys?: AccessKeys;
  /** Repositories that are there from the start, in every account and region. */
  readonly repositories?: readonly string[];
  /** The address to listen on, loopback unless told otherwise. */
  readonly host?: string;
  /** The first region's port, the next region's being the next; 0 for ports that the system picks. */
  readonly port?: number;
  /** Where the blobs lie until the emulator is closed; a folder is made inside of it. */
  readonly dir?: string;
  readonly behaviour?: Partial<Behaviour>;
  readonly fault?: Fault;
  /** The clock, in epoch milliseconds. */
  readonly now?: () => number;
}

export interface EmulatedRegion {
  readonly region: string;
  /** Good for /v2/ of this region, and for the JSON API of every region. */
  readonly url: string;
  readonly port: number;
}

/** ECR in a box, running. */
export interface Emulator {
  readonly regions: readonly EmulatedRegion[];
  /** The address of the JSON API, for AWS_ENDPOINT_URL_ECR. */
  readonly endpoint: string;
  /** Every request since the start, in the order in which they came. */
  readonly requests: readonly RecordedRequest[];
  /** The URL of a region's port. */
  url(region: string): string;
  /** Makes a repository in the first account, in every region or in those named. */
  createRepository(name: string, settings?: Partial<RepositorySettings>, regions?: readonly string[]): void;
  /** Cuts all connections and removes what was stored. */
  close(): Promise<void>;
}

/**
 * Starts ECR in a box: several regions, each with its own port, and the object storage behind them on another.
 * @throws the system's error when a port is taken
 */
export async function startEmulator(options: EmulatorOptions): Promise<Emulator> {
  const core = await createCore(options);
  const { store, cloud, log } = core;
  const open: Listening[] = [];
  const close = async () => {
    await Promise.all(open.map((each) => each.close()));
    await store.destroy();
  };
  try {
    const regions = await listenEverywhere(options, core, open);
    const createRepository: Emulator['createRepository'] = (name, settings, where = options.regions) => {
      for (const region of where) {
        known(cloud.registry(cloud.accounts[0] ?? '', region), region, options.regions).create(
          name,
          settings,
        );
      }
    };
    for (const name of options.repositories ?? []) createRepository(name);
    const url = (region: string) => known(core.urls.get(region), region, options.regions);
    return { regions, endpoint: url(options.regions[0] ?? ''), requests: log, url, createRepository, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What the servers of one emulator share. */
interface Core {
  readonly behaviour: Behaviour;
  readonly now: () => number;
  readonly store: BlobStore;
  readonly cloud: Cloud;
  readonly tokens: Tokens;
  readonly storage: Storage;
  readonly log: RecordedRequest[];
  /** The URL of each region's port, once it listens. */
  readonly urls: Map<string, string>;
}

async function createCore(options: EmulatorOptions): Promise<Core> {
  const { regions, accounts = [DEFAULT_ACCOUNT], now = Date.now } = options;
  const behaviour = { ...ECR_BEHAVIOUR, ...options.behaviour };
  const store = new BlobStore(await mkdtemp(join(options.dir ?? tmpdir(), 'ecr-emulator-')));
  const cloud = new Cloud({ accounts, regions }, { behaviour, now, store });
  const storage = new Storage(store, now);
  return { behaviour, now, store, cloud, tokens: new Tokens(now), storage, log: [], urls: new Map() };
}

/** Opens the ports, and adds each to those that are open as soon as it is. */
async function listenEverywhere(
  options: EmulatorOptions,
  core: Core,
  open: Listening[],
): Promise<EmulatedRegion[]> {
  const { host = '127.0.0.1', port = 0, regions } = options;
  const { behaviour, cloud, log, now, storage, tokens, urls } = core;
  const watch = (...args: HandlerArguments) => watched({ log, fault: options.fault }, ...args);
  const openPort = async (offset: number, ...args: HandlerArguments) => {
    const listening = await listen(watch(...args), { host, port: port === 0 ? 0 : port + offset });
    open.push(listening);
    return { url: `http://${host}:${listening.port}`, port: listening.port };
  };
  const { url: storageUrl } = await openPort(regions.length, storageFacts, (...exchange) =>
    storage.handle(...exchange),
  );
  const presign: Presign = (digest, registry) => storageUrl + storage.presign(digest, registry);
  const urlOf = (region: string) => known(urls.get(region), region, regions);
  const { tokenLifetime } = behaviour;
  const handleApi = createApiHandler(
    { cloud, tokens, presign, now, tokenLifetime, urlOf },
    options.accessKeys,
  );
  const opened: EmulatedRegion[] = [];
  for (const [offset, region] of regions.entries()) {
    const handleV2 = createRegistryHandler(new EcrBackend(region, { cloud, tokens, behaviour, presign }));
    const describe = (request: IncomingMessage) => factsOf(request, region);
    const address = await openPort(offset, describe, (request, response) =>
      isV2(request) ? handleV2(request, response) : handleApi(request, response),
    );
    urls.set(region, address.url);
    opened.push({ region, ...address });
  }
  return opened;
}

type HandlerArguments = [describe: (request: IncomingMessage) => RequestFacts, handle: Handle];
type Handle = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

function known<T>(found: T | undefined, region: string, regions: readonly string[]): T {
  if (found !== undefined) return found;
  throw new Error(`the emulator has no region ${region}, only ${regions.join(', ')}`);
}

function isV2({ url = '' }: IncomingMessage): boolean {
  return /^\/v2(?:[/?]|$)/.test(url);
}

function factsOf(request: IncomingMessage, portRegion: string): RequestFacts {
  const { method = '', url: path = '' } = request;
  if (isV2(request)) return { region: addressed(request, portRegion).region, method, path };
  const operation = operationOf(request);
  const region = signatureScope(request.headers.authorization)?.region ?? portRegion;
  return { region, method, path, ...(operation !== undefined && { operation }) };
}

function storageFacts({ method = '', url: path = '' }: IncomingMessage): RequestFacts {
  return { region: regionOfBucket(path) ?? '', method, path };
}
