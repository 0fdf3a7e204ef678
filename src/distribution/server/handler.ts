import type { IncomingMessage, ServerResponse } from 'node:http';
import { answer, answerError, type Exchange } from './answers.ts';
import type { Backend } from './backend.ts';
import { handleBlob } from './blobs.ts';
import { handleReferrers, handleTags } from './listings.ts';
import { handleManifest } from './manifests.ts';
import { methodRefused } from './refusal.ts';
import { parseRoute } from './routes.ts';
import { handleUpload, handleUploads } from './uploads.ts';

/**
 * A request listener that speaks the distribution API in front of a backend. It answers every request, errors
 * too, and its promise never fails. Bodies pass through in pieces; none but a manifest's is held in memory.
 *
 * The server that it is given to belongs to the caller, who minds its time limits: by default Node cuts a request
 * that takes longer than five minutes, which a large blob on a slow line does.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md
 */
export function createRegistryHandler(
  backend: Backend,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (request, response) => {
    // A client may go away at any time; whoever reads or writes learns it there.
    request.on('error', () => {});
    response.on('error', () => {});
    response.setHeader('Docker-Distribution-Api-Version', 'registry/2.0');
    try {
      await dispatch(backend, request, response);
    } catch (error) {
      await answerError({ request, response }, error).catch(() => response.destroy());
    }
  };
}

async function dispatch(backend: Backend, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [path = '', ...query] = (request.url ?? '').split('?');
  const exchange: Exchange = { request, response, query: new URLSearchParams(query.join('?')) };
  backend.authenticate(request);
  const route = parseRoute(path);
  if (route.kind === 'ping') {
    if (request.method !== 'GET' && request.method !== 'HEAD') throw methodRefused(['GET', 'HEAD']);
    return answer(exchange, 200, { 'Content-Type': 'application/json' }, '{}');
  }
  const repository = await backend.repository(route.name, request);
  const target = { name: route.name, repository, quirks: backend.quirks };
  switch (route.kind) {
    case 'blob':
      return handleBlob(exchange, repository, route.digest);
    case 'uploads':
      return handleUploads(exchange, target);
    case 'upload':
      return handleUpload(exchange, target, route.id);
    case 'manifest':
      return handleManifest(exchange, target, route.reference);
    case 'tags':
      return handleTags(exchange, target);
    case 'referrers':
      return handleReferrers(exchange, target, route.digest);
  }
}
