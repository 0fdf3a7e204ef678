import { connect, createServer, type Socket } from 'node:net';
import * as z from 'zod/mini';
import type { Clock } from './clock.ts';
import { Pipe } from './pipe.ts';

const endSchema = z.object({
  /** The port on loopback that the line leads to. */
  target: z.number(),
  /** The time there and back in milliseconds. */
  rtt: z.number(),
});
type End = z.infer<typeof endSchema>;

/** A line, as the worker is told of it. */
export const linkSchema = z.object({
  /** Where it leads: to one server, or to one of several, each of them its own region's. */
  to: z.union([endSchema, z.record(z.string(), endSchema)]),
  /** Bytes a second that one connection gets in each direction; nothing for as fast as the machine is. */
  rate: z.optional(z.number()),
});
export type LinkOptions = z.infer<typeof linkSchema>;

/** What went over a line. */
export interface LinkCounts {
  readonly connections: number;
  /** Bytes towards the server, and back. */
  readonly sent: number;
  readonly received: number;
}

export interface Link {
  readonly port: number;
  /** What went to one of several servers, or to all of them. */
  count(region?: string): LinkCounts;
  close(): Promise<void>;
}

interface Connection {
  readonly up: Pipe;
  readonly down: Pipe;
  readonly region: string | undefined;
}

/**
 * Opens a line. To open a connection takes a round trip on it before the first byte sets off, as SYN and SYN-ACK do; after
 * that every byte takes half a round trip.
 */
export async function openLink(options: LinkOptions, clock: Clock): Promise<Link> {
  const connections: Connection[] = [];
  const sockets = new Set<Socket>();

  const join = (client: Socket, acceptedAt: number, { target, rtt }: End, first?: First) => {
    const server = connect({ host: '127.0.0.1', port: target, noDelay: true, allowHalfOpen: true });
    tie(client, server, sockets);
    const shape = { rate: options.rate ?? Number.POSITIVE_INFINITY, delay: rtt / 2 };
    const up = new Pipe(client, server, { ...shape, opensAt: acceptedAt + rtt }, clock);
    const down = new Pipe(server, client, { ...shape, opensAt: 0 }, clock);
    connections.push({ up, down, region: first?.region });
    if (first) up.send(first.bytes);
  };

  const listener = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    const acceptedAt = performance.now();
    const { to } = options;
    if (isEnd(to)) return join(client, acceptedAt, to);
    sockets.add(client);
    client.once('error', () => client.destroy()).once('close', () => sockets.delete(client));
    // Whose line it is, the first request says.
    client.once('data', (bytes: Buffer) => {
      const region = regionIn(bytes);
      const end = to[region];
      if (end) join(client, acceptedAt, end, { bytes, region });
      else client.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const address = listener.address();
  if (address === null || typeof address === 'string') throw new Error('the link has no port');
  return {
    port: address.port,
    count(region) {
      const counted = connections.filter((each) => region === undefined || each.region === region);
      const total = (side: 'up' | 'down') => counted.reduce((sum, each) => sum + each[side].carried, 0);
      return { connections: counted.length, sent: total('up'), received: total('down') };
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

/** The first bytes of a connection, and the region that they are for. */
interface First {
  readonly bytes: Buffer;
  readonly region: string;
}

/** The region in a request's head: of its AWS signature (version 4), or of its host, `us-east-1.localhost`. */
function regionIn(head: Buffer): string {
  const text = head.toString('latin1');
  const signed = /Credential=[^/\s]+\/\d{8}\/([a-z0-9-]+)\//.exec(text);
  return (signed ?? /^host: ([a-z0-9-]+)\.localhost/im.exec(text))?.[1] ?? '';
}

function isEnd(to: LinkOptions['to']): to is End {
  return typeof to.target === 'number';
}
