import { randomBytes } from 'node:crypto';
import {
  type Backend,
  type BlobContent,
  BY_THE_BOOK,
  type RepositoryBackend,
  type Upload,
} from '../distribution/server/backend.ts';
import { createRegistryHandler } from '../distribution/server/handler.ts';
import { listen } from '../distribution/server/listen.ts';
import { Refusal } from '../distribution/server/refusal.ts';
import type { Descriptor } from '../image/descriptor.ts';
import { type Digest, isDigest } from '../image/digest.ts';
import { type Manifest, type ManifestContent, parseManifest } from '../image/manifest.ts';
import { isDiskFull } from '../problems.ts';
import { allAgree, type Holdings } from '../release/holdings.ts';
import type { Replica } from '../release/replicate.ts';
import type { Spool } from '../release/spool.ts';
import { Forecast } from './forecast.ts';
import { IngestUpload } from './ingestUpload.ts';

/** The tag under which the builder pushes, by which the root is known. */
const ROOT_TAG = 'build';

/** The registry that a builder pushes to, and what came of it. */
export interface Ingest {
  /** What the builder is told to push: address, unguessable path, name and tag. */
  readonly reference: string;
  /** Whether any request with the right path came in: a builder that cannot reach us never sends one. */
  readonly reached: boolean;
  /** Whether a layer found no room on this machine's disk, for which the builder only learns that we failed. */
  readonly diskFull: boolean;
  /** The manifest that was pushed under the reference, once it was. */
  readonly root: Manifest | undefined;
  /** Takes a line of the builder's log, in which it says what it is about to push. */
  readLog(line: string): void;
  close(): Promise<void>;
}

export interface IngestOptions {
  /** The one address to listen on: loopback, or the gateway of the builder's bridge. */
  readonly host: string;
  /** The last part of the repository's name, for people who read the builder's log. */
  readonly name: string;
  readonly spool: Spool;
  /** What each region holds, from when that region can be asked: no answer waits for regions that do not matter to it. */
  readonly regions: readonly Promise<Holdings | undefined>[];
  /** Each blob goes to all of these as it arrives; the builder may start before they are known. */
  readonly replicas: Promise<readonly Replica[]>;
}

/**
 * Starts the ingest registry. It takes what the builder pushes, and passes every blob on to all regions that lack it
 * while it still arrives. Asked whether a blob is there, it answers for the regions: one that all of them hold never
 * leaves the builder.
 * @throws the system's error when the address cannot be listened on
 */
export async function startIngest(options: IngestOptions): Promise<Ingest> {
  const secret = randomBytes(16).toString('hex');
  const repositoryName = `${secret}/${options.name}`;
  const repository = new IngestRepository(options);
  let reached = false;
  const backend: Backend = {
    quirks: BY_THE_BOOK,
    // Whoever knows the path may push: it is told to the builder alone.
    authenticate: () => undefined,
    async repository(name) {
      if (name !== repositoryName) throw new Refusal(404, 'NAME_UNKNOWN', 'there is no such repository');
      reached = true;
      return repository;
    },
  };
  const server = await listen(createRegistryHandler(backend), { host: options.host, port: 0 });
  return {
    reference: `${options.host}:${server.port}/${repositoryName}:${ROOT_TAG}`,
    get reached() {
      return reached;
    },
    get diskFull() {
      return repository.diskFull;
    },
    get root() {
      return repository.root;
    },
    readLog: (line) => repository.forecast.read(line),
    close: () => server.close(),
  };
}

class IngestRepository implements RepositoryBackend {
  readonly forecast: Forecast;
  readonly #spool: Spool;
  readonly #regions: readonly Promise<Holdings | undefined>[];
  readonly #replicas: Promise<readonly Replica[]>;
  readonly #uploads = new Map<string, Upload>();
  /** Whether a region could not answer: to ask it again would have the builder wait as long again. */
  #isUnsure = false;
  root: Manifest | undefined;
  diskFull = false;

  constructor({ spool, regions, replicas }: Pick<IngestOptions, 'spool' | 'regions' | 'replicas'>) {
    this.#spool = spool;
    this.#regions = regions;
    this.#replicas = replicas;
    this.forecast = new Forecast(regions, spool);
  }

  /**
   * The size of a blob that the spool has, or that no region needs any more. A region that cannot answer is treated as one
   * that lacks the blob, and all that come after, and the first of those decides. Where there is no region, the builder sends
   * all.
   */
  async statBlob(digest: Digest): Promise<number | undefined> {
    const spooled = await this.#spool.stat(digest);
    if (spooled !== undefined) return spooled;
    await this.forecast.learned();
    // The builder has what would otherwise be read back from a region.
    if (this.#spool.isConfig(digest)) return undefined;
    if (this.#isUnsure) return undefined;
    const sizes = this.#regions.map(async (region) => (await region)?.blob(digest));
    for (const size of sizes) {
      size.catch(() => {
        this.#isUnsure = true;
      });
    }
    const isLeftOut = async (position: number) => (await this.#regions[position]) === undefined;
    const held = await allAgree(
      sizes.map(async (size, position) => (await size) !== undefined || isLeftOut(position)),
    );
    if (held) return (await Promise.all(sizes)).find((size) => size !== undefined);
    this.#expectUpload(digest);
    return undefined;
  }

  async readBlob(digest: Digest): Promise<BlobContent | undefined> {
    const size = await this.#spool.stat(digest);
    if (size === undefined) return undefined;
    return { kind: 'content', size, open: (range) => this.#spool.read(digest, range) };
  }

  async mountBlob(): Promise<boolean> {
    return false;
  }

  async beginUpload(): Promise<Upload> {
    const writer = await this.#spool.begin();
    const upload: Upload = new IngestUpload(writer, this.#spool, {
      known: (descriptor) => this.#passOn(descriptor),
      failed: (error) => {
        this.diskFull ||= isDiskFull(error);
      },
      ended: () => this.#uploads.delete(upload.id),
    });
    this.#uploads.set(upload.id, upload);
    return upload;
  }

  upload(id: string): Upload | undefined {
    return this.#uploads.get(id);
  }

  async readManifest(reference: string): Promise<ManifestContent | undefined> {
    if (reference === ROOT_TAG) return this.root;
    return isDigest(reference) ? this.#spool.kept(reference) : undefined;
  }

  async writeManifest(reference: string, content: ManifestContent): Promise<void> {
    const manifest = parseManifest(content.bytes, content.mediaType);
    this.#spool.keep(manifest);
    if (reference === ROOT_TAG) this.root = manifest;
  }

  async deleteManifest(): Promise<boolean> {
    throw new Refusal(405, 'UNSUPPORTED', 'nothing is deleted here');
  }

  async tags(): Promise<string[]> {
    return this.root ? [ROOT_TAG] : [];
  }

  async referrers(): Promise<Descriptor[]> {
    return [];
  }

  /** What one region lacks the others most likely lack, too: they can get ready before its first byte is here. */
  #expectUpload(digest: Digest): void {
    this.#replicas.then(
      (replicas) => {
        for (const { destination } of replicas) destination.expectUpload({ digest });
      },
      () => undefined,
    );
  }

  /** Starts to copy a blob to every region. The builder does not wait, and a failure is the region's own. */
  #passOn(descriptor: Descriptor): void {
    this.#replicas.then(
      (replicas) => {
        for (const replica of replicas) replica.copy(descriptor).catch(() => undefined);
      },
      // Whoever opens the regions tells why there are none.
      () => undefined,
    );
  }
}
