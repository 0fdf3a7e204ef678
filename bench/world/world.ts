import { cp, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { LinkCounts } from '../links/link.ts';
import type { Links } from '../links/links.ts';
import { startApi } from './api.ts';
import { type Registry, startRegistry, storageOf } from './registry.ts';

/** A region, and how far away it is: the time there and back in milliseconds. */
export interface Place {
  readonly region: string;
  readonly rtt: number;
}

export interface Line {
  /** Bytes a second that one connection gets in each direction; nothing for as fast as the machine is. */
  readonly rate: number | undefined;
}

/** Registries behind lines of their own, with ECR's API in front of them, all of them new. */
export interface World {
  readonly regions: readonly string[];
  /** The address of each region's line, in the regions' order, for tools that push: `127.0.0.1:5001`. */
  readonly hosts: readonly string[];
  /** The address of each registry itself, with no line before it. */
  readonly origins: readonly string[];
  /** The API behind the lines of its regions, for AWS_ENDPOINT_URL_ECR. */
  readonly apiEndpoint: string;
  /** The registries behind the lines of their regions, as `registry-endpoint` has it: one address for each, known ahead. */
  readonly registryEndpoint: string;
  /** What the action sent over each registry's line so far, and got, in the regions' order. */
  count(): Promise<LinkCounts[]>;
  /** Ends the registries, and removes what they hold. */
  close(): Promise<void>;
}

/** What all worlds of a run share. */
export interface Ground {
  readonly links: Links;
  /** A folder that is there. */
  readonly dir: string;
}

/**
 * Starts a world.
 * @param seed the folder of a registry that has been stopped: every region holds what it held
 */
export async function startWorld(
  { links, dir }: Ground,
  places: readonly Place[],
  { rate }: Line,
  seed?: string,
): Promise<World> {
  const own = await mkdtemp(join(dir, 'world-'));
  const line = rate === undefined ? {} : { rate };
  const regions = await Promise.all(
    places.map(async ({ region, rtt }) => {
      const folder = join(own, region);
      if (seed) await cp(storageOf(seed), storageOf(folder), { recursive: true });
      const registry = await startRegistry(folder);
      const link = await links.open({ to: { target: registry.port, rtt }, ...line });
      return { region, rtt, registry, link, endpoint: `http://127.0.0.1:${link}` };
    }),
  );
  const api = await startApi(
    new Map(regions.map(({ region, registry, endpoint }) => [region, { port: registry.port, endpoint }])),
  );
  const leadTo = (portOf: (registry: Registry) => number) =>
    Object.fromEntries(
      regions.map(({ region, rtt, registry }) => [region, { target: portOf(registry), rtt }]),
    );
  const apiLink = await links.open({ to: leadTo(() => api.port), ...line });
  const registriesLink = await links.open({ to: leadTo(({ port }) => port), ...line });
  return {
    regions: regions.map(({ region }) => region),
    hosts: regions.map(({ link }) => `127.0.0.1:${link}`),
    origins: regions.map(({ registry }) => `http://127.0.0.1:${registry.port}`),
    apiEndpoint: `http://127.0.0.1:${apiLink}`,
    registryEndpoint: `http://{region}.localhost:${registriesLink}`,
    count: () => Promise.all(regions.map(({ region }) => links.count(registriesLink, region))),
    async close() {
      await Promise.all(
        [apiLink, registriesLink, ...regions.map(({ link }) => link)].map((port) => links.close(port)),
      );
      await Promise.all([api.close(), ...regions.map(({ registry }) => registry.stop())]);
      await rm(own, { recursive: true, force: true });
    },
  };
}
