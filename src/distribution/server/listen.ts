import { createServer, type RequestListener } from 'node:http';

/** A server that listens. */
export interface Listening {
  readonly port: number;
  /** How many connections are open. */
  connections(): Promise<number>;
  /** Stops listening and cuts the connections that are left. */
  close(): Promise<void>;
}

/**
 * Starts an HTTP server for blobs: with no limit on how long a request takes, since a large layer on a slow line
 * takes as long as it takes, but with one on how long its headers do.
 * @param host the address to listen on: loopback, or a bridge's gateway
 * @param port 0 for one that the system picks
 * @throws the system's error, such as EADDRINUSE
 */
export async function listen(
  handler: RequestListener,
  { host, port }: { host: string; port: number },
): Promise<Listening> {
  const server = createServer(
    { requestTimeout: 0, headersTimeout: 60_000, keepAliveTimeout: 60_000 },
    handler,
  );
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject).listen(port, host, resolve);
  await promise;
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    port: address.port,
    connections: () =>
      new Promise((counted, failed) => {
        server.getConnections((error, count) => (error ? failed(error) : counted(count)));
      }),
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}
