import type { Transport } from '../distribution/transport.ts';

/** Connections that are opened: what is asked first is asked side by side. */
const CONNECTIONS = 8;

/**
 * Opens the first connections to a registry, when it is told where that is, once. A new connection takes a round trip, and
 * two or three with TLS.
 */
export function connectOnce(transport: Pick<Transport, 'prepare'>): (origin: string | undefined) => void {
  let isDone = false;
  return (origin) => {
    if (isDone || !origin) return;
    isDone = true;
    for (let count = 0; count < CONNECTIONS; count += 1) transport.prepare(new URL(origin));
  };
}
