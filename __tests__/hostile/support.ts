import { createServer, type Socket } from 'node:net';
import { type Authorizer, challengedAuthorizer } from '../../src/distribution/auth.ts';
import { Repository } from '../../src/distribution/repository.ts';
import { createSession } from '../../src/distribution/session.ts';
import { createTransport, type Transport } from '../../src/distribution/transport.ts';
import { atEnd } from '../support/ends.ts';

/** How long the tests' clients wait for a slow answer, in milliseconds. */
export const PATIENCE = 300;

/** What a function throws. */
export function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

/** What a promise is rejected with. */
export function rejectionOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => Promise.reject(new Error('nothing was thrown')),
    (error: unknown) => error,
  );
}

/** A transport that waits for slow answers as briefly as the tests do, or for so many milliseconds. */
export function impatientTransport(patience = PATIENCE): Transport {
  const transport = createTransport({ connections: 4, userAgent: 'test', limits: { patience } });
  atEnd(() => transport.close());
  return transport;
}

/**
 * A client of the repository `app/web` that tries everything once.
 * @param patience how long it waits for slow answers, in milliseconds
 */
export function clientOf(origin: string, authorizer?: Authorizer, patience?: number): Repository {
  const transport = impatientTransport(patience);
  const session = createSession(origin, transport, authorizer ?? challengedAuthorizer(origin, transport));
  const retry = { retries: 0, throttled: 0, silent: 0, minDelay: 1, maxDelay: 1 };
  return new Repository({ origin, name: 'app/web', session, retry });
}

export interface RawServer {
  readonly url: string;
  /** All connections that were opened to it. */
  readonly sockets: readonly Socket[];
}

/** A server on loopback that answers each request's head with whatever bytes it likes. */
export async function serveBytes(answer: (socket: Socket, head: string) => unknown): Promise<RawServer> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    // Clients are meant to hang up.
    socket.on('error', () => undefined);
    socket.on('data', (head) => void answer(socket, head.toString('latin1')));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return { url: `http://127.0.0.1:${address.port}`, sockets };
}

/** Writes pieces for as long as they are taken, and counts what was. */
export function pour(socket: Socket, piece: string | Buffer): void {
  const more = () => {
    while (!socket.destroyed && socket.write(piece));
  };
  socket.on('drain', more);
  more();
}

/** Writes a piece now and then, for as long as the socket is there. */
export function drip(socket: Socket, piece: string | Buffer, every = PATIENCE / 6): void {
  const timer = setInterval(() => socket.write(piece), every);
  socket.on('close', () => clearInterval(timer));
}
