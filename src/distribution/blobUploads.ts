import type { Readable } from 'node:stream';
import type { Descriptor } from '../image/descriptor.ts';
import type { Scope } from './auth.ts';
import { BegunUploads, type ExpectedBlob } from './begunUploads.ts';
import { isPassingUpload, RegistryError, UploadError } from './errors.ts';
import { leadsTo } from './location.ts';
import { isRetriable } from './retry.ts';
import { lent } from './server/blobFollower.ts';
import type { Session } from './session.ts';
import type { HttpResponse } from './transport.ts';

/** Where a repository takes blobs. */
interface UploadsTo {
  readonly session: Session;
  /** The address that uploads are begun at. */
  readonly url: URL;
  readonly scope: Scope;
}

/**
 * The uploads of one repository's blobs, each tried once. Every operation throws a RegistryError when the registry refuses.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md
 */
export class BlobUploads {
  readonly #to: UploadsTo;
  readonly #ahead = new BegunUploads();

  constructor(to: UploadsTo) {
    this.#to = to;
  }

  /** Begins an upload for a blob that may be about to come. */
  expect(blob: ExpectedBlob, signal: AbortSignal): void {
    this.#ahead.expect(blob, () => this.#begin(signal));
  }

  /** Begins an upload for the next blob, and waits for the answer. */
  async beginAhead(signal: AbortSignal): Promise<void> {
    this.#ahead.keep(await this.#begin(signal));
  }

  /**
   * Uploads a blob with POST and one monolithic PUT, the only upload that ECR does by the book, or has it mounted.
   * @param open gives the content from its first byte
   * @param from a repository of the same registry from which it may be mounted
   */
  async write(
    descriptor: Descriptor,
    open: () => Promise<Readable>,
    from: string | undefined,
    signal: AbortSignal,
  ): Promise<'sent' | 'mounted'> {
    const begun = await (from ? this.#mount(descriptor, from, signal) : this.#take(descriptor, signal));
    if (begun === 'mounted') return begun;
    begun.searchParams.set('digest', descriptor.digest);
    await this.#put(begun, descriptor, open, signal);
    return 'sent';
  }

  async #put(
    target: URL,
    descriptor: Descriptor,
    open: () => Promise<Readable>,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      const answer = await this.#to.session.send({
        signal,
        method: 'PUT',
        url: target,
        scope: this.#to.scope,
        headers: { 'content-type': 'application/octet-stream', 'content-length': String(descriptor.size) },
        // An empty stream would be sent with no length at all.
        body: async () => (descriptor.size === 0 ? new Uint8Array() : lent(await open())),
        expect: [201],
      });
      await answer.drain();
    } catch (error) {
      throw isPassingUpload(error) ? new UploadError(error) : error;
    }
  }

  /** An upload that was begun ahead, or a new one. */
  #take(descriptor: Descriptor, signal: AbortSignal): Promise<URL> {
    return this.#ahead.take(descriptor, () => this.#begin(signal));
  }

  async #mount(descriptor: Descriptor, from: string, signal: AbortSignal): Promise<URL | 'mounted'> {
    const url = new URL(this.#to.url);
    url.searchParams.set('mount', descriptor.digest);
    url.searchParams.set('from', from);
    try {
      const answer = await this.#post(url, [201, 202], signal);
      return answer.status === 201 ? 'mounted' : this.#uploadAt(answer, url);
    } catch (error) {
      // Whoever may push need not be allowed to read the other repository: then the blob is sent after all.
      if (!(error instanceof RegistryError) || isRetriable(error)) throw error;
      return this.#take(descriptor, signal);
    }
  }

  async #begin(signal: AbortSignal): Promise<URL> {
    const { url } = this.#to;
    return this.#uploadAt(await this.#post(url, [202], signal), url);
  }

  async #post(url: URL, expect: readonly number[], signal: AbortSignal): Promise<HttpResponse> {
    const answer = await this.#to.session.send({
      signal,
      method: 'POST',
      url,
      scope: this.#to.scope,
      headers: { 'content-length': '0' },
      expect,
    });
    await answer.drain();
    return answer;
  }

  /** Where the bytes of an upload go that a POST has begun. */
  #uploadAt(answer: HttpResponse, url: URL): URL {
    const location = leadsTo(answer.header('location'), url);
    if (location) return location;
    const said = { status: answer.status, body: 'no upload location that can be used' };
    throw new RegistryError({ method: 'POST', url }, said);
  }
}
