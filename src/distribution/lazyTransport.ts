import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Transport } from './transport.ts';

/**
 * A transport that is loaded when it is first of use: ECR's API, which is asked before any registry, needs none of it, and
 * while it answers there is time.
 * @param load gives the transport, once
 */
export function lazyTransport(load: () => Promise<Transport>): Transport {
  let loading: Promise<Transport> | undefined;
  let isClosed = false;
  const loaded = () => {
    loading ??= load();
    return loading;
  };
  const prepare = async (url: URL) => {
    // What is asked of the API in this turn is to be on its way before something is loaded.
    if (!loading) await nextTurn();
    if (!isClosed) (await loaded()).prepare(url);
  };
  return {
    send: async (request) => (await loaded()).send(request),
    prepare(url) {
      // Whoever sends a request is told of a failure.
      prepare(url).catch(() => undefined);
    },
    close: async () => {
      isClosed = true;
      // What failed to load has nothing to close, and whoever needed it knows.
      const transport = await loading?.catch(() => undefined);
      await transport?.close();
    },
  };
}
