import type { Section } from '../report/finding.ts';
import { growthFindings, type Sample } from '../report/growth.ts';
import { Chain } from '../run/chain.ts';
import { processes } from '../run/processes.ts';
import { type Publisher, withPublisher } from '../run/publisher.ts';
import { ROLE, type World, withWorld } from '../world/world.ts';
import { goesOn, PROCESS_MEMORY, regionsFor, type Setting } from './setting.ts';

const REGIONS = regionsFor(4);
/** Publishes from one look at the process to the next. */
const ROUND = 4;
/** Every so many rounds there is a publish in a process of its own beside them. */
const APART = 2;

/**
 * An hour's publishes with no pause between them: most in one process, which must hold on to no more after many than after a
 * few, and some in processes of their own. The quotas are those of the hour, so that there are none.
 */
export function manyPublishes(setting: Setting): Promise<Section> {
  return withWorld({ dir: setting.dir, regions: REGIONS, behaviour: { quotas: {} } }, (world) =>
    withPublisher(world, (publisher) => publishAll(setting, world, publisher)),
  );
}

async function publishAll(
  { entry, sizes, say }: Setting,
  world: World,
  publisher: Publisher,
): Promise<Section> {
  const inOne = new Chain(world, publisher, { repository: 'soak/in-one' });
  const apart = new Chain(world, processes(entry, world), { repository: 'soak/apart' });
  const samples: Sample[] = [];
  const startedAt = performance.now();
  while (goesOn(sizes.publishing, startedAt, inOne.count)) {
    const isApart = samples.length % APART === 0;
    await Promise.all([publishRound(inOne), ...(isApart ? [apart.publish()] : [])]);
    samples.push({ publishes: inOne.count, vitals: await publisher.vitals() });
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  const { requests } = world.traffic();
  say(`${inOne.count + apart.count} publishes in ${seconds.toFixed(1)} s`);
  const failed = inOne.verdicts.failed + apart.verdicts.failed;
  return {
    title: `${inOne.count} publishes in one process and ${apart.count} in processes of their own, in ${REGIONS.length} regions`,
    findings: [
      { what: 'publishes that failed', value: failed, unit: '', bound: { most: 0 } },
      { what: 'requests', value: requests, unit: '' },
      { what: 'time', value: seconds, unit: 's' },
      {
        what: 'a process of its own: peak resident memory',
        value: apart.peakMemory / 1e6,
        unit: 'MB',
        bound: { most: PROCESS_MEMORY },
      },
      ...growthFindings(samples),
    ],
    complaints: [
      ...inOne.complaints,
      ...apart.complaints,
      ...(await inOne.examine()),
      ...(await apart.examine()),
    ],
    samples,
  };
}

/** Some with a role and some without; the last one publishes what its tag shows already. */
async function publishRound(chain: Chain): Promise<void> {
  for (let position = 0; position < ROUND; position += 1) {
    const inputs = position % 2 === 0 ? { 'role-to-assume': ROLE } : {};
    await chain.publish({ again: position === ROUND - 1, inputs });
  }
}
