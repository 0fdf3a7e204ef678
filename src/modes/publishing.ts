import { join } from 'node:path';
import type { OpenDestinations, Unopened } from '../ecr/destinations.ts';
import { explainAt } from '../ecr/explain.ts';
import { namesOf } from '../ecr/places.ts';
import type { Manifest } from '../image/manifest.ts';
import type { Target } from '../inputs/target.ts';
import type { Destination, Source } from '../release/content.ts';
import type { Holdings } from '../release/holdings.ts';
import { type ReleasePlan, tagsOf } from '../release/plan.ts';
import { type Rehearsal, rehearse } from '../release/rehearse.ts';
import { release } from '../release/release.ts';
import { Replica } from '../release/replicate.ts';
import { type Result, releasedDigest, resultWithoutTraffic } from '../release/result.ts';
import { Spool } from '../release/spool.ts';
import { type Outcome, type Services, uploadsPerRegion } from './services.ts';

/** A spool in this run's own folder, in a folder of this name. */
export function openSpool(services: Services, upstream?: Source, name = 'spool'): Spool {
  return new Spool(services.openStore(join(services.run.tempDir, name)), upstream);
}

/**
 * One replica for each destination.
 * @param known what is known of them already
 */
export function replicasOf(
  destinations: readonly Destination[],
  source: Source,
  { observer }: Services,
  known: ReadonlyMap<Destination, Holdings> = new Map(),
): Replica[] {
  const uploads = uploadsPerRegion(destinations.length);
  return destinations.map(
    (destination) => new Replica(destination, source, { uploads, observer }, known.get(destination)),
  );
}

/** A destination that could not be opened, while the others went on. */
function unopenedResult({ problems, ...place }: Unopened, publishing: Publishing): Result {
  const unread = tagsOf(publishing);
  return {
    ...resultWithoutTraffic(place, publishing, Date.now()),
    state: 'failed',
    tags: {},
    ...(unread.length > 0 && { unread }),
    platforms: [],
    error: problems.join('; '),
  };
}

interface Publishing
  extends Pick<
      ReleasePlan,
      'platforms' | 'tags' | 'beside' | 'promised' | 'replicas' | 'countBytes' | 'startedAt'
    >,
    Pick<Rehearsal, 'read'> {
  /** What refers to any of it, where that was asked for. */
  readonly referrers?: ReleasePlan['referrers'];
  readonly root: Manifest;
  readonly target: Target;
  readonly opened: OpenDestinations;
  readonly metadata: string;
}

/**
 * The part that all modes share: replicate, publish, verify, and say how it went; or, where nothing is pushed, find out what
 * would be published.
 */
export async function publishEverywhere(publishing: Publishing, services: Services): Promise<Outcome> {
  const { root, tags, replicas, opened, target, metadata } = publishing;
  const names = tagsOf(publishing);
  const what =
    names.length > 0 ? `${target.repository}:${names.join(', ')}` : `${target.repository}@${root.digest}`;
  const where = [...replicas.map(({ destination }) => destination), ...opened.named];
  const title = `${target.push ? 'Publishing' : 'Checking'} ${what} for ${where.map(({ name }) => name).join(', ')}`;
  const released = await services.log.group(title, () =>
    target.push
      ? releaseTo(publishing, services)
      : rehearse({ ...publishing, named: opened.named, explain: explainAt(target.places) }),
  );
  const all = [...released, ...opened.unopened.map((each) => unopenedResult(each, publishing))];
  const results = namesOf(target.places).flatMap((name) =>
    all.filter(({ destination }) => destination === name),
  );
  return { digest: releasedDigest(released) ?? root.digest, tags, results, metadata };
}

function releaseTo(publishing: Publishing, services: Services): Promise<Result[]> {
  const { target } = publishing;
  const { ifTagExists, onRegionFailure, regionTimeout } = target;
  let relays = 0;
  return release(
    {
      ...publishing,
      ifTagExists,
      onRegionFailure,
      regionTimeout,
      interruption: services.cancellation,
      relay: (upstream) => openSpool(services, upstream, `kept-${relays++}`),
      explain: explainAt(target.places),
    },
    services.log,
  );
}
