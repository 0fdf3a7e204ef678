import { join } from 'node:path';
import { BlobStore } from '../distribution/server/blobStore.ts';
import { explainIn } from '../ecr/explain.ts';
import type { Manifest } from '../image/manifest.ts';
import type { Target } from '../inputs/target.ts';
import type { Destination, Source } from '../release/content.ts';
import type { Holdings } from '../release/holdings.ts';
import type { ReleasePlan } from '../release/plan.ts';
import { release, releasedDigest } from '../release/release.ts';
import { Replica } from '../release/replicate.ts';
import { Spool } from '../release/spool.ts';
import { type Outcome, type Services, uploadsPerRegion } from './services.ts';

/** A spool in this run's own folder, in a folder of this name. */
export function openSpool(services: Services, upstream?: Source, name = 'spool'): Spool {
  return new Spool(new BlobStore(join(services.run.tempDir, name)), upstream);
}

/**
 * One replica for each destination.
 * @param holdings what is known of each of them already
 */
export function replicasOf(
  destinations: readonly Destination[],
  source: Source,
  { observer }: Services,
  holdings: readonly Holdings[] = [],
): Replica[] {
  const uploads = uploadsPerRegion(destinations.length);
  return destinations.map(
    (destination, position) => new Replica(destination, source, { uploads, observer }, holdings[position]),
  );
}

interface Publishing
  extends Pick<ReleasePlan, 'platforms' | 'tags' | 'beside' | 'replicas' | 'countBytes' | 'startedAt'> {
  readonly root: Manifest;
  readonly target: Target;
  readonly metadata: string;
}

/** The part that all modes share: replicate, publish, verify, and say how it went. */
export async function publishEverywhere(publishing: Publishing, services: Services): Promise<Outcome> {
  const { root, tags, beside, replicas, target, metadata } = publishing;
  const { repository, places } = target;
  const explain = explainIn(places);
  let relays = 0;
  const names = [...tags, ...(beside?.keys() ?? [])];
  const what = names.length > 0 ? `${repository}:${names.join(', ')}` : `${repository}@${root.digest}`;
  const title = `Publishing ${what} in ${replicas.map(({ destination }) => destination.name).join(', ')}`;
  const results = await services.log.group(title, () =>
    release(
      {
        ...publishing,
        ifTagExists: target.ifTagExists,
        interruption: services.cancellation,
        relay: (upstream) => openSpool(services, upstream, `kept-${relays++}`),
        explain: (error, { name, image }) => explain(error, name, image.split('/', 1)[0]),
      },
      services.log,
    ),
  );
  return { digest: releasedDigest(results) ?? root.digest, tags, results, metadata };
}
