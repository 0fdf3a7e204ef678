import * as z from 'zod/mini';
import { plain } from '../words.ts';

/** How long a registry may ask to be left alone, in milliseconds: whatever is more counts as this. */
const MAX_RETRY_AFTER = 60_000;

const bodySchema = z.looseObject({
  errors: z.array(z.looseObject({ code: z.optional(z.string()), message: z.optional(z.string()) })),
});

/** One request of which a registry said no, or gave an answer that cannot be right. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError';
  readonly method: string;
  readonly url: URL;
  readonly status: number;
  /** The codes of the distribution API, such as NAME_UNKNOWN; none when the answer was not in its form. */
  readonly codes: readonly string[];
  /** What the registry said, in its own words, capped. */
  readonly said: string;
  /** The digests that it named: with many of them, what it said is capped before the last. */
  readonly digests: ReadonlySet<string>;
  /** How long the registry asks to be left alone, in milliseconds. */
  readonly retryAfter: number | undefined;

  constructor(
    request: { method: string; url: URL },
    answer: { status: number; body: string; retryAfter?: string },
  ) {
    const { codes, said } = readRefusal(answer.body);
    const words = said ? `: ${said}` : '';
    super(`${request.method} ${redactUrl(request.url)} answered ${answer.status}${words}`);
    this.method = request.method;
    this.url = request.url;
    this.status = answer.status;
    this.codes = codes;
    this.said = said;
    this.digests = new Set(answer.body.match(/\bsha256:[0-9a-f]{64}\b/g));
    this.retryAfter = readRetryAfter(answer.retryAfter);
  }
}

/** The codes with which registries say that something below a manifest is missing: blobs, and the images of an index. */
const MISSING: readonly string[] = ['BLOB_UPLOAD_UNKNOWN', 'BLOB_UNKNOWN', 'MANIFEST_BLOB_UNKNOWN'];

/** Whether a registry refused a manifest because something that it refers to is missing ("Pushing manifests"). */
export function saysMissing(error: unknown): error is RegistryError {
  return error instanceof RegistryError && error.codes.some((code) => MISSING.includes(code));
}

/** Content that is not what its digest or size promised. */
export class ContentError extends Error {
  override readonly name = 'ContentError';
}

/** An upload whose connection took nothing more. */
export class StalledError extends Error {
  override readonly name = 'StalledError';

  /** @param limit how long it took nothing, in milliseconds */
  constructor(limit: number) {
    super(`the connection took nothing for ${Math.round(limit / 1000)} s`);
  }
}

/** An answer that did not come in time, or so slowly that it would not. */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
}

/** An upload that the registry had begun and knows no more, or of which it got other bytes than were sent. */
export class UploadError extends Error {
  override readonly name = 'UploadError';

  constructor(cause: RegistryError) {
    super(cause.message, { cause });
  }
}

/** Whether an upload may be right the next time: the registry has forgotten that it began, or got other bytes. */
export function isPassingUpload(error: unknown): error is RegistryError {
  if (!(error instanceof RegistryError)) return false;
  const { codes, said } = error;
  // ECR has one code for all that may be wrong with an upload.
  const isDamaged = codes.includes('BLOB_UPLOAD_INVALID') && /\bdigest/i.test(said);
  return isDamaged || codes.includes('BLOB_UPLOAD_UNKNOWN') || codes.includes('DIGEST_INVALID');
}

function readRefusal(body: string): { codes: string[]; said: string } {
  const parsed = z.safeParse(bodySchema, safeJson(body));
  if (!parsed.success) return { codes: [], said: plain(body) };
  const { errors } = parsed.data;
  return {
    codes: errors.flatMap(({ code }) => (code ? [plain(code)] : [])),
    said: plain(errors.map(({ code, message }) => [code, message].filter(Boolean).join(': ')).join('; ')),
  };
}

/** What a JSON text from outside holds, or nothing when it is none. */
export function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readRetryAfter(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const seconds = Number(header);
  const pause = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(pause) ? undefined : Math.min(MAX_RETRY_AFTER, Math.max(0, pause));
}

/** A URL fit for logs: not too long, with no user information, and no query, which may hold a signature. */
export function redactUrl(url: URL): string {
  return `${plain(`${url.origin}${url.pathname}`)}${url.search ? '?…' : ''}`;
}

/** What an error says: connection failures come as an AggregateError without words of its own. */
export function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const parts = error instanceof AggregateError ? error.errors.map(wordsOf) : [];
  return error.message || parts.join('; ') || error.name;
}
