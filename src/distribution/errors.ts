import * as z from 'zod/mini';

/** The most of a registry's answer that an error repeats, in characters. */
const MAX_DETAIL = 500;

const bodySchema = z.looseObject({
  errors: z.array(z.looseObject({ code: z.optional(z.string()), message: z.optional(z.string()) })),
});

/** One request of which a registry said no, or gave an answer that cannot be right. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError';
  readonly status: number;
  /** The codes of the distribution API, such as NAME_UNKNOWN; none when the answer was not in its form. */
  readonly codes: readonly string[];
  /** What the registry said, in its own words, capped. */
  readonly said: string;
  /** How long the registry asks to be left alone, in milliseconds. */
  readonly retryAfter: number | undefined;

  constructor(
    request: { method: string; url: URL },
    answer: { status: number; body: string; retryAfter?: string },
  ) {
    const { codes, said } = readRefusal(answer.body);
    const words = said ? `: ${said}` : '';
    super(`${request.method} ${redactUrl(request.url)} answered ${answer.status}${words}`);
    this.status = answer.status;
    this.codes = codes;
    this.said = said;
    this.retryAfter = readRetryAfter(answer.retryAfter);
  }
}

/** Content that is not what its digest or size promised. */
export class ContentError extends Error {
  override readonly name = 'ContentError';
}

function readRefusal(body: string): { codes: string[]; said: string } {
  const parsed = z.safeParse(bodySchema, safeJson(body));
  if (!parsed.success) return { codes: [], said: oneLine(body) };
  const { errors } = parsed.data;
  return {
    codes: errors.flatMap(({ code }) => (code ? [code] : [])),
    said: oneLine(errors.map(({ code, message }) => [code, message].filter(Boolean).join(': ')).join('; ')),
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

/** A registry's words on one line: an answer must not be able to write log lines of its own. */
function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out
  const line = text.replace(/[\u0000-\u001f\u007f]+/g, ' ').trim();
  return line.length > MAX_DETAIL ? `${line.slice(0, MAX_DETAIL)}…` : line;
}

function readRetryAfter(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

/** A URL fit for logs: no user information, and no query, which may hold a signature. */
export function redactUrl(url: URL): string {
  return `${url.origin}${url.pathname}${url.search ? '?…' : ''}`;
}

/** What an error says: connection failures come as an AggregateError without words of its own. */
export function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const parts = error instanceof AggregateError ? error.errors.map(wordsOf) : [];
  return error.message || parts.join('; ') || error.name;
}
