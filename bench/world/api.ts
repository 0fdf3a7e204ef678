import type { IncomingMessage, ServerResponse } from 'node:http';
import * as z from 'zod/mini';
import { listen } from '../../src/distribution/server/listen.ts';

/** A region's registry, as the API knows it. */
export interface ApiRegion {
  /** Where the registry itself listens. */
  readonly port: number;
  /** The address that the API gives out: the line that leads there. */
  readonly endpoint: string;
}

export interface Api {
  readonly port: number;
  close(): Promise<void>;
}

const layersSchema = z.looseObject({ repositoryName: z.string(), layerDigests: z.array(z.string()) });

/**
 * As much of ECR's JSON API as a push asks for, in front of registries that have none: tokens that any registry takes,
 * repositories that are always there, and layers as the region's registry has them. It answers at once; how far away
 * a region is, the line to it says.
 */
export async function startApi(regions: ReadonlyMap<string, ApiRegion>): Promise<Api> {
  const respond = async (request: IncomingMessage): Promise<unknown> => {
    const name = /Credential=[^/\s]+\/\d{8}\/([a-z0-9-]+)\//.exec(request.headers.authorization ?? '')?.[1];
    const region = regions.get(name ?? '');
    if (!region) throw new Error(`there is no region ${name}`);
    const body = Buffer.concat(await request.toArray()).toString();
    switch (String(request.headers['x-amz-target']).split('.').at(-1)) {
      case 'GetAuthorizationToken':
        return authorization(region);
      case 'DescribeRepositories':
        return { repositories: [{}] };
      case 'BatchCheckLayerAvailability':
        return availability(region, z.parse(layersSchema, JSON.parse(body)));
      default:
        throw new Error(`the API does not know ${request.headers['x-amz-target']}`);
    }
  };
  return listen(
    (request, response) => {
      respond(request).then(
        (answer) => send(response, 200, answer),
        (error: Error) => send(response, 400, { __type: 'ServerException', message: error.message }),
      );
    },
    { host: '127.0.0.1', port: 0 },
  );
}

function send(response: ServerResponse, status: number, answer: unknown): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(answer));
}

function authorization({ endpoint }: ApiRegion): unknown {
  const token = Buffer.from('AWS:bench').toString('base64');
  const expiresAt = Date.now() / 1000 + 12 * 3600;
  return { authorizationData: [{ authorizationToken: token, proxyEndpoint: endpoint, expiresAt }] };
}

async function availability(
  { port }: ApiRegion,
  { repositoryName, layerDigests }: z.infer<typeof layersSchema>,
): Promise<unknown> {
  const layers = layerDigests.map(async (digest) => {
    const url = `http://127.0.0.1:${port}/v2/${repositoryName}/blobs/${digest}`;
    const { ok, headers } = await fetch(url, { method: 'HEAD' });
    return ok
      ? {
          layerDigest: digest,
          layerAvailability: 'AVAILABLE',
          layerSize: Number(headers.get('content-length')),
        }
      : { layerDigest: digest, layerAvailability: 'UNAVAILABLE' };
  });
  return { layers: await Promise.all(layers), failures: [] };
}
