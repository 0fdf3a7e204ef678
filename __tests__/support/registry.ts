import type { Graph } from './images.ts';
import { refuse, serve, type TestServer } from './server.ts';

/** A registry that anybody may read, with one image; gives where the image is, without its tag. */
export async function serveGraph(
  graph: Graph,
  tag: string,
): Promise<TestServer & { readonly repository: string }> {
  const server = await serve(({ method, path }, response) => {
    const [, kind, reference = ''] = /^\/v2\/upstream\/app\/(manifests|blobs)\/(.+)$/.exec(path) ?? [];
    if (method !== 'GET') return refuse(response, 405, 'UNSUPPORTED');
    if (kind === undefined) return refuse(response, 404, 'NAME_UNKNOWN');
    const manifests = [...graph.manifests.values()];
    const manifest = reference === tag ? graph.root : manifests.find(({ digest }) => digest === reference);
    if (kind === 'manifests' && manifest) {
      return response.writeHead(200, { 'content-type': manifest.mediaType }).end(manifest.bytes);
    }
    const blob = [...graph.blobs].find(([digest]) => digest === reference)?.[1];
    if (kind === 'blobs' && blob) return response.end(blob);
    return refuse(response, 404, kind === 'blobs' ? 'BLOB_UNKNOWN' : 'MANIFEST_UNKNOWN');
  });
  return { ...server, repository: `${new URL(server.url).host}/upstream/app` };
}
