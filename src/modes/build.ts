import { type BuildRun, type Built, build } from '../buildx/build.ts';
import type { OpenDestinations } from '../ecr/destinations.ts';
import { explainReading } from '../ecr/explain.ts';
import { PrivateRegistries } from '../ecr/privateRegistries.ts';
import type { Digest } from '../image/digest.ts';
import { describe, type Manifest, platformsOf } from '../image/manifest.ts';
import { formatPlatform, type Platform, parsePlatform, samePlatform } from '../image/platform.ts';
import type { BuildInputs } from '../inputs/inputs.ts';
import type { Target } from '../inputs/target.ts';
import { LayoutError, openLayout } from '../layout/layout.ts';
import { allOrProblems, Problems } from '../problems.ts';
import { anyOf, awaited, type Destination, type Source, withManifests } from '../release/content.ts';
import { toError } from '../release/errors.ts';
import { graphBytes, readThrough } from '../release/graph.ts';
import { Holdings } from '../release/holdings.ts';
import { type Inspection, inspectRoot } from '../release/inspect.ts';
import { isDone } from '../release/result.ts';
import { configForBases } from './baseLogins.ts';
import { handOver, publishingTarget, tagsAhead, tagsOf, toLeg } from './handOver.ts';
import { openSpool, publishEverywhere, replicasOf } from './publishing.ts';
import { assertReplaceable, type Outcome, openingTitle, openTarget, type Services } from './services.ts';

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
  const inspection = await inspect(built, inputs);
  const labels = inspection.images.map(({ descriptor }) => formatPlatform(descriptor.platform));
  // A layout was built by others, for platforms of their own, unless the user says which it must have.
  if (inputs.platforms.length > 0 || !inputs.ociLayout) assertPlatforms(platforms, inspection, inputs);
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

/** Regions that are being opened. */
interface OpeningRegions {
  readonly opening: Promise<OpenDestinations>;
  /** What each holds, from when that one is open; nothing for one that is gone on without. */
  readonly regions: readonly Promise<Holdings | undefined>[];
  /** The same, of those that are open. */
  readonly known: ReadonlyMap<Destination, Holdings>;
}

function openEach(
  target: Target,
  tags: readonly string[],
  registries: PrivateRegistries,
  services: Services,
): OpeningRegions {
  const known = new Map<Destination, Holdings>();
  const regions = target.places.map(() => Promise.withResolvers<Holdings | undefined>());
  const opening = openTarget(target, tags, services, {
    registries,
    opened: (destination, position) => {
      const holdings = new Holdings(destination);
      known.set(destination, holdings);
      regions[position]?.resolve(holdings);
    },
  });
  for (const { promise, resolve, reject } of regions) {
    opening.then(() => resolve(undefined), reject);
    // Whoever opens the regions tells why there are none.
    promise.catch(() => undefined);
  }
  return { opening, regions: regions.map(({ promise }) => promise), known };
}

async function inspect(
  { root, source }: Built,
  { ociLayout, target: { places } }: BuildInputs,
): Promise<Inspection> {
  return inspectRoot(root, source).catch((error: unknown) => {
    const problem = ociLayout ? layoutProblem(error, ociLayout) : explainReading(error, places);
    throw problem === undefined ? error : new Problems([problem], { cause: error });
  });
}

/** What is wrong with a layout, which messages of the layout's own name by its path. */
function layoutProblem(error: unknown, dir: string): string {
  const { message } = toError(error);
  return `input "oci-layout": ${error instanceof LayoutError ? message : `"${dir}": ${message}`}`;
}

/** Before anything is said or done: whatever fails next might repeat them. */
function maskSecrets({ options }: BuildInputs, { mask }: Services): void {
  for (const secret of options.secrets) mask(secret.slice(secret.indexOf('=') + 1));
  if (options.githubToken) mask(options.githubToken);
}

async function obtain(
  inputs: BuildInputs,
  platforms: readonly Platform[],
  { opening, regions, known }: OpeningRegions,
  composed: ReadonlyMap<Digest, Manifest>,
  registries: PrivateRegistries,
  services: Services,
): Promise<Built> {
  const { run, docker, log, cancellation } = services;
  const open = async () => {
    const opened = await opening;
    await opened.createMissing();
    return (source: Source) =>
      replicasOf(opened.destinations, withManifests(source, composed), services, known);
  };
  const { ociLayout: dir } = inputs;
  if (dir) {
    const { root, source } = await openLayout(dir).catch((error: unknown) => {
      throw new Problems([layoutProblem(error, dir)], { cause: error });
    });
    const replicate = await open();
    return { root, source, replicas: replicate(source), metadata: '{}', builder: 'oci-layout' };
  }
  // What the builder need not send, because every region has it, is read back from one of them.
  const everywhere = opening.then(({ destinations }) => anyOf(destinations));
  const spool = openSpool(services, awaited('the regions', everywhere));
  const dockerConfig = await configForBases(inputs, registries, services);
  const wanted: BuildRun = {
    options: inputs.options,
    platforms,
    transport: inputs.transport,
    repositoryUrl: run.repositoryUrl,
    attestations: {
      noDefault: run.noDefaultAttestations,
      privateRepository: run.privateRepository,
      runUrl: run.runUrl,
    },
    name: inputs.target.repository.split('/').at(-1) ?? 'image',
    dir: run.tempDir,
    signal: cancellation.signal,
    dockerConfig,
    spool,
    regions,
    open,
  };
  return log.during(
    () => `building ${platforms.map(formatPlatform).join(', ')}`,
    () => build(wanted, docker, log),
  );
}

/** A build has the platforms that were asked for; a layout may have others as well, which would be published, too. */
function assertPlatforms(
  wanted: readonly Platform[],
  { images }: Inspection,
  { ociLayout }: BuildInputs,
): void {
  const built = images.map(({ descriptor }) => withoutVersion(descriptor.platform));
  const lacking = (all: readonly Platform[], some: readonly Platform[]) =>
    some.filter((platform) => !all.some((each) => samePlatform(each, platform)));
  const [missing, more] = [lacking(built, wanted), lacking(wanted, built)];
  const namesOf = (platforms: readonly Platform[]) => platforms.map(formatPlatform).join(', ');
  if (ociLayout && missing.length + more.length > 0) {
    throw new Problems([
      `input "oci-layout": "${ociLayout}" has ${namesOf(built)}, but "platforms" has ${namesOf(wanted)}: write a layout of these platforms, name those that it has, or leave "platforms" out`,
    ]);
  }
  if (missing.length === 0) return;
  throw new Problems([
    `the build gave ${namesOf(built)}, not ${namesOf(missing)}: check "platforms", and FROM --platform in the Dockerfile`,
  ]);
}

function withoutVersion({ 'os.version': _, ...platform }: Platform): Platform {
  return platform;
}

/** The platform of this machine, as containers on it have it. */
function runnerPlatform(): Platform {
  const os = process.platform === 'win32' ? 'windows' : 'linux';
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  return parsePlatform(`${os}/${architecture}`);
}
