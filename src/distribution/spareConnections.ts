import type { Socket } from 'node:net';
import { buildConnector } from 'undici';

type Connector = buildConnector.connector;

/** A connection that is being opened, or waits. */
interface Spare {
  readonly opening: Promise<Socket>;
  /** When it was begun, in milliseconds as `performance.now` counts. */
  readonly at: number;
}

export interface SpareOptions {
  /** How many may wait for one origin's requests. */
  readonly most: number;
  /** How long one may wait, in milliseconds: what stands between may have forgotten it after that. */
  readonly age: number;
}

/**
 * Connections that are opened before there is a request for them, while something else is waited for: a new connection takes
 * a round trip, and two or three with TLS. undici opens one for a request only, so that it is given them as if they
 * had just been opened.
 */
export class SpareConnections {
  readonly #options: SpareOptions;
  readonly #open: Connector;
  readonly #spares = new Map<string, Spare[]>();
  #closed = false;

  constructor(options: SpareOptions, connection: buildConnector.BuildOptions) {
    this.#options = options;
    this.#open = buildConnector(connection);
  }

  /** For undici: a spare connection, or a new one where there is none. */
  readonly connect: Connector = (options, callback) => {
    const spare = this.#fresh(keyOf(options)).shift();
    if (!spare) return this.#open(options, callback);
    // One that was broken meanwhile makes place for the next.
    const another = () => this.connect(options, callback);
    spare.opening.then((socket) => (isOpen(socket) ? callback(null, socket) : another()), another);
  };

  /**
   * Begins to open a connection, unless enough are waiting. A failure is nobody's yet: the request that would have had
   * the connection finds out for itself.
   */
  prepare({ protocol, host, hostname, port }: URL): void {
    const options = { protocol, host, hostname, port };
    const waiting = this.#fresh(keyOf(options));
    if (this.#closed || waiting.length >= this.#options.most) return;
    const opening = new Promise<Socket>((resolve, reject) => {
      this.#open(options, (error, socket) => (error ? reject(error) : resolve(socket)));
    });
    opening.catch(() => undefined);
    waiting.push({ opening, at: performance.now() });
  }

  /** Closes those that nobody wanted; no others are opened any more. */
  close(): void {
    this.#closed = true;
    for (const spare of [...this.#spares.values()].flat()) destroy(spare);
    this.#spares.clear();
  }

  /** Those of an origin that are not too old, to take from and to add to. */
  #fresh(key: string): Spare[] {
    const waiting = this.#spares.get(key) ?? [];
    this.#spares.set(key, waiting);
    const oldest = performance.now() - this.#options.age;
    while (waiting[0] && waiting[0].at < oldest) destroy(waiting.shift());
    return waiting;
  }
}

function destroy(spare: Spare | undefined): void {
  spare?.opening.then(
    (socket) => socket.destroy(),
    () => undefined,
  );
}

type Address = Pick<buildConnector.Options, 'protocol' | 'hostname' | 'port'>;

function keyOf({ protocol, hostname, port }: Address): string {
  return `${protocol}//${hostname}:${port}`;
}

function isOpen(socket: Socket): boolean {
  return !socket.destroyed && socket.writable && socket.readable;
}
