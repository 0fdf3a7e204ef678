import { type Ingest, startIngest } from '../../src/buildx/ingest.ts';
import { BlobStore } from '../../src/distribution/server/blobStore.ts';
import { anyOf } from '../../src/release/content.ts';
import { Holdings } from '../../src/release/holdings.ts';
import { Replica } from '../../src/release/replicate.ts';
import { Spool } from '../../src/release/spool.ts';
import { atEnd } from '../support/ends.ts';
import { makeFolder } from '../support/folder.ts';
import { type MemoryDestination, SILENT } from '../support/memory.ts';

export interface Started {
  readonly ingest: Ingest;
  readonly replicas: readonly Replica[];
  /** The URL of its repository. */
  readonly base: string;
}

/** Starts an ingest registry that passes on to these regions, until the test has ended. */
export function start(...destinations: MemoryDestination[]): Promise<Started> {
  return startBefore(Promise.resolve(), ...destinations);
}

/**
 * Starts one before its regions are known.
 * @param opening settles when all of them are open
 */
export function startBefore(opening: Promise<void>, ...destinations: MemoryDestination[]): Promise<Started> {
  return startWhile(
    opening,
    destinations.map((destination) => ({ destination, opening })),
  );
}

/** Starts one whose regions open one after the other. */
export async function startWhile(
  opening: Promise<void>,
  regions: readonly { readonly destination: MemoryDestination; readonly opening: Promise<void> }[],
): Promise<Started> {
  const destinations = regions.map(({ destination }) => destination);
  const spool = new Spool(new BlobStore(await makeFolder()), anyOf(destinations));
  const replicas = destinations.map(
    (destination) => new Replica(destination, spool, { uploads: 4, observer: SILENT }),
  );
  const opened = opening.then(() => replicas);
  const holdings = regions.map(async (region, position) => {
    await region.opening;
    return replicas[position]?.holdings ?? new Holdings(region.destination);
  });
  // As in a build: whoever opens the regions tells why there are none.
  for (const each of [opened, ...holdings]) each.catch(() => undefined);
  const ingest = await startIngest({
    host: '127.0.0.1',
    name: 'app',
    spool,
    regions: holdings,
    replicas: opened,
  });
  atEnd(() => ingest.close());
  const base = `http://${ingest.reference.replace('/', '/v2/').replace(/:build$/, '')}`;
  return { ingest, replicas, base };
}
