import { connect, createServer, type Socket } from 'node:net';
import * as z from 'zod/mini';
import type { Clock } from './clock.ts';
import { Pipe } from './pipe.ts';

/** A line to one server, as the worker is told of it. */
export const linkSchema = z.object({
  /** The port on loopback that the line leads to. */
  target: z.number(),
  /** The time there and back in milliseconds; by region for a server that answers for several of them. */
  rtt: z.union([z.number(), z.record(z.string(), z.number())]),
  /** Bytes a second that one connection gets in each direction; nothing for as fast as the machine is. */
  rate: z.optional(z.number()),
});
export type LinkOptions = z.infer<typeof linkSchema>;

export interface Link {
  readonly port: number;
  readonly connections: number;
  /** Bytes towards the server, and back. */
  readonly sent: number;
  readonly received: number;
  close(): Promise<void>;
}

/**
 * Opens a line. To open a connection takes a round trip on it before the first byte sets off, as SYN and SYN-ACK do; after
 * that every byte takes half a round trip.
 */
export async function openLink(options: LinkOptions, clock: Clock): Promise<Link> {
  const pipes: { up: Pipe; down: Pipe }[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;

  const join = (client: Socket, acceptedAt: number, first: Buffer | undefined, rtt: number) => {
    const server = connect({ host: '127.0.0.1', port: options.target, noDelay: true, allowHalfOpen: true });
    tie(client, server, sockets);
    const shape = { rate: options.rate ?? Number.POSITIVE_INFINITY, delay: rtt / 2 };
    const up = new Pipe(client, server, { ...shape, opensAt: acceptedAt + rtt }, clock);
    pipes.push({ up, down: new Pipe(server, client, { ...shape, opensAt: 0 }, clock) });
    if (first) up.send(first);
  };

  const listener = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    connections += 1;
    const acceptedAt = performance.now();
    const { rtt } = options;
    if (typeof rtt === 'number') return join(client, acceptedAt, undefined, rtt);
    client.once('error', () => client.destroy());
    // Whose line it is, the first request says: it is signed for one region.
    client.once('data', (first: Buffer) => join(client, acceptedAt, first, rttOf(first, rtt)));
  });
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const address = listener.address();
  if (address === null || typeof address === 'string') throw new Error('the link has no port');
  const total = (side: 'up' | 'down') => pipes.reduce((sum, each) => sum + each[side].carried, 0);
  return {
    port: address.port,
    get connections() {
      return connections;
    },
    get sent() {
      return total('up');
    },
    get received() {
      return total('down');
    },
    close: () =>
      new Promise((closed) => {
        listener.close(() => closed());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** Both ends of a connection end together when either breaks. */
function tie(client: Socket, server: Socket, sockets: Set<Socket>): void {
  for (const [one, other] of [
    [client, server],
    [server, client],
  ] as const) {
    sockets.add(one);
    one.on('error', () => other.destroy());
    one.on('close', () => {
      sockets.delete(one);
      if (!one.writableEnded || !one.readableEnded) other.destroy();
    });
  }
}

/** The line's length by the region that an AWS signature (version 4) is scoped to; the longest, if it names none. */
function rttOf(head: Buffer, byRegion: Readonly<Record<string, number>>): number {
  const region = /Credential=[^/\s]+\/\d{8}\/([a-z0-9-]+)\//.exec(head.toString('latin1'))?.[1] ?? '';
  return byRegion[region] ?? Math.max(...Object.values(byRegion));
}
