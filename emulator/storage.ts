import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { answer, answerError } from '../src/distribution/server/answers.ts';
import type { BlobStore } from '../src/distribution/server/blobStore.ts';
import { sendContent } from '../src/distribution/server/blobs.ts';
import { type Digest, hexOf, isDigest } from '../src/image/digest.ts';
import type { Behaviour } from './behaviour.ts';

/** How long a presigned address is good, in seconds. */
const LIFETIME = 3_600;

const PATH =
  /^\/_s3\/(?<bucket>prod-[a-z0-9-]+-starport-layer-bucket)\/(?<account>\d{12})\/(?<hex>[a-f0-9]{64})$/;

/**
 * The object storage behind ECR, where GET of a blob is redirected to: another origin, which lets presigned
 * requests in and nothing else. A request that carries an Authorization header as well is refused by default, as S3
 * does.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 */
export class Storage {
  readonly #key = randomBytes(32);
  readonly #store: BlobStore;
  readonly #refusesAuthorization: boolean;
  readonly #now: () => number;

  /** @param now the clock, in epoch milliseconds */
  constructor(store: BlobStore, behaviour: Pick<Behaviour, 'forwardedAuthorization'>, now: () => number) {
    this.#store = store;
    this.#refusesAuthorization = behaviour.forwardedAuthorization === 'refused';
    this.#now = now;
  }

  /** The path and query under which a blob can be had for an hour. */
  presign(digest: Digest, { account, region }: { account: string; region: string }): string {
    const path = `/_s3/prod-${region}-starport-layer-bucket/${account}/${hexOf(digest)}`;
    const date = timestamp(this.#now());
    const query = new URLSearchParams({
      'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
      'X-Amz-Date': date,
      'X-Amz-SignedHeaders': 'host',
      'X-Amz-Expires': String(LIFETIME),
      'X-Amz-Credential': `ASIAEMULATOR/${date.slice(0, 8)}/${region}/s3/aws4_request`,
    });
    return `${path}?${query}&X-Amz-Signature=${this.#sign(`${path}?${query}`)}`;
  }

  /** Answers a request for a blob. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const exchange = { request, response };
    const url = request.url ?? '';
    const refused = this.#refusal(request, url);
    if (refused)
      return answer(exchange, refused.status, { 'Content-Type': 'application/xml' }, errorXml(refused));
    const digest = `sha256:${PATH.exec(pathOf(url))?.groups?.hex}`;
    const size = isDigest(digest) ? await this.#store.stat(digest) : undefined;
    if (!isDigest(digest) || size === undefined) {
      const missing = { status: 404, code: 'NoSuchKey', message: 'The specified key does not exist.' };
      return answer(exchange, 404, { 'Content-Type': 'application/xml' }, errorXml(missing));
    }
    const content = {
      kind: 'content',
      size,
      open: (range?: { start: number; end: number }) => this.#store.open(digest, range),
    } as const;
    const headers = { 'Content-Type': 'application/octet-stream', 'Accept-Ranges': 'bytes' };
    await sendContent(exchange, content, headers).catch((error: unknown) => answerError(exchange, error));
  }

  #refusal({ method, headers }: IncomingMessage, url: string): StorageRefusal | undefined {
    if (headers.authorization !== undefined && this.#refusesAuthorization) return TWO_MECHANISMS;
    const [signed = '', signature = ''] = url.split('&X-Amz-Signature=');
    // The signature is one of a GET: S3 refuses a HEAD of the same address.
    if (method !== 'GET' || !same(signature, this.#sign(signed))) return DENIED;
    const date = new URLSearchParams(signed.slice(signed.indexOf('?'))).get('X-Amz-Date') ?? '';
    const expired = epochOf(date) + LIFETIME * 1_000 <= this.#now();
    return expired ? { ...DENIED, message: 'Request has expired' } : undefined;
  }

  #sign(text: string): string {
    return createHmac('sha256', this.#key).update(text).digest('hex');
  }
}

interface StorageRefusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

const DENIED: StorageRefusal = { status: 403, code: 'AccessDenied', message: 'Access Denied' };
const TWO_MECHANISMS: StorageRefusal = {
  status: 400,
  code: 'InvalidArgument',
  message:
    'Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified',
};

function errorXml({ code, message }: StorageRefusal): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`;
}

/** The region whose bucket an address names. */
export function regionOfBucket(url: string): string | undefined {
  return /^prod-(.+)-starport-layer-bucket$/.exec(PATH.exec(pathOf(url))?.groups?.bucket ?? '')?.[1];
}

function pathOf(url: string): string {
  return url.split('?')[0] ?? '';
}

function same(one: string, other: string): boolean {
  const [given, expected] = [Buffer.from(one), Buffer.from(other)];
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** Epoch milliseconds as ISO 8601 in its short form, such as 20260102T030405Z. */
function timestamp(epoch: number): string {
  return new Date(epoch).toISOString().replace(/[-:]|\.\d+/g, '');
}

function epochOf(stamp: string): number {
  return Date.parse(stamp.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
}
