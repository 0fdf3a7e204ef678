import { lookup as systemLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Agent, type buildConnector, type Dispatcher, EnvHttpProxyAgent, errors, request } from 'undici';
import { RegistryError, redactUrl, TimeoutError, wordsOf } from './errors.ts';
import { DEFAULT_LIMITS, type Limits, uploadAnswerLimit } from './limits.ts';
import type { Proxies } from './proxies.ts';
import { SpareConnections } from './spareConnections.ts';
import { breakOffWhenDripping, breakOffWhenStalled } from './stall.ts';

/** How many answers may say that the answer is still to come (1xx): each of them is waited for anew. */
const INTERIM = 10;
/** Connections to one origin that are opened ahead of their requests, at the most. */
const SPARES = 8;

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | Readable;
  /** Breaks the request off. */
  readonly signal?: AbortSignal;
}

export interface HttpResponse {
  readonly status: number;
  /** The first value of a header, by its lower-case name. */
  header(name: string): string | undefined;
  /** The body as a stream, for one who reads it to its end; it fails when it only drips. */
  stream(): Readable;
  /** The whole body, refused past `limit` bytes, or when it does not end in time. */
  bytes(limit: number): Promise<Buffer>;
  /** Lets the connection go back to its pool; where too much would have to be waited for, it is given up. */
  drain(): Promise<void>;
}

/** Sends one request and gives the answer, whatever its status; redirects are not followed. */
export interface Transport {
  send(request: HttpRequest): Promise<HttpResponse>;
  /** Opens one connection more for a request that may soon be sent to this URL's origin; a help, and no promise. */
  prepare(url: URL): void;
  /** Ends all connections; called when no request matters any more. */
  close(): Promise<void>;
}

export interface TransportOptions {
  /** Connections to one origin at the most. */
  readonly connections: number;
  readonly userAgent: string;
  /** Those that are other than by default. */
  readonly limits?: Partial<Limits>;
  readonly proxy?: Proxies;
}

/**
 * A transport over undici with a pool of kept-alive connections for each origin. HTTP/2 is off: ECR speaks 1.1,
 * and parallel uploads want connections of their own.
 */
export function createTransport(options: TransportOptions): Transport {
  const { proxy } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const connection = { lookup: lookupLocalhost, timeout: limits.connect, allowH2: false };
  // Behind a proxy a connection is the proxy's, and opened by other rules.
  const spares =
    proxy?.http || proxy?.https
      ? undefined
      : new SpareConnections({ most: SPARES, age: limits.idle }, connection);
  const dispatcher = createDispatcher(options, limits, connection, spares);
  return {
    async send({ method, url, headers, body, signal }) {
      if (body instanceof Readable) breakOffWhenStalled(body, limits.stall);
      const what = `${method} ${redactUrl(url)}`;
      const answerWithin = answerLimit(limits, body, headers);
      const answer = await request(url, {
        dispatcher,
        method,
        headers: { 'user-agent': options.userAgent, ...headers },
        body: body ?? null,
        ...(signal && { signal }),
        // By default undici closes the connection after each HEAD.
        reset: false,
        headersTimeout: answerWithin,
        bodyTimeout: limits.answer,
        onInfo: refuseMany(what),
      }).catch((error: unknown) => {
        throw error instanceof errors.HeadersTimeoutError
          ? new TimeoutError(`no answer came for ${Math.round(answerWithin / 1000)} s`, { cause: error })
          : error;
      });
      const tooLong = (limit: number) =>
        new RegistryError(
          { method, url },
          { status: answer.statusCode, body: `a body of more than ${limit} bytes` },
        );
      return toResponse(answer, what, limits, tooLong);
    },
    prepare: (url) => spares?.prepare(url),
    close() {
      spares?.close();
      return dispatcher.destroy();
    },
  };
}

/** Only an upload may take long to be answered. */
function answerLimit(
  limits: Limits,
  body: HttpRequest['body'],
  headers: HttpRequest['headers'] = {},
): number {
  if (!(body instanceof Readable)) return limits.answer;
  return uploadAnswerLimit(limits, Number(headers['content-length'] ?? 0));
}

function createDispatcher(
  { connections, proxy }: TransportOptions,
  { idle }: Limits,
  connection: buildConnector.BuildOptions,
  spares?: SpareConnections,
): Dispatcher {
  const agent = { connections, allowH2: false, keepAliveTimeout: idle };
  if (spares) return new Agent({ ...agent, connect: spares.connect });
  return new EnvHttpProxyAgent({
    ...agent,
    connect: connection,
    ...(proxy?.http && { httpProxy: proxy.http }),
    ...(proxy?.https && { httpsProxy: proxy.https }),
    ...(proxy?.no && { noProxy: proxy.no }),
  });
}

/**
 * Names under `.localhost` mean this machine, even where the system's resolver does not know that.
 * https://www.rfc-editor.org/rfc/rfc6761#section-6.3
 */
const lookupLocalhost: LookupFunction = (hostname, options, callback) => {
  systemLookup(hostname.endsWith('.localhost') ? '127.0.0.1' : hostname, options, callback);
};

/** Breaks a request off that is put off again and again. */
function refuseMany(what: string): () => void {
  let count = 0;
  return () => {
    count += 1;
    if (count > INTERIM) throw new TimeoutError(`${what} has no answer after ${INTERIM} that announce one`);
  };
}

function toResponse(
  answer: Dispatcher.ResponseData,
  what: string,
  { patience, rest }: Limits,
  tooLong: (limit: number) => Error,
): HttpResponse {
  const { body } = answer;
  const header = (name: string) => {
    const value = answer.headers[name];
    return Array.isArray(value) ? value[0] : value;
  };
  const told = (error: Error): never => {
    if (error instanceof RegistryError || error instanceof TimeoutError) throw error;
    throw new Error(`${what}: ${wordsOf(error)}`, { cause: error });
  };
  return {
    status: answer.statusCode,
    header,
    stream: () => {
      // Whoever sends on what is read here would be taken for the one that failed.
      body.once('error', (error) => {
        if (!(error instanceof TimeoutError)) error.message = `${what}: ${wordsOf(error)}`;
      });
      breakOffWhenDripping(body, patience, what);
      return body;
    },
    bytes: async (limit) => {
      const late = new TimeoutError(`${what}: the answer did not end within ${patience / 1000} s`);
      const read = () => readAtMost(body, limit, () => tooLong(limit)).catch(told);
      const bytes = await before(body, patience, late, read);
      await connectionFree();
      return bytes;
    },
    drain: async () => {
      await before(body, Math.min(rest, patience), undefined, () => body.dump());
      await connectionFree();
    },
  };
}

/** Reads a body, and ends it when that takes too long, in milliseconds. */
async function before<T>(
  body: Readable,
  limit: number,
  error: Error | undefined,
  read: () => Promise<T>,
): Promise<T> {
  const timer = setTimeout(() => body.destroy(error), limit);
  try {
    return await read();
  } finally {
    clearTimeout(timer);
  }
}

/**
 * A connection is free again one turn of the event loop after the body's end: a request that is sent before that opens
 * another one, which takes a round trip more, and two or three with TLS.
 */
function connectionFree(): Promise<void> {
  return nextTurn();
}

async function readAtMost(body: Readable, limit: number, tooLong: () => Error): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length > limit) throw tooLong();
    chunks.push(bytes);
  }
  return Buffer.concat(chunks, length);
}
