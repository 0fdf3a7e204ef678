import { blobsOf, childrenOf, type Manifest } from '../../src/image/manifest.ts';
import type { Graph } from './images.ts';

export interface PushOptions {
  /** By PATCH with a body of unknown length and an empty PUT, as docker sends layers. */
  readonly chunked?: boolean;
}

/** Pushes a graph over HTTP to a reference with a tag, as builders do: only what is missing, children first. */
export async function push(reference: string, graph: Graph, options: PushOptions = {}): Promise<string[]> {
  const colon = reference.lastIndexOf(':');
  const slash = reference.indexOf('/');
  const base = `http://${reference.slice(0, slash)}/v2${reference.slice(slash, colon)}`;
  const uploaded: string[] = [];
  const pushBlob = async (digest: string, content: Uint8Array) => {
    const there = await fetch(`${base}/blobs/${digest}`, { method: 'HEAD' });
    if (there.ok) return;
    if (there.status !== 404) throw new Error(`asked for ${digest} it answered ${there.status}`);
    uploaded.push(digest);
    const started = await fetch(`${base}/blobs/uploads/`, { method: 'POST' });
    let location = new URL(started.headers.get('location') ?? '', base);
    if (options.chunked) {
      const body = new ReadableStream({
        start(controller) {
          controller.enqueue(content);
          controller.close();
        },
      });
      const patched = await fetch(location, { method: 'PATCH', body, duplex: 'half' });
      location = new URL(patched.headers.get('location') ?? '', base);
    }
    location.searchParams.set('digest', digest);
    const body = options.chunked ? null : new Uint8Array(content);
    await expectCreated(await fetch(location, { method: 'PUT', body }));
  };
  const pushManifest = async (manifest: Manifest, under: string) => {
    for (const { digest } of childrenOf(manifest)) {
      const child = graph.manifests.get(digest);
      if (child) await pushManifest(child, digest);
    }
    for (const { digest } of blobsOf(manifest))
      await pushBlob(digest, graph.blobs.get(digest) ?? new Uint8Array());
    const headers = { 'content-type': manifest.mediaType };
    const body = new Uint8Array(manifest.bytes);
    await expectCreated(await fetch(`${base}/manifests/${under}`, { method: 'PUT', headers, body }));
  };
  await pushManifest(graph.root, reference.slice(colon + 1));
  return uploaded;
}

async function expectCreated(response: Response): Promise<void> {
  const text = await response.text();
  if (response.status !== 201) throw new Error(`${response.status}: ${text}`);
}
