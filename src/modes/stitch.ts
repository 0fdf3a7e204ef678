import { setTimeout as sleep } from 'node:timers/promises';
import { composeIndex } from '../image/index.ts';
import { platformsOf } from '../image/manifest.ts';
import { formatPlatform } from '../image/platform.ts';
import type { StitchInputs } from '../inputs/inputs.ts';
import { allOrProblems, Problems } from '../problems.ts';
import { anyOf } from '../release/content.ts';
import { assembleLegs } from '../release/leg.ts';
import { openSpool, publishEverywhere, replicasOf } from './publishing.ts';
import { type Outcome, openingTitle, openTarget, type Services } from './services.ts';

/**
 * How long the requests to ECR have to set off, in milliseconds, before the legs are collected: to load what does that
 * keeps this process busy for longer.
 */
const HEAD_START = 60;

/**
 * Puts the legs of this run together into one index, and publishes it in every region. A region that lacks an image
 * gets it from one that has it. No Docker is needed.
 * @throws Problems when legs are missing or contradict each other; nothing has been pushed then
 */
export async function runStitch(inputs: StitchInputs, services: Services): Promise<Outcome> {
  const startedAt = Date.now();
  const { target, tags, annotations } = inputs;
  const [{ destinations, createMissing }, records] = await services.log.group(
    `${openingTitle(target)}, and collecting the legs`,
    () => allOrProblems([openTarget(target, services), sleep(HEAD_START).then(() => services.legs.list())]),
  );
  const assembly = assembleLegs(records, {
    repository: target.repository,
    runId: services.run.runId,
    platforms: inputs.platforms,
  });
  if (assembly.kind === 'refused') throw new Problems(assembly.problems);
  await createMissing();

  const root = composeIndex(assembly.children, annotations);
  const platforms = platformsOf(root).map(formatPlatform);
  services.log.info(`The index ${root.digest} has ${platforms.join(', ')}`);
  const spool = openSpool(services, anyOf(destinations));
  spool.keep(root);
  return publishEverywhere(
    {
      root,
      repository: target.repository,
      platforms,
      tags,
      replicas: replicasOf(destinations, spool, services),
      countBytes: async () => assembly.bytes,
      startedAt,
      metadata: new TextDecoder().decode(root.bytes),
    },
    services,
  );
}
