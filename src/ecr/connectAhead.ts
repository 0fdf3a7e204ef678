import type { Transport } from '../distribution/transport.ts';

/**
 * Connections that are opened to all registries together, and to each at the most and at the least: what is asked first is
 * asked side by side, but to open one with TLS costs the processor a millisecond and more.
 */
const CONNECTIONS = { together: 32, most: 8, least: 2 };

/**
 * Opens the first connections to a registry, when it is told where that is, once. A new connection takes a round trip, and
 * two or three with TLS.
 * @param registries how many there are that get as many
 */
export function connectOnce(
  transport: Pick<Transport, 'prepare'>,
  registries: number,
): (origin: string | undefined) => void {
  const share = Math.floor(CONNECTIONS.together / registries);
  const each = Math.max(CONNECTIONS.least, Math.min(CONNECTIONS.most, share));
  let isDone = false;
  return (origin) => {
    if (isDone || !origin) return;
    isDone = true;
    for (let count = 0; count < each; count += 1) transport.prepare(new URL(origin));
  };
}
