import { type BuildRun, type Built, build } from '../buildx/build.ts';
import { explainReading } from '../ecr/explain.ts';
import type { PrivateRegistries } from '../ecr/privateRegistries.ts';
import type { Digest } from '../image/digest.ts';
import type { Manifest } from '../image/manifest.ts';
import { formatPlatform, type Platform, samePlatform } from '../image/platform.ts';
import type { BuildInputs, ImageBuild, LayoutImage } from '../inputs/inputs.ts';
import { LayoutError, openLayout } from '../layout/layout.ts';
import { Problems } from '../problems.ts';
import { anyOf, awaited, withManifests } from '../release/content.ts';
import { toError } from '../release/errors.ts';
import { type Inspection, inspectRoot } from '../release/inspect.ts';
import { configForBases } from './baseLogins.ts';
import type { OpeningRegions } from './opening.ts';
import { openSpool, replicasOf } from './publishing.ts';
import { createMissing, type Services } from './services.ts';

/** What is to be published, looked into. */
export interface Obtained extends Built {
  readonly inspection: Inspection;
}

/**
 * Builds the image, or opens the layout that has it.
 * @param platforms those that a build has to have
 * @param composed manifests that are published with it; they may come to be known later
 * @throws Problems when it is not what it should be; of a layout's manifests that is found out before anything is changed anywhere
 */
export function obtain(
  inputs: BuildInputs,
  platforms: readonly Platform[],
  regions: OpeningRegions,
  composed: ReadonlyMap<Digest, Manifest>,
  registries: PrivateRegistries,
  services: Services,
): Promise<Obtained> {
  const open: BuildRun['open'] = async () => {
    const opened = await regions.opening;
    await createMissing(opened, services);
    return (source) =>
      replicasOf(opened.destinations, withManifests(source, composed), services, regions.known);
  };
  const { image } = inputs;
  if (image.kind === 'layout') return takeLayout(image, inputs.platforms, open);
  return buildImage({ ...inputs, image, platforms }, { ...regions, open }, registries, services);
}

/** @param platforms those that it has to have; when none is named, it was built by others, for platforms of their own */
async function takeLayout(
  { dir }: LayoutImage,
  platforms: readonly Platform[],
  open: BuildRun['open'],
): Promise<Obtained> {
  const { root, source, inspection } = await readLayout(dir).catch((error: unknown) => {
    const { message } = toError(error);
    // Those of the layout's own name it by its path.
    const problem = error instanceof LayoutError ? message : `"${dir}": ${message}`;
    throw new Problems([`input "oci-layout": ${problem}`], { cause: error });
  });
  const { built, missing, more } = comparePlatforms(platforms, inspection);
  // What it has beside them would be published, too.
  if (platforms.length > 0 && missing.length + more.length > 0) {
    throw new Problems([
      `input "oci-layout": "${dir}" has ${namesOf(built)}, but "platforms" has ${namesOf(platforms)}: write a layout of these platforms, name those that it has, or leave "platforms" out`,
    ]);
  }
  const replicate = await open();
  return { root, source, replicas: replicate(source), metadata: '{}', builder: 'oci-layout', inspection };
}

async function readLayout(dir: string): Promise<Pick<Obtained, 'root' | 'source' | 'inspection'>> {
  const { root, source } = await openLayout(dir);
  const inspection = await inspectRoot(root, source);
  // What speaks of the images is not looked into, and has to be there all the same.
  await Promise.all(inspection.attestations.map((each) => source.manifest(each)));
  return { root, source, inspection };
}

/** The inputs of a build that has to have these platforms. */
type Wanted = BuildInputs & { readonly image: ImageBuild };

async function buildImage(
  { image, platforms, target }: Wanted,
  { opening, regions, open }: OpeningRegions & Pick<BuildRun, 'open'>,
  registries: PrivateRegistries,
  services: Services,
): Promise<Obtained> {
  const { run, docker, log, cancellation } = services;
  // What the builder need not send, because every region has it, is read back from one of them.
  const everywhere = opening.then(({ destinations }) => anyOf(destinations));
  const wanted: BuildRun = {
    options: image.options,
    platforms,
    transport: image.transport,
    repositoryUrl: run.repositoryUrl,
    attestations: {
      noDefault: run.noDefaultAttestations,
      privateRepository: run.privateRepository,
      runUrl: run.runUrl,
    },
    name: target.repository.split('/').at(-1) ?? 'image',
    dir: run.tempDir,
    signal: cancellation.signal,
    dockerConfig: await configForBases(image, target, registries, services),
    spool: openSpool(services, awaited('the regions', everywhere)),
    regions,
    open,
  };
  const built = await log.during(
    () => `building ${namesOf(platforms)}`,
    () => build(wanted, docker, log),
  );
  const inspection = await inspectRoot(built.root, built.source).catch((error: unknown) => {
    const problem = explainReading(error, target.places);
    throw problem === undefined ? error : new Problems([problem], { cause: error });
  });
  const { built: given, missing } = comparePlatforms(platforms, inspection);
  if (missing.length > 0) {
    throw new Problems([
      `the build gave ${namesOf(given)}, not ${namesOf(missing)}: check "platforms", and FROM --platform in the Dockerfile`,
    ]);
  }
  return { ...built, inspection };
}

/** What was built, and what it lacks and has more than was wanted. */
function comparePlatforms(wanted: readonly Platform[], { images }: Inspection) {
  const built = images.map(({ descriptor }) => withoutVersion(descriptor.platform));
  const lacking = (all: readonly Platform[], some: readonly Platform[]) =>
    some.filter((platform) => !all.some((each) => samePlatform(each, platform)));
  return { built, missing: lacking(built, wanted), more: lacking(wanted, built) };
}

function withoutVersion({ 'os.version': _, ...platform }: Platform): Platform {
  return platform;
}

function namesOf(platforms: readonly Platform[]): string {
  return platforms.map(formatPlatform).join(', ');
}
