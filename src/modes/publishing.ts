import { join } from 'node:path';
import { BlobStore } from '../distribution/server/blobStore.ts';
import { explainFailure } from '../ecr/explain.ts';
import type { Manifest } from '../image/manifest.ts';
import type { Destination, Source } from '../release/content.ts';
import { type ReleasePlan, release } from '../release/release.ts';
import { Replica } from '../release/replicate.ts';
import { Spool } from '../release/spool.ts';
import { type Outcome, type Services, uploadsPerRegion } from './services.ts';

/** A spool in this run's own folder. */
export function openSpool(services: Services, upstream?: Source): Spool {
  return new Spool(new BlobStore(join(services.run.tempDir, 'spool')), upstream);
}

/** One replica for each destination. */
export function replicasOf(
  destinations: readonly Destination[],
  source: Source,
  { observer }: Services,
): Replica[] {
  const uploads = uploadsPerRegion(destinations.length);
  return destinations.map((destination) => new Replica(destination, source, { uploads, observer }));
}

interface Publishing
  extends Pick<ReleasePlan, 'platforms' | 'tags' | 'replicas' | 'countBytes' | 'startedAt'> {
  readonly root: Manifest;
  readonly repository: string;
  readonly metadata: string;
}

/** The part that all modes share: replicate, publish, verify, and say how it went. */
export async function publishEverywhere(publishing: Publishing, services: Services): Promise<Outcome> {
  const { root, tags, replicas, repository, metadata } = publishing;
  const what = tags.length > 0 ? `${repository}:${tags.join(', ')}` : `${repository}@${root.digest}`;
  const title = `Publishing ${what} in ${replicas.map(({ destination }) => destination.name).join(', ')}`;
  const results = await services.log.group(title, () =>
    release(
      {
        ...publishing,
        explain: (error, { name }) => explainFailure(error, name, repository),
      },
      services.log,
    ),
  );
  return { digest: root.digest, tags, results, metadata };
}
