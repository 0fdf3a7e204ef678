import type { Digest } from '../image/digest.ts';
import { describe, type ManifestContent } from '../image/manifest.ts';
import { type Publication, publish } from './publish.ts';
import type { Replica } from './replicate.ts';
import { verify } from './verify.ts';

/** What shall be shown, where, and under which names. */
export interface ReleasePlan {
  /** The manifest or index at the top. */
  readonly root: ManifestContent;
  /** Its platforms in normal form. */
  readonly platforms: readonly string[];
  /** None publishes by digest alone. */
  readonly tags: readonly string[];
  /** Bytes of all blobs below the root. */
  readonly bytes: number;
  /** One for each destination; they may have begun to copy already. */
  readonly replicas: readonly Replica[];
  /** When the work began, in milliseconds as `Date.now` counts. */
  readonly startedAt: number;
}

/**
 * `published`: it shows the release. `unchanged`: it did already, and nothing was sent. `held back`: it holds the
 * content, but shows what it showed before, because another destination failed. `failed`: see the error.
 */
export type ResultState = 'published' | 'unchanged' | 'held back' | 'failed';

export interface Result {
  readonly destination: string;
  readonly image: string;
  readonly state: ResultState;
  readonly digest: Digest;
  readonly platforms: readonly string[];
  /** Bytes of blobs that were uploaded. */
  readonly sent: number;
  /** Bytes of blobs that were there already. */
  readonly reused: number;
  readonly seconds: number;
  readonly error?: string;
}

/** Steps that people may want to follow. */
export interface ReleaseLog {
  info(message: string): void;
}

/**
 * Replicates the root everywhere, and only when every destination holds all of it writes the tags everywhere, reads
 * them back, and says what each destination shows.
 * @returns one result for each destination, in order; failures are results, nothing is thrown for them
 */
export async function release(plan: ReleasePlan, log: ReleaseLog, now = Date.now): Promise<Result[]> {
  const { root, replicas, tags } = plan;
  const finish = (replica: Replica, outcome: Publication | { state: 'held back' }): Result =>
    toResult(plan, replica, outcome, now());

  const copies = await Promise.allSettled(
    replicas.map(async (replica) => {
      await replica.copy(describe(root));
      log.info(`${replica.destination.name}: holds ${root.digest}`);
    }),
  );
  if (copies.some(({ status }) => status === 'rejected')) {
    return replicas.map((replica, position) => {
      const copy = copies[position];
      return finish(replica, copy?.status === 'rejected' ? failed(copy.reason) : { state: 'held back' });
    });
  }
  const destinations = replicas.map(({ destination }) => destination);
  const publications = await publish(root, tags, destinations);
  if (publications.some(({ state }) => state === 'failed')) {
    return replicas.map((replica, position) =>
      finish(replica, publications[position] ?? { state: 'held back' }),
    );
  }
  return Promise.all(
    replicas.map(async (replica, position) => {
      try {
        await verify(root, tags, plan.platforms, replica.destination);
        return finish(replica, publications[position] ?? { state: 'unchanged' });
      } catch (error) {
        return finish(replica, failed(error));
      }
    }),
  );
}

function failed(reason: unknown): Publication {
  return { state: 'failed', error: reason instanceof Error ? reason : new Error(String(reason)) };
}

function toResult(
  { root, platforms, tags, bytes, startedAt }: ReleasePlan,
  { destination, sent, changed }: Replica,
  outcome: Publication | { state: 'held back' },
  now: number,
): Result {
  return {
    destination: destination.name,
    image: destination.image,
    state: stateOf(outcome.state, tags, changed),
    digest: root.digest,
    platforms,
    sent,
    reused: Math.max(0, bytes - sent),
    seconds: Math.round((now - startedAt) / 10) / 100,
    ...('error' in outcome && { error: outcome.error.message }),
  };
}

/** Without tags, what was sent by digest is the publication. */
function stateOf(
  state: Publication['state'] | 'held back',
  tags: readonly string[],
  changed: boolean,
): ResultState {
  if (state === 'restored') return 'held back';
  if (state === 'unchanged' && tags.length === 0 && changed) return 'published';
  return state;
}
