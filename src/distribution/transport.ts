import { lookup as systemLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import type { Readable } from 'node:stream';
import { Agent, type Dispatcher, EnvHttpProxyAgent, request } from 'undici';
import { RegistryError } from './errors.ts';

/** How long an answer, or its next bytes, may be waited for, in milliseconds. */
const ANSWER = 60_000;
const UPLOAD_ANSWER = 300_000;

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | Readable;
}

export interface HttpResponse {
  readonly status: number;
  /** The first value of a header, by its lower-case name. */
  header(name: string): string | undefined;
  /** The body as a stream; it has to be read or drained. */
  readonly body: Readable;
  /** The whole body, refused past `limit` bytes. */
  bytes(limit: number): Promise<Buffer>;
  /** Lets the connection go back to its pool. */
  drain(): Promise<void>;
}

/** Sends one request and gives the answer, whatever its status; redirects are not followed. */
export interface Transport {
  send(request: HttpRequest): Promise<HttpResponse>;
  /** Ends all connections; called when no request matters any more. */
  close(): Promise<void>;
}

export interface TransportOptions {
  /** Connections to one origin at the most. */
  readonly connections: number;
  readonly userAgent: string;
  /** Proxies as the environment names them (HTTP_PROXY, HTTPS_PROXY, NO_PROXY). */
  readonly proxy?: { readonly http?: string; readonly https?: string; readonly no?: string };
}

/**
 * A transport over undici with a pool of kept-alive connections for each origin. HTTP/2 is off: ECR speaks 1.1,
 * and parallel uploads want connections of their own.
 */
export function createTransport(options: TransportOptions): Transport {
  const dispatcher = createDispatcher(options);
  return {
    async send({ method, url, headers, body }) {
      const answer = await request(url, {
        dispatcher,
        method,
        headers: { 'user-agent': options.userAgent, ...headers },
        body: body ?? null,
        // Only an upload may take long to be answered: the registry looks at all of it first.
        headersTimeout: body ? UPLOAD_ANSWER : ANSWER,
        bodyTimeout: ANSWER,
      });
      return toResponse(method, url, answer);
    },
    close: () => dispatcher.destroy(),
  };
}

function createDispatcher({ connections, proxy }: TransportOptions): Dispatcher {
  const agent = { connections, allowH2: false, connect: { lookup: lookupLocalhost, timeout: 15_000 } };
  if (!proxy?.http && !proxy?.https) return new Agent(agent);
  return new EnvHttpProxyAgent({
    ...agent,
    ...(proxy.http && { httpProxy: proxy.http }),
    ...(proxy.https && { httpsProxy: proxy.https }),
    ...(proxy.no && { noProxy: proxy.no }),
  });
}

/**
 * Names under `.localhost` mean this machine, even where the system's resolver does not know that.
 * https://www.rfc-editor.org/rfc/rfc6761#section-6.3
 */
const lookupLocalhost: LookupFunction = (hostname, options, callback) => {
  systemLookup(hostname.endsWith('.localhost') ? '127.0.0.1' : hostname, options, callback);
};

function toResponse(method: string, url: URL, answer: Dispatcher.ResponseData): HttpResponse {
  const header = (name: string) => {
    const value = answer.headers[name];
    return Array.isArray(value) ? value[0] : value;
  };
  return {
    status: answer.statusCode,
    header,
    body: answer.body,
    bytes: (limit) => readAtMost(answer.body, limit, () => tooLong(method, url, answer.statusCode, limit)),
    drain: () => answer.body.dump(),
  };
}

function tooLong(method: string, url: URL, status: number, limit: number): Error {
  return new RegistryError({ method, url }, { status, body: `a body of more than ${limit} bytes` });
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
