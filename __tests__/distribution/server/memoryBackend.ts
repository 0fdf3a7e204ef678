import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import {
  type Backend,
  BY_THE_BOOK,
  type Quirks,
  type RepositoryBackend,
  type Upload,
} from '../../../src/distribution/server/backend.ts';
import type { BlobStore } from '../../../src/distribution/server/blobStore.ts';
import type { BlobWriter } from '../../../src/distribution/server/blobWriter.ts';
import { Refusal } from '../../../src/distribution/server/refusal.ts';
import type { Descriptor } from '../../../src/image/descriptor.ts';
import type { Digest } from '../../../src/image/digest.ts';
import type { ManifestContent } from '../../../src/image/manifest.ts';

/** What a MemoryUpload was told and what became of it. */
export interface UploadRecord {
  readonly whole: { digest: Digest; size: number }[];
  aborted: boolean;
}

/** A registry by the book, with one repository, `app/web`, whose blobs lie in a store. */
export class MemoryBackend implements Backend {
  readonly quirks: Quirks;
  readonly repositoryBackend: MemoryRepository;

  constructor(store: BlobStore, quirks: Partial<Quirks> = {}) {
    this.quirks = { ...BY_THE_BOOK, ...quirks };
    this.repositoryBackend = new MemoryRepository(store);
  }

  authenticate(): void {}

  async repository(name: string): Promise<MemoryRepository> {
    if (name === 'broken') throw new Error('secret details');
    if (name !== 'app/web') throw new Refusal(404, 'NAME_UNKNOWN', `no ${name}`);
    return this.repositoryBackend;
  }
}

class MemoryRepository implements RepositoryBackend {
  readonly #store: BlobStore;
  readonly uploads = new Map<string, MemoryUpload>();
  readonly records: UploadRecord[] = [];
  readonly manifests = new Map<string, ManifestContent>();
  mountable: Digest | undefined;
  refer: Descriptor[] = [];
  elsewhere: string | undefined;

  constructor(store: BlobStore) {
    this.#store = store;
  }

  statBlob(digest: Digest): Promise<number | undefined> {
    return this.#store.stat(digest);
  }

  async readBlob(digest: Digest) {
    if (this.elsewhere !== undefined) return { kind: 'elsewhere', location: this.elsewhere } as const;
    const size = await this.#store.stat(digest);
    const open = (range?: { start: number; end: number }) => this.#store.open(digest, range);
    return size === undefined ? undefined : ({ kind: 'content', size, open } as const);
  }

  async mountBlob(digest: Digest): Promise<boolean> {
    return digest === this.mountable;
  }

  async beginUpload(): Promise<Upload> {
    const record: UploadRecord = { whole: [], aborted: false };
    this.records.push(record);
    const upload = new MemoryUpload(await this.#store.begin(), record, () => this.uploads.delete(upload.id));
    this.uploads.set(upload.id, upload);
    return upload;
  }

  upload(id: string): Upload | undefined {
    return this.uploads.get(id);
  }

  async readManifest(reference: string): Promise<ManifestContent | undefined> {
    return this.manifests.get(reference);
  }

  async writeManifest(reference: string, content: ManifestContent): Promise<void> {
    this.manifests.set(reference, content);
    this.manifests.set(content.digest, content);
  }

  async deleteManifest(reference: string): Promise<boolean> {
    return this.manifests.delete(reference);
  }

  async tags(): Promise<string[]> {
    return [...this.manifests.keys()].filter((reference) => !reference.includes(':')).toSorted();
  }

  async referrers(): Promise<Descriptor[]> {
    return this.refer;
  }
}

class MemoryUpload implements Upload {
  readonly id = randomUUID();
  readonly #writer: BlobWriter;
  readonly #record: UploadRecord;
  readonly #ended: () => void;

  constructor(writer: BlobWriter, record: UploadRecord, ended: () => void) {
    this.#writer = writer;
    this.#record = record;
    this.#ended = ended;
  }

  get received(): number {
    return this.#writer.received;
  }

  async append(body: Readable, whole?: { digest: Digest; size: number }): Promise<void> {
    if (whole) this.#record.whole.push(whole);
    await this.#writer.append(body);
  }

  async commit(digest: Digest): Promise<void> {
    await this.#writer.commit(digest);
    this.#ended();
  }

  async abort(): Promise<void> {
    this.#record.aborted = true;
    this.#ended();
    await this.#writer.abort();
  }
}
