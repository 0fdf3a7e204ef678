import { mkdtemp } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BlobStore } from '../src/distribution/server/blobStore.ts';
import { createRegistryHandler } from '../src/distribution/server/handler.ts';
import { type Listening, listen } from '../src/distribution/server/listen.ts';
import { registryHost } from '../src/ecr/partitions.ts';
import { Access } from './access.ts';
import { addressed, isQueryCall, isV2, signatureScope, targetOf } from './addresses.ts';
import { createApiHandler, ECR_API } from './api/handler.ts';
import { type Behaviour, ECR_BEHAVIOUR } from './behaviour.ts';
import { type PrincipalOptions, Principals } from './iam/principals.ts';
import { type RoleOptions, Roles } from './iam/roles.ts';
import type { PublicOptions } from './public/aliases.ts';
import { createPublic, PUBLIC, publicFacts } from './public/handler.ts';
import { Cloud, type Registry } from './state/cloud.ts';
import { contentsOf, type Held, type Stock, stock } from './state/contents.ts';
import type { RepositorySettings } from './state/settings.ts';
import { regionOfBucket, Storage } from './storage.ts';
import { createStsHandler } from './sts/handler.ts';
import { Tokens } from './tokens.ts';
import { type Fault, type RecordedRequest, type RequestFacts, TrafficLog, watched } from './traffic.ts';
import { EcrBackend, type Presign } from './v2/backend.ts';

/** The account whose registries the emulator has when it is not told of another. */
export const DEFAULT_ACCOUNT = '123456789012';

export interface EmulatorOptions {
  readonly regions: readonly string[];
  /** The accounts that there are, of which the first is the callers'. */
  readonly accounts?: readonly string[];
  /** Whose each access key is; without it, every key is the root's of the first account. */
  readonly principals?: Readonly<Record<string, PrincipalOptions>>;
  /** The roles that can be assumed, by their ARNs. */
  readonly roles?: Readonly<Record<string, RoleOptions>>;
  /** Repositories that are there from the start, in the first account and every region. */
  readonly repositories?: readonly string[];
  /** The address to listen on, loopback unless told otherwise. */
  readonly host?: string;
  /**
   * The first region's port, the next region's being the next, and then the storage's and ECR Public's; 0 for ports
   * that the system picks.
   */
  readonly port?: number;
  /** Where the blobs lie until the emulator is closed; a folder is made inside of it. */
  readonly dir?: string;
  /** Whether there is an ECR Public too, and what aliases the accounts' registries there have. */
  readonly public?: PublicOptions;
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

/** ECR in a box, running. Where a region is named, `public` is ECR Public, if there is one. */
export interface Emulator {
  readonly regions: readonly EmulatedRegion[];
  /** The address of the JSON API and of STS, for AWS_ENDPOINT_URL_ECR and AWS_ENDPOINT_URL_STS. */
  readonly endpoint: string;
  /** The address of ECR Public, of its API and its registry, for AWS_ENDPOINT_URL_ECR_PUBLIC; if there is one. */
  readonly publicUrl: string | undefined;
  /** Every request since the start, in the order in which they came. */
  readonly requests: readonly RecordedRequest[];
  /** The URL of a region's port. */
  url(region: string): string;
  /** Makes a repository in the first account, in every region or in those named. */
  createRepository(name: string, settings?: Partial<RepositorySettings>, regions?: readonly string[]): void;
  /** What a repository of the first account holds; nothing is asked over the network. */
  look(region: string, name: string): Held;
  /** Puts content into a repository of the first account as if it had been pushed there, manifests in their order. */
  stock(region: string, name: string, content: Stock, tag?: string): Promise<void>;
  /** How many connections are open. */
  connections(): Promise<number>;
  /** Cuts a region's connections, and refuses others until it is opened again. */
  shut(region: string): Promise<void>;
  reopen(region: string): Promise<void>;
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
  const open: Door[] = [];
  const close = async () => {
    await Promise.all(open.map((each) => each.close()));
    await store.destroy();
  };
  try {
    const { regions, publicUrl, publicRegistry } = await listenEverywhere(options, core, open);
    const registry = (region: string) =>
      known(
        region === PUBLIC ? publicRegistry : cloud.registry(cloud.accounts[0] ?? '', region),
        region,
        options.regions,
      );
    const createRepository: Emulator['createRepository'] = (name, settings, where = options.regions) => {
      for (const region of where) registry(region).create(name, settings);
    };
    const door = (region: string) => {
      const position = [...options.regions, PUBLIC].indexOf(region);
      // The first one is the storage's.
      return known(position < 0 ? undefined : open[position + 1], region, options.regions);
    };
    for (const name of options.repositories ?? []) createRepository(name);
    const url = (region: string) =>
      known(region === PUBLIC ? publicUrl : core.urls.get(region), region, options.regions);
    return {
      regions,
      endpoint: url(options.regions[0] ?? ''),
      publicUrl,
      requests: log.requests,
      url,
      createRepository,
      stock: (region, name, content, tag) => stock(registry(region).repository(name), content, tag),
      connections: async () =>
        (await Promise.all(open.map((each) => each.connections()))).reduce((sum, count) => sum + count, 0),
      look: (region, name) => contentsOf(registry(region).repository(name)),
      shut: (region) => door(region).close(),
      reopen: (region) => door(region).reopen(),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A port that can be closed for a while. */
interface Door extends Pick<Listening, 'close' | 'connections'> {
  reopen(): Promise<void>;
}

/** What the servers of one emulator share. */
interface Core {
  readonly behaviour: Behaviour;
  readonly now: () => number;
  readonly store: BlobStore;
  readonly cloud: Cloud;
  readonly principals: Principals;
  readonly roles: Roles;
  readonly access: Access;
  readonly tokens: Tokens;
  readonly storage: Storage;
  readonly log: TrafficLog;
  /** The URL of each region's port, once it listens. */
  readonly urls: Map<string, string>;
}

async function createCore(options: EmulatorOptions): Promise<Core> {
  const { regions, accounts = [DEFAULT_ACCOUNT], now = Date.now } = options;
  const behaviour = { ...ECR_BEHAVIOUR, ...options.behaviour };
  const roles = new Roles(options.roles ?? {});
  const store = new BlobStore(await mkdtemp(join(options.dir ?? tmpdir(), 'ecr-emulator-')));
  const cloud = new Cloud({ accounts, regions }, { behaviour, now, store });
  const log = new TrafficLog();
  return {
    behaviour,
    now,
    store,
    cloud,
    principals: new Principals(options.principals, { anyone: accounts[0] ?? DEFAULT_ACCOUNT, now }),
    roles,
    access: new Access({ cloud, log, behaviour }, now),
    tokens: new Tokens(behaviour, now),
    storage: new Storage(store, behaviour, now),
    log,
    urls: new Map(),
  };
}

/** Opens the ports, and adds each to those that are open as soon as it is. */
async function listenEverywhere(
  options: EmulatorOptions,
  core: Core,
  open: Door[],
): Promise<Pick<Emulator, 'regions' | 'publicUrl'> & { readonly publicRegistry: Registry | undefined }> {
  const { host = '127.0.0.1', port = 0, regions } = options;
  const { behaviour, log, storage, urls } = core;
  const watch = (...args: HandlerArguments) => watched({ log, fault: options.fault }, ...args);
  const openPort = async (offset: number, ...args: HandlerArguments) => {
    const handler = watch(...args);
    let listening = await listen(handler, { host, port: port === 0 ? 0 : port + offset });
    const own = { host, port: listening.port };
    open.push({
      close: () => listening.close(),
      connections: () => listening.connections(),
      reopen: async () => {
        listening = await listen(handler, own);
      },
    });
    return { url: `http://${host}:${own.port}`, port: own.port };
  };
  const { url: storageUrl } = await openPort(regions.length, storageFacts, (...exchange) =>
    storage.handle(...exchange),
  );
  const presign: Presign = (digest, registry) => storageUrl + storage.presign(digest, registry);
  const urlOf = (region: string) => known(urls.get(region), region, regions);
  const addressOf = behaviour.addresses === 'aws' ? awsAddress : ({ region }: Place) => urlOf(region);
  const { tokenLifetime } = behaviour;
  const handleApi = createApiHandler({ ...core, presign, tokenLifetime, addressOf }, ECR_API);
  const opened: EmulatedRegion[] = [];
  for (const [offset, region] of regions.entries()) {
    const handleV2 = createRegistryHandler(new EcrBackend(region, { ...core, presign }));
    const describe = (request: IncomingMessage) => factsOf(request, region);
    const handleSts = createStsHandler(region, core);
    const address = await openPort(offset, describe, (request, response) => {
      if (isV2(request)) return handleV2(request, response);
      return isQueryCall(request) ? handleSts(request, response) : handleApi(request, response);
    });
    urls.set(region, address.url);
    opened.push({ region, ...address });
  }
  if (options.public === undefined)
    return { regions: opened, publicUrl: undefined, publicRegistry: undefined };
  const { accounts } = core.cloud;
  const { handle, registry } = createPublic({ ...core, accounts, presign }, options.public);
  const { url: publicUrl } = await openPort(regions.length + 1, publicFacts, handle);
  return { regions: opened, publicUrl, publicRegistry: registry };
}

/** Whose registry, and where. */
interface Place {
  readonly account: string;
  readonly region: string;
}

function awsAddress({ account, region }: Place): string {
  return `https://${registryHost({ account, region, fips: false, dualStack: false })}`;
}

type HandlerArguments = [describe: (request: IncomingMessage) => RequestFacts, handle: Handle];
type Handle = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

function known<T>(found: T | undefined, region: string, regions: readonly string[]): T {
  if (found !== undefined) return found;
  throw new Error(`the emulator has no region ${region}, only ${regions.join(', ')}`);
}

function factsOf(request: IncomingMessage, portRegion: string): RequestFacts {
  const { method = '', url: path = '' } = request;
  if (isV2(request)) return { region: addressed(request, portRegion).region, method, path };
  const operation = targetOf(request)?.operation;
  const region = signatureScope(request.headers.authorization)?.region ?? portRegion;
  return { region, method, path, ...(operation !== undefined && { operation }) };
}

function storageFacts({ method = '', url: path = '' }: IncomingMessage): RequestFacts {
  return { region: regionOfBucket(path) ?? '', method, path };
}
