import { anonymousAuthorizer } from '../distribution/auth.ts';
import { Repository } from '../distribution/repository.ts';
import { retryLine } from '../distribution/retry.ts';
import { createSession } from '../distribution/session.ts';
import { ATTESTED_DIGEST, isAttestation } from '../image/descriptor.ts';
import { composeIndex } from '../image/index.ts';
import { describe, type Index, type Manifest, platformsOf } from '../image/manifest.ts';
import { answersPlatform, formatPlatform, type Platform } from '../image/platform.ts';
import { formatReference, type Reference } from '../image/reference.ts';
import type { MirrorInputs } from '../inputs/inputs.ts';
import { allOrProblems, Problems } from '../problems.ts';
import type { Source } from '../release/content.ts';
import { platformOfImage } from '../release/inspect.ts';
import { repositorySource } from '../release/registry.ts';
import { graphBytes } from '../release/replicate.ts';
import { openSpool, publishEverywhere, replicasOf } from './publishing.ts';
import { type Outcome, openingTitle, openTarget, type Services } from './services.ts';

/**
 * Copies an image whole, byte for byte, from a registry that answers anonymously into every region.
 * @throws Problems when the source has no such image or lacks a platform; nothing has been pushed then
 */
export async function runMirror(inputs: MirrorInputs, services: Services): Promise<Outcome> {
  const startedAt = Date.now();
  const { target, tags } = inputs;
  const repository = openSource(inputs.source, services);
  const [{ destinations, createMissing }, found] = await services.log.group(
    `${openingTitle(target)}, and reading the source`,
    () => allOrProblems([openTarget(target, services), readSource(repository, inputs.source)]),
  );
  const spool = openSpool(services, repositorySource(inputs.source.registry, repository));
  const root = keepPlatforms(found, inputs.platforms, inputs.source);
  spool.keep(root);
  const platforms = await platformsBelow(root, spool);
  await createMissing();
  const replicas = replicasOf(destinations, spool, services);
  return publishEverywhere(
    {
      root,
      repository: target.repository,
      platforms,
      tags,
      replicas,
      countBytes: async () => {
        // Where nothing was copied, our own registry is asked rather than the source, which counts each reading.
        const nearest = replicas.some(({ changed }) => changed) ? spool : (destinations[0] ?? spool);
        return graphBytes(describe(root), nearest);
      },
      startedAt,
      metadata: new TextDecoder().decode(root.bytes),
    },
    services,
  );
}

function openSource({ registry, repository }: Reference, { transport, retry, log }: Services): Repository {
  // As container tools have it: a registry on this machine speaks plain HTTP.
  const local = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\]|[^:]*\.localhost)(:\d+)?$/.test(registry);
  const origin = new URL(`${local ? 'http' : 'https'}://${registry}`).origin;
  return new Repository({
    origin,
    name: repository,
    session: createSession(origin, transport, anonymousAuthorizer(transport)),
    retry,
    onRetry: (error, pause) => log.info(retryLine(registry, error, pause)),
  });
}

async function readSource(repository: Repository, source: Reference): Promise<Manifest> {
  const wanted = source.digest ?? source.tag ?? 'latest';
  const found = await repository.readManifest(wanted).catch((error: Error) => {
    throw new Problems([
      `input "source": ${formatReference(source)} cannot be read: ${error.message}; the registry must answer without credentials`,
    ]);
  });
  if (!found)
    throw new Problems([`input "source": ${source.registry} has no image ${formatReference(source)}`]);
  return found;
}

async function platformsBelow(root: Manifest, source: Source): Promise<string[]> {
  const platforms = root.kind === 'index' ? platformsOf(root) : [await platformOfImage(root, source)];
  return platforms.map(formatPlatform);
}

/** The whole of the source, or an index of the platforms that were asked for and what attests them. */
function keepPlatforms(found: Manifest, wanted: readonly Platform[], source: Reference): Manifest {
  if (wanted.length === 0) return found;
  const have = found.kind === 'index' ? platformsOf(found) : [];
  const missing = wanted.filter((wish) => !have.some((platform) => answersPlatform(wish, platform)));
  if (found.kind === 'image' || missing.length > 0) {
    throw new Problems([
      `input "platforms": ${formatReference(source)} has no ${missing.map(formatPlatform).join(', ')}: it has ${have.map(formatPlatform).join(', ') || 'a single image'}`,
    ]);
  }
  return pick(found, wanted);
}

function pick(index: Index, wanted: readonly Platform[]): Index {
  const images = index.manifests.filter(
    (child) =>
      !isAttestation(child) && wanted.some((wish) => child.platform && answersPlatform(wish, child.platform)),
  );
  const digests = new Set<string>(images.map(({ digest }) => digest));
  const attestations = index.manifests.filter(
    (child) => isAttestation(child) && digests.has(child.annotations?.[ATTESTED_DIGEST] ?? ''),
  );
  const kept = [...images, ...attestations];
  return kept.length === index.manifests.length ? index : composeIndex(kept);
}
