import { type BuildRun, type Built, build } from '../buildx/build.ts';
import type { OpenDestinations } from '../ecr/destinations.ts';
import { explainReading } from '../ecr/explain.ts';
import type { PrivateRegistries } from '../ecr/privateRegistries.ts';
import type { Digest } from '../image/digest.ts';
import type { Manifest } from '../image/manifest.ts';
import { formatPlatform, type Platform, samePlatform } from '../image/platform.ts';
import type { BuildInputs } from '../inputs/inputs.ts';
import type { Target } from '../inputs/target.ts';
import { LayoutError, openLayout } from '../layout/layout.ts';
import { Problems } from '../problems.ts';
import { anyOf, awaited, type Destination, type Source, withManifests } from '../release/content.ts';
import { toError } from '../release/errors.ts';
import { Holdings } from '../release/holdings.ts';
import { type Inspection, inspectRoot } from '../release/inspect.ts';
import { configForBases } from './baseLogins.ts';
import { openSpool, replicasOf } from './publishing.ts';
import { createMissing, openTarget, type Services } from './services.ts';

/** Regions that are being opened. */
export interface OpeningRegions {
  readonly opening: Promise<OpenDestinations>;
  /** What each holds, from when that one is open; nothing for one that is gone on without. */
  readonly regions: readonly Promise<Holdings | undefined>[];
  /** The same, of those that are open. */
  readonly known: ReadonlyMap<Destination, Holdings>;
}

/** Opens the regions side by side, each of which may be asked as soon as it is open. */
export function openEach(
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
  { root, source }: Pick<Built, 'root' | 'source'>,
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

/** What is to be published, looked into. */
export interface Obtained extends Built {
  readonly inspection: Inspection;
}

/**
 * Builds the image, or opens the layout that has it.
 * @param platforms those that it has to have, but for a layout of which the user names none
 * @param composed manifests that are published with it; they may come to be known later
 * @throws Problems when it is not what it should be; of a layout that is found out before anything is changed anywhere
 */
export async function obtain(
  inputs: BuildInputs,
  platforms: readonly Platform[],
  { opening, regions, known }: OpeningRegions,
  composed: ReadonlyMap<Digest, Manifest>,
  registries: PrivateRegistries,
  services: Services,
): Promise<Obtained> {
  const { run, docker, log, cancellation } = services;
  const open = async () => {
    const opened = await opening;
    await createMissing(opened, services);
    return (source: Source) =>
      replicasOf(opened.destinations, withManifests(source, composed), services, known);
  };
  const { ociLayout: dir } = inputs;
  if (dir) {
    const { root, source } = await openLayout(dir).catch((error: unknown) => {
      throw new Problems([layoutProblem(error, dir)], { cause: error });
    });
    const inspection = await inspect({ root, source }, inputs);
    // It was built by others, for platforms of their own, unless the user says which it must have.
    if (inputs.platforms.length > 0) assertPlatforms(platforms, inspection, inputs);
    const replicate = await open();
    return { root, source, replicas: replicate(source), metadata: '{}', builder: 'oci-layout', inspection };
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
  const built = await log.during(
    () => `building ${platforms.map(formatPlatform).join(', ')}`,
    () => build(wanted, docker, log),
  );
  const inspection = await inspect(built, inputs);
  assertPlatforms(platforms, inspection, inputs);
  return { ...built, inspection };
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
