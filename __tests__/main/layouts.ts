import { makeFolder } from '../support/folder.ts';
import { type Graph, type ImageOptions, imageOf } from '../support/images.ts';
import { writeLayout } from '../support/layout.ts';
import { REGIONS, REPOSITORY } from './cloud.ts';

/** Inputs of every step: where to publish. */
export const TARGET = { repository: REPOSITORY, regions: REGIONS.join() };

/** The inputs of a build that takes this graph from an OCI layout. */
export async function layoutInputs(graph: Graph): Promise<Record<string, string>> {
  const dir = await makeFolder();
  await writeLayout(dir, graph);
  return { ...TARGET, 'oci-layout': dir };
}

/** The inputs of a build's leg for a platform. */
export function legInputs(platform: string, options?: ImageOptions): Promise<Record<string, string>> {
  return layoutInputs(imageOf(platform, options));
}

/** The inputs that publish an image of this text under `v1`, with no stitch to come. */
export async function releaseInputs(content = 'first'): Promise<Record<string, string>> {
  return { ...(await legInputs('linux/amd64', { layers: [content] })), legs: 'none', tags: 'v1' };
}
