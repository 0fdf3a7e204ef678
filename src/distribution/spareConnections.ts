import type { Socket } from 'node:net';
import { buildConnector } from 'undici';

type Connector = buildConnector.connector;

/**
 * Connections that are opened before there is a request for them, while something else is waited for: a new connection takes
 * a round trip, and two or three with TLS. undici opens one for a request only, so that it is given them as if they
 * had just been opened.
 */
export class SpareConnections {
  readonly #open: Connector;
  readonly #spares = new Map<string, Promise<Socket>[]>();

  readonly #most: number;

  /** @param most how many may wait for one origin's requests */
  constructor(most: number, options: buildConnector.BuildOptions) {
    this.#most = most;
    this.#open = buildConnector(options);
  }

  /** For undici: a spare connection, or a new one where there is none. */
  readonly connect: Connector = (options, callback) => {
    const spare = this.#spares.get(keyOf(options))?.shift();
    if (!spare) return this.#open(options, callback);
    const openAnother = () => this.#open(options, callback);
    spare.then((socket) => (isOpen(socket) ? callback(null, socket) : openAnother()), openAnother);
  };

  /** Begins to open a connection, unless enough are waiting. A failure is nobody's yet: the request that would have had it finds out for itself. */
  prepare({ protocol, host, hostname, port }: URL): void {
    const options = { protocol, host, hostname, port };
    const waiting = this.#spares.get(keyOf(options)) ?? [];
    if (waiting.length >= this.#most) return;
    const opening = new Promise<Socket>((resolve, reject) => {
      this.#open(options, (error, socket) => (error ? reject(error) : resolve(socket)));
    });
    opening.catch(() => undefined);
    this.#spares.set(keyOf(options), [...waiting, opening]);
  }

  /** Closes those that nobody wanted. */
  close(): void {
    for (const opening of [...this.#spares.values()].flat()) {
      opening.then(
        (socket) => socket.destroy(),
        () => undefined,
      );
    }
    this.#spares.clear();
  }
}

function keyOf({
  protocol,
  hostname,
  port,
}: Pick<buildConnector.Options, 'protocol' | 'hostname' | 'port'>): string {
  return `${protocol}//${hostname}:${port}`;
}

function isOpen(socket: Socket): boolean {
  return !socket.destroyed && socket.writable && socket.readable;
}
