import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Finding } from '../report/contest.ts';
import { buildInputs } from '../subjects/action.ts';
import { namedContexts, writeContext } from '../world/image.ts';
import { startWorld } from '../world/world.ts';
import { PLACES, type Setting } from './setting.ts';

const AIM = 200;

/** The most memory that the action's process has while a large layer goes to four regions as fast as it can. */
export async function memory(setting: Setting): Promise<Finding[]> {
  const context = join(setting.diskDir, 'large');
  await writeContext(context, [setting.largeLayer], ['amd64']);
  // Four copies of it are too much for memory.
  const world = await startWorld({ links: setting.links, dir: setting.diskDir }, PLACES, { rate: undefined });
  try {
    const { seconds, peakMemory } = await setting.action.run({
      inputs: {
        ...buildInputs(world.regions, { context, tag: 'large' }),
        platforms: 'linux/amd64',
        'build-contexts': namedContexts(context, ['amd64']).join(),
      },
      apiEndpoint: world.apiEndpoint,
      registryEndpoint: world.registryEndpoint,
      watchMemory: true,
    });
    const what = `a layer of ${setting.largeLayer / 1e6} MB to four regions`;
    const counts = await world.count();
    return [
      { what: `${what}: peak resident memory`, value: peakMemory / 1e6, unit: 'MB', target: AIM },
      { what: `${what}: time, building and compressing included`, value: seconds, unit: 's' },
      {
        what: `${what}: bytes to the region that got the most, headers included`,
        value: Math.max(...counts.map(({ sent }) => sent)),
        unit: 'bytes',
      },
      {
        what: `${what}: connections to the region that got the most`,
        value: Math.max(...counts.map(({ connections }) => connections)),
        unit: '',
      },
    ];
  } finally {
    await world.close();
    await rm(context, { recursive: true, force: true });
    await setting.builder.prune();
  }
}
