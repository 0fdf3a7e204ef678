import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type Authorizer, challengedAuthorizer } from '../../src/distribution/auth.ts';
import { Repository } from '../../src/distribution/repository.ts';
import type { RetryPolicy } from '../../src/distribution/retry.ts';
import { createSession } from '../../src/distribution/session.ts';
import { createTransport, type Transport } from '../../src/distribution/transport.ts';
import { atEnd } from './ends.ts';

/** A request as it came, with its whole body. */
export interface Received {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface TestServer {
  readonly url: string;
  readonly requests: readonly Received[];
  /** All connections that were opened to it, in order. */
  readonly connections: readonly Socket[];
}

/** Answers one request; `count` says how many came before it. */
export type Answer = (request: Received, response: ServerResponse, count: number) => unknown;

/** Starts a server on loopback that reads each request to its end and then answers. */
export async function serve(answer: Answer): Promise<TestServer> {
  const requests: Received[] = [];
  const connections: Socket[] = [];
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const body = Buffer.concat(await request.toArray());
    const received = {
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers,
      body,
    };
    requests.push(received);
    await answer(received, response, requests.length - 1);
  };
  const url = await serveRaw(handle, (socket) => connections.push(socket));
  return { url, requests, connections };
}

/** Starts a server on loopback whose handler reads the request itself; gives its URL. */
export async function serveRaw(
  handle: (request: IncomingMessage, response: ServerResponse) => unknown,
  connected: (socket: Socket) => unknown = () => undefined,
): Promise<string> {
  const server = createServer((request, response) => {
    Promise.resolve(handle(request, response)).catch(() => response.destroy());
  });
  server.on('connection', connected);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return `http://127.0.0.1:${address.port}`;
}

/** A registry's refusal in the form of the distribution API. */
export function refuse(
  response: ServerResponse,
  status: number,
  code: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = JSON.stringify({ errors: [{ code, message: `said ${code}` }] });
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
}

/** Tries again at once. */
export const EAGER: RetryPolicy = { retries: 3, throttled: 12, silent: 3, minDelay: 1, maxDelay: 5 };

/** A transport that is closed after the test, with so many connections to each origin at the most. */
export function openTransport(connections = 4): Transport {
  const transport = createTransport({ connections, userAgent: 'test' });
  atEnd(() => transport.close());
  return transport;
}

export interface ClientOptions {
  readonly name?: string;
  readonly authorizer?: Authorizer;
  readonly retry?: RetryPolicy;
  readonly onRetry?: (error: Error, pause: number) => void;
}

/** A client of the repository `app/web` of the registry at this origin. */
export function repositoryAt(origin: string, options: ClientOptions = {}): Repository {
  const transport = openTransport();
  const {
    name = 'app/web',
    authorizer = challengedAuthorizer(origin, transport),
    retry = EAGER,
    onRetry,
  } = options;
  const session = createSession(origin, transport, authorizer);
  return new Repository({ origin, name, session, retry, ...(onRetry && { onRetry }) });
}
