import type { Section } from '../report/finding.ts';
import { growthFindings, type Sample } from '../report/growth.ts';
import { Chain } from '../run/chain.ts';
import { processes } from '../run/processes.ts';
import { type Publisher, withPublisher } from '../run/publisher.ts';
import { FAULT_KINDS, Faults, QUICK_REFUSALS, type Refusal } from '../world/faults.ts';
import { ROLE, type World, withWorld } from '../world/world.ts';
import { goesOn, regionsFor, type Setting } from './setting.ts';

const REGIONS = regionsFor(4);
/** The part of all requests that fail in a way that passes. */
const SHARE = 0.03;
/** Of so many publishes one meets a region that refuses something for good. */
const REFUSED = 3;
/** For one that is the only one of its process, in turn; after that, those that end soon. */
const REFUSALS: readonly Refusal[] = [...QUICK_REFUSALS, 'tags, as if it were down'];

/**
 * Publishes while requests fail at random, answers are lost, and now and then a region refuses something for good. Each ends
 * published or, where a region refuses something, fails with everything put back; and what fails is let go of, too. Besides the process that is measured,
 * others publish in processes of their own, with tags that move and with tags that do not: at any time most of them
 * wait for another try.
 */
export function underFaults(setting: Setting): Promise<Section> {
  const faults = new Faults(SHARE);
  return withWorld({ dir: setting.dir, regions: REGIONS, fault: faults.fault }, (world) =>
    withPublisher(world, (publisher) => publishAll(setting, faults, world, publisher)),
  );
}

async function publishAll(
  { entry, sizes, say }: Setting,
  faults: Faults,
  world: World,
  publisher: Publisher,
): Promise<Section> {
  const inOne = new Chain(world, publisher, { repository: 'soak/in-one' });
  const runner = processes(entry, world);
  const apart = [
    new Chain(world, runner, { repository: 'soak/moving' }),
    new Chain(world, runner, { repository: 'soak/fixed', immutable: true }),
  ];
  const chains = [inOne, ...apart];
  const samples: Sample[] = [];
  const startedAt = performance.now();
  const measured = async () => {
    while (goesOn(sizes.faults, startedAt, inOne.count)) {
      await publish(inOne, faults, QUICK_REFUSALS);
      samples.push({ publishes: inOne.count, vitals: await publisher.vitals() });
    }
  };
  const others = apart.map(async (chain) => {
    while (goesOn(sizes.faults, startedAt, chain.count * 2)) await publish(chain, faults, REFUSALS);
  });
  await Promise.all([measured(), ...others]);
  faults.stop();
  const seconds = (performance.now() - startedAt) / 1_000;
  const published = sum(chains.map(({ verdicts }) => verdicts.published));
  const failed = sum(chains.map(({ verdicts }) => verdicts.failed));
  say(`${published} published and ${failed} failed in ${seconds.toFixed(1)} s`);
  const examined = await Promise.all(chains.map((chain) => chain.examine()));
  const counts = FAULT_KINDS.map((kind) => ({ kind, count: faults.counts.get(kind) ?? 0 }));
  return {
    title: `Publishes in ${REGIONS.length} regions, while ${SHARE * 100} % of all requests fail and some regions refuse`,
    findings: [
      { what: 'published', value: published, unit: '', bound: { least: 1 } },
      { what: 'failed, with everything put back', value: failed, unit: '', bound: { least: 1 } },
      { what: 'faults', value: sum(counts.map(({ count }) => count)), unit: '', bound: { least: 1 } },
      ...counts.map(({ kind, count }) => ({ what: `of them: ${kind}`, value: count, unit: '' })),
      { what: 'requests', value: world.traffic().requests, unit: '' },
      { what: 'time', value: seconds, unit: 's' },
      ...growthFindings(samples),
    ],
    complaints: [...chains.flatMap(({ complaints }) => complaints), ...examined.flat()],
    samples,
  };
}

/**
 * Publishes once. Now and then a region refuses something meanwhile: in turn another region, and another thing.
 * @param refusals what is refused at first, in turn
 */
async function publish(chain: Chain, faults: Faults, refusals: readonly Refusal[]): Promise<void> {
  const inputs = chain.count % 2 === 0 ? { 'role-to-assume': ROLE } : {};
  if (chain.count % REFUSED !== REFUSED - 1) {
    await chain.publish({ inputs });
    return;
  }
  const turn = Math.floor(chain.count / REFUSED);
  const region = REGIONS[turn % REGIONS.length] ?? '';
  const refusal = refusals[turn] ?? QUICK_REFUSALS[turn % QUICK_REFUSALS.length] ?? 'tags';
  await faults.during(chain.repository, { region, refusal }, () =>
    chain.publish({ inputs, expected: 'failed' }),
  );
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
