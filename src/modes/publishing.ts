import { join } from 'node:path';
import type { Unopened } from '../ecr/destinations.ts';
import { explainIn } from '../ecr/explain.ts';
import { namesOf } from '../ecr/places.ts';
import type { Manifest } from '../image/manifest.ts';
import type { Target } from '../inputs/target.ts';
import type { Destination, Source } from '../release/content.ts';
import type { ReleasePlan } from '../release/plan.ts';
import { release } from '../release/release.ts';
import { Replica } from '../release/replicate.ts';
import { type Result, releasedDigest } from '../release/result.ts';
import { Spool } from '../release/spool.ts';
import { type Outcome, type Services, uploadsPerRegion } from './services.ts';

/** A spool in this run's own folder, in a folder of this name. */
export function openSpool(services: Services, upstream?: Source, name = 'spool'): Spool {
  return new Spool(services.openStore(join(services.run.tempDir, name)), upstream);
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

/** A destination that could not be opened, while the others went on. */
function unopenedResult({ name, problems }: Unopened, { root, target, startedAt }: Publishing): Result {
  return {
    destination: name,
    image: target.repository,
    state: 'failed',
    digest: root.digest,
    tags: {},
    platforms: [],
    sent: 0,
    reused: 0,
    seconds: Math.round((Date.now() - startedAt) / 10) / 100,
    error: problems.join('; '),
  };
}

interface Publishing
  extends Pick<
    ReleasePlan,
    'platforms' | 'tags' | 'beside' | 'promised' | 'replicas' | 'countBytes' | 'startedAt'
  > {
  readonly root: Manifest;
  readonly target: Target;
  /** Where it could not be published. */
  readonly unopened: readonly Unopened[];
  readonly metadata: string;
}

/** The part that all modes share: replicate, publish, verify, and say how it went. */
export async function publishEverywhere(publishing: Publishing, services: Services): Promise<Outcome> {
  const { root, tags, beside, replicas, target, unopened, metadata } = publishing;
  const { repository, places, ifTagExists, onRegionFailure, regionTimeout } = target;
  const explain = explainIn(places);
  let relays = 0;
  const names = [...tags, ...(beside?.keys() ?? [])];
  const what = names.length > 0 ? `${repository}:${names.join(', ')}` : `${repository}@${root.digest}`;
  const title = `Publishing ${what} in ${replicas.map(({ destination }) => destination.name).join(', ')}`;
  const released = await services.log.group(title, () =>
    release(
      {
        ...publishing,
        ifTagExists,
        onRegionFailure,
        regionTimeout,
        interruption: services.cancellation,
        relay: (upstream) => openSpool(services, upstream, `kept-${relays++}`),
        explain: (error, { name, image }) => explain(error, name, image.split('/', 1)[0]),
      },
      services.log,
    ),
  );
  const all = [...released, ...unopened.map((each) => unopenedResult(each, publishing))];
  const results = namesOf(places).flatMap((name) => all.filter(({ destination }) => destination === name));
  return { digest: releasedDigest(released) ?? root.digest, tags, results, metadata };
}
