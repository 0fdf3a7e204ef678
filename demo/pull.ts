import { pipeline } from 'node:stream/promises';
import { tokenAuthorizer } from '../src/distribution/auth.ts';
import { Repository } from '../src/distribution/repository.ts';
import { DEFAULT_RETRY } from '../src/distribution/retry.ts';
import { createSession } from '../src/distribution/session.ts';
import { createTransport } from '../src/distribution/transport.ts';
import { createEcrApi } from '../src/ecr/api.ts';
import { requestHandling } from '../src/ecr/requests.ts';
import { blobsOf, childrenOf, type Manifest, platformsOf } from '../src/image/manifest.ts';
import { formatPlatform } from '../src/image/platform.ts';
import { repositorySource } from '../src/release/registry.ts';

/** What a node in a region gets when it pulls a tag. */
export interface Pulled {
  readonly digest: string;
  readonly platforms: readonly string[];
  /** Bytes of all blobs, each of them read and held against its digest. */
  readonly bytes: number;
}

/**
 * Pulls a tag whole from one region, with a token of its own, and checks every byte of it.
 * @param origin the region's registry
 * @throws when anything is missing or is not what its digest says
 */
export async function pull(origin: string, region: string, repository: string, tag: string): Promise<Pulled> {
  const userAgent = 'ecr-multiarch-demo';
  const transport = createTransport({ connections: 4, userAgent });
  try {
    const { token } = await createEcrApi({
      region,
      userAgent,
      credentials: undefined,
      requests: requestHandling({}),
      fips: false,
      dualStack: false,
    }).authorize();
    const session = createSession(
      origin,
      transport,
      tokenAuthorizer(async () => `Basic ${token}`),
    );
    const client = new Repository({ origin, name: repository, session, retry: DEFAULT_RETRY });
    const root = await client.readManifest(tag);
    if (!root) throw new Error(`${region} has no ${repository}:${tag}`);
    const source = repositorySource(region, client);
    const platforms = root.kind === 'index' ? platformsOf(root).map(formatPlatform) : [];
    let bytes = 0;
    const read = async (manifest: Manifest): Promise<void> => {
      for (const blob of blobsOf(manifest)) {
        await pipeline(await source.blob(blob), async (content) => {
          for await (const chunk of content) bytes += chunk.length;
        });
      }
      for (const child of childrenOf(manifest)) await read(await source.manifest(child));
    };
    await read(root);
    return { digest: root.digest, platforms, bytes };
  } finally {
    await transport.close();
  }
}
