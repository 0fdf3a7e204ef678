import type { Transport } from './transport.ts';

/**
 * A transport that is loaded when it is first of use: ECR's API, which is asked before any registry, needs none of it, and
 * while it answers there is time.
 * @param load gives the transport, once
 */
export function lazyTransport(load: () => Promise<Transport>): Transport {
  let loading: Promise<Transport> | undefined;
  const loaded = () => {
    loading ??= load();
    return loading;
  };
  return {
    send: async (request) => (await loaded()).send(request),
    prepare(url) {
      // Whoever sends a request is told of a failure.
      loaded().then(
        (transport) => transport.prepare(url),
        () => undefined,
      );
    },
    close: async () => {
      // What failed to load has nothing to close, and whoever needed it knows.
      const transport = await loading?.catch(() => undefined);
      await transport?.close();
    },
  };
}
