import { pipeline, type Readable } from 'node:stream';
import type { Descriptor } from '../image/descriptor.ts';
import { type Digest, isDigest } from '../image/digest.ts';
import { MAX_MANIFEST_BYTES, type Manifest, type ManifestContent } from '../image/manifest.ts';
import { MANIFEST_TYPES, OCI_INDEX } from '../image/mediaTypes.ts';
import { unlessAborted } from './aborted.ts';
import type { Scope } from './auth.ts';
import type { ExpectedBlob } from './begunUploads.ts';
import { BlobUploads } from './blobUploads.ts';
import { RegistryError, redactUrl } from './errors.ts';
import { type ReferrersPage, readReferrers } from './referrers.ts';
import { type RetryPolicy, withRetry } from './retry.ts';
import type { Session } from './session.ts';
import type { HttpResponse } from './transport.ts';
import { assertJson, verifyContent, verifyManifest } from './verified.ts';

const ACCEPT = MANIFEST_TYPES.join(', ');

export interface RepositoryOptions {
  /** The registry's origin: `https://123456789012.dkr.ecr.us-east-1.amazonaws.com`. */
  readonly origin: string;
  readonly name: string;
  readonly session: Session;
  readonly retry: RetryPolicy;
  /** Told of every failure that is followed by another try. */
  readonly onRetry?: (error: Error, pause: number) => void;
}

/**
 * One repository of one registry, over the distribution API. Every operation is tried again as the policy says, and
 * throws a RegistryError when the registry refuses.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md
 */
export class Repository {
  readonly #options: RepositoryOptions;
  #breaking = new AbortController();
  readonly #uploads: BlobUploads;

  constructor(options: RepositoryOptions) {
    this.#options = options;
    this.#uploads = new BlobUploads({
      session: options.session,
      url: this.#url('blobs/uploads/'),
      scope: this.#scope('pull,push'),
    });
  }

  /**
   * Breaks off whatever is under way, which fails with this reason, whether it was being sent or waited for its next try. What
   * begins later is not affected.
   */
  breakOff(reason: Error): void {
    this.#breaking.abort(reason);
    this.#breaking = new AbortController();
  }

  /** Asks the registry in another way than by this protocol, which is broken off with the rest. */
  unlessBroken<T>(ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return unlessAborted(ask, this.#breaking.signal);
  }

  /** The blob's size in bytes, or nothing when the repository lacks it ("Checking if content exists"). */
  statBlob(digest: Digest): Promise<number | undefined> {
    return this.#retried(async (signal) => {
      const answer = await this.#head(`blobs/${digest}`, signal);
      return answer && Number(answer.header('content-length') ?? 0);
    });
  }

  /**
   * Opens a blob ("Pulling blobs"). The stream fails with a ContentError when the bytes are not the descriptor's;
   * a failure in the middle of the stream is the caller's to try again.
   */
  readBlob(descriptor: Descriptor): Promise<Readable> {
    return this.#retried(async (signal) => {
      const url = this.#url(`blobs/${descriptor.digest}`);
      const answer = await this.#options.session.send({
        signal,
        method: 'GET',
        url,
        scope: this.#scope('pull'),
        expect: [200],
      });
      // The error of either stage reaches the reader through the last one.
      return pipeline(answer.stream(), verifyContent(descriptor, `GET ${redactUrl(url)}`), () => undefined);
    });
  }

  /**
   * Gets ready for a blob that may be about to be uploaded: opens a connection, and begins an upload.
   */
  expectUpload(blob: ExpectedBlob): void {
    this.#options.session.prepare();
    this.#uploads.expect(blob, this.#breaking.signal);
  }

  /** Begins an upload and waits for the answer: some registries create a missing repository with its first upload. */
  beginAhead(): Promise<void> {
    return this.#retried((signal) => this.#uploads.beginAhead(signal));
  }

  /**
   * Uploads a blob with POST and one monolithic PUT, the only upload that ECR does by the book.
   * @param open gives the content from its first byte; called again for each try
   * @param from a repository of the same registry that holds the blob, from which it may be mounted ("Mounting a blob from
   *   another repository"); a registry that does not mount it, or may not, gets it as an ordinary upload
   */
  writeBlob(
    descriptor: Descriptor,
    open: () => Promise<Readable>,
    from?: string,
  ): Promise<'sent' | 'mounted'> {
    return this.#retried((signal) => this.#uploads.write(descriptor, open, from, signal));
  }

  /** Whether the repository holds the manifest. */
  hasManifest(digest: Digest): Promise<boolean> {
    return this.#retried(async (signal) => (await this.#head(`manifests/${digest}`, signal)) !== undefined);
  }

  /**
   * Reads a manifest by digest or tag, or nothing when it is not there. Its digest is taken from the bytes: not
   * every registry names it, and one that converts the manifest would name another.
   * @throws ContentError when a digest was asked for and other bytes came
   */
  readManifest(reference: string): Promise<Manifest | undefined> {
    return this.#retried(async (signal) => {
      const url = this.#url(`manifests/${reference}`);
      const answer = await this.#options.session.send({
        signal,
        method: 'GET',
        url,
        scope: this.#scope('pull'),
        headers: { accept: ACCEPT },
        expect: [200, 404],
      });
      const bytes = await answer.bytes(MAX_MANIFEST_BYTES);
      if (answer.status === 404) return this.#absent(url, bytes.toString());
      const expected = isDigest(reference) ? reference : undefined;
      return verifyManifest(bytes, answer.header('content-type'), expected, `GET ${redactUrl(url)}`);
    });
  }

  /** What is listed as referring to a manifest; see {@link readReferrers}. */
  referrers(subject: Digest): Promise<readonly Descriptor[]> {
    const get = (page: URL) => this.#retried((signal) => this.#page(page, signal));
    return readReferrers(subject, this.#url(`referrers/${subject}`), get, (tag) => this.readManifest(tag));
  }

  async #page(url: URL, signal: AbortSignal): Promise<ReferrersPage | undefined> {
    const answer = await this.#options.session.send({
      signal,
      method: 'GET',
      url,
      scope: this.#scope('pull'),
      headers: { accept: OCI_INDEX },
      // Those that do not know such addresses say so in several ways.
      expect: [200, 404, 405, 501],
    });
    const bytes = await answer.bytes(MAX_MANIFEST_BYTES);
    if (answer.status !== 200) return undefined;
    assertJson(bytes, `GET ${redactUrl(url)}`);
    return { bytes, contentType: answer.header('content-type'), link: answer.header('link') };
  }

  /** A 404 that speaks of the repository is a refusal; one that speaks of the manifest is an answer. */
  #absent(url: URL, body: string): undefined {
    const error = new RegistryError({ method: 'GET', url }, { status: 404, body });
    if (error.codes.includes('NAME_UNKNOWN')) throw error;
    return undefined;
  }

  /** Writes a manifest under its digest or a tag ("Pushing manifests"), byte for byte. */
  writeManifest(reference: string, content: ManifestContent): Promise<void> {
    return this.#retried(async (signal) => {
      const answer = await this.#options.session.send({
        signal,
        method: 'PUT',
        url: this.#url(`manifests/${reference}`),
        scope: this.#scope('pull,push'),
        headers: { 'content-type': content.mediaType },
        body: async () => content.bytes,
        expect: [200, 201],
      });
      await answer.drain();
    });
  }

  /** Removes a tag ("Deleting tags"); nothing happens when it is not there. */
  deleteTag(tag: string): Promise<void> {
    return this.#retried(async (signal) => {
      const answer = await this.#options.session.send({
        signal,
        method: 'DELETE',
        url: this.#url(`manifests/${tag}`),
        scope: this.#scope('pull,push'),
        expect: [200, 202, 404],
      });
      await answer.drain();
    });
  }

  async #head(path: string, signal: AbortSignal): Promise<HttpResponse | undefined> {
    const answer = await this.#options.session.send({
      signal,
      method: 'HEAD',
      url: this.#url(path),
      scope: this.#scope('pull'),
      headers: { accept: ACCEPT },
      expect: [200, 404],
    });
    await answer.drain();
    return answer.status === 200 ? answer : undefined;
  }

  #url(path: string): URL {
    return new URL(`/v2/${this.#options.name}/${path}`, this.#options.origin);
  }

  #scope(actions: Scope['actions']): Scope {
    return { repository: this.#options.name, actions };
  }

  #retried<T>(operation: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { signal } = this.#breaking;
    return withRetry(() => operation(signal), this.#options.retry, this.#options.onRetry, signal);
  }
}
