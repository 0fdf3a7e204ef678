import { createServer, type IncomingHttpHeaders } from 'node:http';
import { isDigest } from '../../src/image/digest.ts';
import type { Manifest } from '../../src/image/manifest.ts';
import { OCI_INDEX } from '../../src/image/mediaTypes.ts';
import { BLOBS, MANIFESTS } from './release.ts';

/** Another origin, to which no credentials may go. */
export interface Elsewhere {
  readonly url: string;
  /** What came of headers that are nobody's business there, by their requests. */
  readonly leaked: readonly string[];
  close(): Promise<void>;
}

const NO_REFERRERS = JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] });
const SECRETS = ['authorization', 'x-amz-security-token', 'cookie', 'proxy-authorization'];

/**
 * Starts one that gives whatever it is asked for, to everybody, under paths that begin with a region.
 * @param shown what a tag shows in a region; for what is no tag either, something else than was asked for
 */
export async function startElsewhere(
  host: string,
  shown: (region: string, tag: string) => Manifest | undefined,
): Promise<Elsewhere> {
  const leaked: string[] = [];
  const server = createServer((request, response) => {
    for (const name of secretsIn(request.headers)) leaked.push(`${request.method} ${request.url}: ${name}`);
    const parts = (request.url ?? '').split('?')[0]?.split('/') ?? [];
    const [region = '', reference = ''] = [parts[1], parts.at(-1)];
    const manifest = isDigest(reference) ? MANIFESTS.get(reference) : shown(region, reference);
    const blob = isDigest(reference) && BLOBS.get(reference);
    request.resume();
    if (parts.includes('referrers')) return response.end(NO_REFERRERS);
    if (blob) return response.end(blob);
    if (!manifest) return response.writeHead(404).end();
    return response.writeHead(200, { 'content-type': manifest.mediaType }).end(manifest.bytes);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, host, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    url: `http://${host}:${address.port}`,
    leaked,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}

function secretsIn(headers: IncomingHttpHeaders): string[] {
  return SECRETS.filter((name) => headers[name] !== undefined);
}
