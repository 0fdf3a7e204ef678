import * as z from 'zod/mini';
import { safeJson } from '../distribution/errors.ts';
import { Problems } from '../problems.ts';
import type { Docker } from './docker.ts';

/** The builder that will do the work, as far as it matters for how its result is fetched. */
export interface Builder {
  readonly name: string;
  /** `docker`, `docker-container`, `kubernetes`, `remote`, `cloud`. */
  readonly driver: string;
  /** The names and endpoints of its nodes, the first one first. */
  readonly nodes: readonly { readonly name: string; readonly endpoint: string }[];
}

/** How the builder's result reaches us. */
export type Route =
  /** It pushes to the ingest registry, which listens on this address alone. */
  | { readonly kind: 'registry'; readonly host: string }
  /** It cannot reach us: buildx fetches an OCI layout through its own session. */
  | { readonly kind: 'layout'; readonly why: string };

const LOOPBACK = '127.0.0.1';

/**
 * Looks at the builder that `docker buildx build` will use, and starts it if need be.
 * @param name empty for the current one
 * @throws Problems when docker or buildx is missing, or there is no such builder
 */
export async function inspectBuilder(docker: Docker, name: string): Promise<Builder> {
  const answer = await docker
    .ask(['buildx', 'inspect', '--bootstrap', ...(name ? [name] : [])])
    .catch(() => undefined);
  if (answer?.code !== 0) {
    if (!answer || !(await hasBuildx(docker))) {
      throw new Problems([
        'docker buildx was not found: run docker/setup-buildx-action before this step, or give an image that another tool has built with "oci-layout"',
      ]);
    }
    const said = (answer.stderr || answer.stdout).trim().split('\n').at(-1) ?? '';
    throw new Problems([
      `the builder ${name ? `"${name}" (input "builder")` : 'that is current'} cannot be used: ${said}; check it with "docker buildx inspect --bootstrap"`,
    ]);
  }
  return parseBuilder(answer.stdout);
}

async function hasBuildx(docker: Docker): Promise<boolean> {
  return (await docker.ask(['buildx', 'version'])).code === 0;
}

/** Reads what `docker buildx inspect` prints: the builder's own fields, then `Nodes:` and each node's. */
export function parseBuilder(text: string): Builder {
  const [head = '', tail = ''] = text.split(/^Nodes:\s*$/m);
  const fields = (part: string, key: string) =>
    [...part.matchAll(new RegExp(`^${key}:[ \\t]*(.*)$`, 'gm'))].map((match) => match[1]?.trim() ?? '');
  const names = fields(tail, 'Name');
  const endpoints = fields(tail, 'Endpoint');
  return {
    name: fields(head, 'Name')[0] ?? '',
    driver: fields(head, 'Driver')[0] ?? '',
    nodes: names.map((name, position) => ({ name, endpoint: endpoints[position] ?? '' })),
  };
}

/**
 * Finds out by which address the builder can reach this machine.
 * - the docker driver and builders on the host's network: loopback
 * - a builder in a container on a bridge: the bridge's gateway
 * - a local socket: most likely loopback
 * - everything else: not at all
 *
 * It is a guess all the same (a job in a container, a firewall): only the push shows whether it was right.
 */
export async function findRoute(docker: Docker, builder: Builder): Promise<Route> {
  const endpoint = builder.nodes[0]?.endpoint ?? '';
  if (builder.nodes.length > 1) {
    return { kind: 'layout', why: `the builder has ${builder.nodes.length} nodes` };
  }
  switch (builder.driver) {
    case 'docker':
      return { kind: 'registry', host: LOOPBACK };
    case 'docker-container':
      return containerRoute(docker, `buildx_buildkit_${builder.nodes[0]?.name ?? ''}`);
    case 'remote':
      if (endpoint.startsWith('unix://')) return { kind: 'registry', host: LOOPBACK };
      if (endpoint.startsWith('docker-container://')) {
        return containerRoute(docker, endpoint.slice('docker-container://'.length));
      }
      return { kind: 'layout', why: `the builder is at ${hostOf(endpoint)}` };
    default:
      return { kind: 'layout', why: `builders of the ${builder.driver} driver run elsewhere` };
  }
}

function hostOf(endpoint: string): string {
  return (URL.canParse(endpoint) && new URL(endpoint).host) || endpoint || 'an address elsewhere';
}

const containerSchema = z.looseObject({
  HostConfig: z.looseObject({ NetworkMode: z.string() }),
  NetworkSettings: z.looseObject({
    Networks: z.record(z.string(), z.looseObject({ Gateway: z.optional(z.string()) })),
  }),
});

async function containerRoute(docker: Docker, container: string): Promise<Route> {
  const answer = await docker.ask(['container', 'inspect', '--format', '{{json .}}', container]);
  if (answer.code !== 0) return { kind: 'layout', why: `the container ${container} cannot be inspected` };
  const { data } = z.safeParse(containerSchema, safeJson(answer.stdout));
  if (!data) return { kind: 'layout', why: `docker describes the container ${container} in an unknown way` };
  const { HostConfig, NetworkSettings } = data;
  if (HostConfig.NetworkMode === 'host') return { kind: 'registry', host: LOOPBACK };
  const gateway = Object.values(NetworkSettings.Networks).find(({ Gateway }) => Gateway)?.Gateway;
  if (!gateway)
    return { kind: 'layout', why: `the builder's network ${HostConfig.NetworkMode} has no gateway` };
  return { kind: 'registry', host: gateway };
}
