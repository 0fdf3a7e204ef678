import type { Descriptor } from '../image/descriptor.ts';
import type { Digest } from '../image/digest.ts';
import { composeIndex } from '../image/index.ts';
import { type Index, type Manifest, ManifestError, platformsOf } from '../image/manifest.ts';
import { formatPlatform } from '../image/platform.ts';
import type { StitchInputs } from '../inputs/stitch.ts';
import type { Target } from '../inputs/target.ts';
import { allOrProblems, Problems } from '../problems.ts';
import { anyOf, type Destination } from '../release/content.ts';
import { type Assembly, assembleLegs } from '../release/legs/assemble.ts';
import { tagsOfImages } from '../release/legs/beside.ts';
import { lackingIn } from '../release/legs/lacking.ts';
import type { Spool } from '../release/spool.ts';
import { type Collected, collectLegs } from './collect.ts';
import { openSpool, publishEverywhere, replicasOf } from './publishing.ts';
import {
  assertReplaceable,
  createMissing,
  type Outcome,
  openingTitle,
  openTarget,
  type Services,
} from './services.ts';

/**
 * Puts the legs of this run together into one index, and publishes it in every region. A region that lacks an image
 * gets it from one that has it. No Docker is needed.
 * @throws Problems when legs are missing or contradict each other; nothing has been pushed then
 */
export async function runStitch(inputs: StitchInputs, services: Services): Promise<Outcome> {
  const startedAt = Date.now();
  const { target, tags, annotations } = inputs;
  const [opened, collected] = await services.log.group(
    `${openingTitle(target)}, and collecting the legs`,
    () => {
      const opening = openTarget(target, tags, services);
      return allOrProblems([opening, collectLegs(inputs, opening, services)]);
    },
  );
  const places = [...opened.destinations, ...opened.named];
  const assembly = assemble(collected, target, places, services);
  const root = compose(assembly.children, annotations);
  const spool = openSpool(services, anyOf(opened.destinations));
  spool.keep(root);
  const beside = besideOf(assembly, inputs, spool);
  assertReplaceable(target, opened.destinations, [...beside.keys()]);
  await createMissing(opened, services);

  const platforms = platformsOf(root).map(formatPlatform);
  const known = opened.destinations.filter((destination) => !collected.unread?.has(destination));
  for (const line of lackingIn(assembly.images, collected.legs, known)) services.log.info(line);
  services.log.info(`The index ${root.digest} has ${platforms.join(', ')}`);
  return publishEverywhere(
    {
      root,
      target,
      opened,
      platforms,
      tags,
      beside,
      promised: ({ image }) => promisedTo(image, assembly),
      replicas: replicasOf(opened.destinations, spool, services),
      countBytes: async () => assembly.bytes,
      // What stands below it was looked at by those that built it.
      read: async () => [],
      startedAt,
      metadata: new TextDecoder().decode(root.bytes),
    },
    services,
  );
}

/** The images that legs have landed in a destination. */
function promisedTo(destination: string, { images }: Complete): Digest[] {
  const landed = images.filter(({ leg }) => leg.destinations.includes(destination));
  return landed.map(({ descriptor }) => descriptor.digest);
}

type Complete = Extract<Assembly, { kind: 'complete' }>;

function assemble(
  { legs, problems, expected }: Collected,
  { repository, push }: Target,
  destinations: readonly Pick<Destination, 'name' | 'image'>[],
  { run: { runId, call }, log }: Services,
): Complete {
  const partial = problems.length > 0;
  const run = { repository, runId, call, pushed: push };
  const assembly = assembleLegs(legs, { ...expected, ...run, destinations, partial });
  if (assembly.kind === 'refused') throw new Problems([...problems, ...assembly.problems]);
  if (partial) throw new Problems(problems);
  for (const line of assembly.leftOut) log.info(line);
  return assembly;
}

/** What tags of single platforms show beside the release, if there are to be any. */
function besideOf(
  { images }: Complete,
  { platformTags, tags }: StitchInputs,
  spool: Spool,
): ReadonlyMap<string, Manifest> {
  if (platformTags === undefined) return new Map();
  const { beside, problems } = tagsOfImages(images, platformTags, tags);
  if (problems.length > 0) throw new Problems(problems);
  for (const manifest of beside.values()) spool.keep(manifest);
  return beside;
}

/** @throws Problems when the legs are such that no runtime could use their index */
function compose(children: readonly Descriptor[], annotations: Readonly<Record<string, string>>): Index {
  try {
    return composeIndex(children, annotations);
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    throw new Problems([`the legs cannot be stitched: ${error.message}`], { cause: error });
  }
}
