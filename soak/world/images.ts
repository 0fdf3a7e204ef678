import { randomBytes } from 'node:crypto';
import { type Graph, imageOf } from '../../__tests__/support/images.ts';
import { writeLayout } from '../../__tests__/support/layout.ts';

/** The platform of an image, with Windows' OS version where it has one. */
export interface SoakPlatform {
  readonly platform: string;
  readonly osVersion?: string;
}

/** Random bytes, which no region has. */
export function layersOf(sizes: readonly number[]): Uint8Array[] {
  return sizes.map((size) => randomBytes(size));
}

/** Writes an OCI layout with one image, as another build tool would. */
export async function writeImage(
  dir: string,
  layers: readonly Uint8Array[],
  { platform, osVersion }: SoakPlatform = { platform: 'linux/amd64' },
): Promise<Graph> {
  const graph = imageOf(platform, {
    layers,
    ...(osVersion !== undefined && { config: { 'os.version': osVersion } }),
  });
  await writeLayout(dir, graph);
  return graph;
}

const UNVERSIONED = [
  ...['linux/amd64', 'linux/amd64/v2', 'linux/amd64/v3', 'linux/amd64/v4', 'linux/386'],
  ...['linux/arm64', 'linux/arm64/v9', 'linux/arm/v5', 'linux/arm/v6', 'linux/arm/v7'],
  ...['linux/ppc64le', 'linux/ppc64', 'linux/s390x', 'linux/riscv64', 'linux/loong64'],
  ...['linux/mips', 'linux/mipsle', 'linux/mips64', 'linux/mips64le', 'freebsd/amd64', 'freebsd/arm64'],
];

/** Windows Server from 2016 to 2025. */
const WINDOWS = [
  ...['10.0.14393', '10.0.17763', '10.0.18362', '10.0.18363', '10.0.19041', '10.0.19042'],
  ...['10.0.20348', '10.0.25398', '10.0.26100'],
];
/** Each of its builds gets a new revision every month, which is a platform of its own in an index. */
const REVISIONS = ['1006', '2113', '3447', '4052'];

/** So many platforms, no two of them the same: for two fifths Linux and its like, and Windows by version and revision. */
export function manyPlatforms(count: number): readonly SoakPlatform[] {
  const windows = REVISIONS.flatMap((revision) =>
    WINDOWS.map((version) => ({ platform: 'windows/amd64', osVersion: `${version}.${revision}` })),
  );
  const unversioned = UNVERSIONED.slice(0, Math.ceil(count * 0.4));
  return [...unversioned.map((platform) => ({ platform })), ...windows.slice(0, count - unversioned.length)];
}
