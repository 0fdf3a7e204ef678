import { PrivateRegistries } from '../ecr/privateRegistries.ts';
import type { Digest } from '../image/digest.ts';
import { describe, type Manifest, platformsOf } from '../image/manifest.ts';
import { formatPlatform, type Platform, parsePlatform } from '../image/platform.ts';
import type { BuildInputs } from '../inputs/inputs.ts';
import { allOrProblems } from '../problems.ts';
import { graphBytes, readThrough } from '../release/graph.ts';
import { isDone } from '../release/result.ts';
import { handOver, publishingTarget, tagsAhead, tagsOf, toLeg } from './handOver.ts';
import { obtain } from './obtain.ts';
import { openEach } from './opening.ts';
import { publishEverywhere } from './publishing.ts';
import { assertReplaceable, type Outcome, openingTitle, type Services } from './services.ts';

/**
 * Builds an image (or takes one that is built already) and lands it by digest in every region; leaves a record for the
 * stitch, or publishes it under its tags when there is none to come.
 * @throws Problems for what the user has to mend; failures in regions are in the outcome
 */
export async function runBuild(inputs: BuildInputs, services: Services): Promise<Outcome> {
  const startedAt = Date.now();
  const { target, tags } = inputs;
  maskSecrets(inputs, services);
  if (inputs.legs === 'none' && tags.length === 0 && target.push) {
    services.log.info('No tags were given: the image can be pulled by its digest alone');
  }
  const platforms = inputs.platforms.length > 0 ? inputs.platforms : [runnerPlatform()];
  services.log.info(openingTitle(target));
  const registries = new PrivateRegistries(services);
  const beginning = openEach(target, tagsAhead(inputs, platforms), registries, services);
  const composed = new Map<Digest, Manifest>();
  const [built, opened] = await allOrProblems([
    obtain(inputs, platforms, beginning, composed, registries, services),
    beginning.opening,
  ]);
  const { inspection } = built;
  const labels = inspection.images.map(({ descriptor }) => formatPlatform(descriptor.platform));
  const places = [...opened.destinations, ...opened.named];
  const leg = toLeg(inputs, built, inspection, places, services);
  const beside = tagsOf(leg, inputs);
  assertReplaceable(target, opened.destinations, [...beside.keys()]);
  for (const manifest of beside.values()) composed.set(manifest.digest, manifest);
  const outcome = await publishEverywhere(
    {
      root: built.root,
      target: publishingTarget(inputs),
      opened,
      platforms: built.root.kind === 'index' ? platformsOf(built.root).map(formatPlatform) : labels,
      tags: inputs.legs === 'none' ? tags : [],
      beside,
      replicas: built.replicas,
      countBytes: () => graphBytes(describe(built.root), built.source),
      read: () => readThrough(describe(built.root), built.source),
      startedAt,
      metadata: built.metadata,
    },
    services,
  );
  const landed = outcome.results.filter(isDone);
  const isEnough = landed.length === outcome.results.length || target.onRegionFailure !== 'abort';
  if (inputs.legs !== 'artifact' || !isEnough || landed.length === 0) return outcome;
  const left = { ...leg, destinations: landed.map(({ image }) => image) };
  const problems = await services.log.group(`Handing ${labels.join(', ')} over to the stitch`, () =>
    handOver(left, services),
  );
  return problems.length > 0 ? { ...outcome, problems } : outcome;
}

/** Before anything is said or done: whatever fails next might repeat them. */
function maskSecrets({ image }: BuildInputs, { mask }: Services): void {
  if (image.kind === 'layout') return;
  const { options } = image;
  for (const secret of options.secrets) mask(secret.slice(secret.indexOf('=') + 1));
  if (options.githubToken) mask(options.githubToken);
}

/** The platform of this machine, as containers on it have it. */
function runnerPlatform(): Platform {
  const os = process.platform === 'win32' ? 'windows' : 'linux';
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  return parsePlatform(`${os}/${architecture}`);
}
