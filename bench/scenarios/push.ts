import { join } from 'node:path';
import type { Contender, Contest } from '../report/contest.ts';
import { buildInputs } from '../subjects/action.ts';
import { bareRelease, bareUpload } from '../subjects/bare.ts';
import { buildxPush, seed } from '../subjects/peers.ts';
import { blobsIn, renewTopLayer } from '../world/image.ts';
import { startRegistry } from '../world/registry.ts';
import { startWorld, type World } from '../world/world.ts';
import { places, RATE, type Setting, SLOW_RATE } from './setting.ts';

const TAG = 'v1';

/** What is pushed, whereto, and what happens before the clock runs. */
interface Push {
  readonly context: string;
  /** The folder of a stopped registry, if the regions are not empty. */
  readonly seed?: string;
  readonly rate: number;
  before(): Promise<void>;
}

/** An image that no region has; the builder has it, so that all its work is to push. */
export async function freshPush(setting: Setting, context: string): Promise<Contest> {
  const push = { context, rate: RATE, before: () => warm(setting, context) };
  const layout = await exported(setting, context);
  return {
    title: 'Fresh push, 20 MB/s a connection, layers in the builder',
    contenders: [
      ...setting.regionCounts.flatMap((count) => [ours(setting, push, count), buildx(setting, push, count)]),
      ...few(setting).flatMap((count) => floors(setting, layout, count)),
    ],
    ratios: [
      { of: 'ours, 4 regions', over: 'bare upload, 4 regions', target: 1.25 },
      { of: 'ours, 4 regions', over: 'bare release, 4 regions' },
      { of: 'ours, 4 regions', over: 'buildx, 4 regions', target: 0.33 },
      { of: 'ours, 4 regions', over: 'buildx, 1 region', target: 0.9 },
      { of: 'ours, 1 region', over: 'buildx, 1 region' },
      { of: 'ours, 1 region', over: 'bare upload, 1 region' },
      { of: 'ours, 8 regions', over: 'buildx, 8 regions' },
    ],
  };
}

/** The same, but the builder starts from nothing: it gets the context, and makes and compresses the layers. */
export async function coldPush(setting: Setting, context: string): Promise<Contest> {
  const push = { context, rate: RATE, before: () => setting.builder.prune() };
  return {
    title: 'Fresh push, 20 MB/s a connection, nothing in the builder',
    contenders: [ours(setting, push, 4), ...[1, 4].map((count) => buildx(setting, push, count))],
    ratios: [
      { of: 'ours, 4 regions', over: 'buildx, 4 regions', target: 0.33 },
      { of: 'ours, 4 regions', over: 'buildx, 1 region', target: 0.9 },
    ],
  };
}

/** On slow lines, where the cores are not the limit, more regions should cost next to nothing. */
export async function slowPush(setting: Setting, context: string): Promise<Contest> {
  const push = { context, rate: SLOW_RATE, before: () => warm(setting, context) };
  return {
    title: 'Fresh push, 5 MB/s a connection, layers in the builder',
    contenders: [1, 4, 8].map((count) => ours(setting, push, count)),
    ratios: [
      { of: 'ours, 4 regions', over: 'ours, 1 region', target: 1.15 },
      { of: 'ours, 8 regions', over: 'ours, 1 region', target: 1.3 },
    ],
  };
}

/** The image is everywhere already, under its tag. */
export async function nothingNew(setting: Setting, context: string): Promise<Contest> {
  const push = await rebuild(setting, context, async () => undefined);
  return {
    title: 'Rebuild with nothing new, 20 MB/s a connection',
    contenders: [ours(setting, push, 4), buildx(setting, push, 4), buildx(setting, push, 1)],
    ratios: [
      { of: 'ours, 4 regions', over: 'buildx, 4 regions', target: 0.6 },
      { of: 'ours, 4 regions', over: 'buildx, 1 region' },
    ],
  };
}

/** All but the top layer of both platforms is everywhere already. */
export async function topLayer(setting: Setting, context: string): Promise<Contest> {
  const push = await rebuild(setting, context, () => renewTopLayer(context, setting.layers));
  return {
    title: 'Rebuild with a new top layer, 20 MB/s a connection',
    contenders: [ours(setting, push, 4), buildx(setting, push, 4), buildx(setting, push, 1)],
    ratios: [
      { of: 'ours, 4 regions', over: 'buildx, 4 regions' },
      { of: 'ours, 4 regions', over: 'buildx, 1 region' },
    ],
  };
}

/** The floor of eight regions at once would be the cores, not the lines. */
function few({ regionCounts }: Setting): readonly number[] {
  return regionCounts.filter((count) => count === 1 || count === 4);
}

function ours(setting: Setting, push: Push, count: number): Contender {
  return {
    name: `ours, ${regionsOf(count)}`,
    run: () =>
      inWorld(setting, push, count, async ({ regions, apiEndpoint, registryEndpoint }) => {
        const inputs = buildInputs(regions, { context: push.context, tag: TAG });
        return (await setting.action.run({ inputs, apiEndpoint, registryEndpoint })).seconds;
      }),
  };
}

function buildx(setting: Setting, push: Push, count: number): Contender {
  const { environment } = setting.builder;
  return {
    name: `buildx, ${regionsOf(count)}`,
    run: () =>
      inWorld(setting, push, count, ({ hosts }) =>
        buildxPush(environment, hosts, { context: push.context, tag: TAG }),
      ),
  };
}

function floors(setting: Setting, layout: string, count: number): Contender[] {
  const push = { context: '', rate: RATE, before: async () => undefined };
  return [
    {
      name: `bare upload, ${regionsOf(count)}`,
      run: () =>
        inWorld(setting, push, count, async ({ hosts }) =>
          bareUpload(setting.dir, hosts, await blobsIn(layout)),
        ),
    },
    {
      name: `bare release, ${regionsOf(count)}`,
      run: () => inWorld(setting, push, count, (world) => bareRelease(setting.dir, world, layout, TAG)),
    },
  ];
}

/** Every run has registries and lines of its own: nobody finds what another one left, not even a cached connection. */
async function inWorld(
  setting: Setting,
  push: Push,
  count: number,
  work: (world: World) => Promise<number>,
): Promise<number> {
  const world = await startWorld(setting, places(count), { rate: push.rate }, push.seed);
  try {
    await push.before();
    return await work(world);
  } finally {
    await world.close();
  }
}

function regionsOf(count: number): string {
  return `${count} region${count === 1 ? '' : 's'}`;
}

async function exported({ builder, dir }: Setting, context: string): Promise<string> {
  const layout = join(dir, 'layout');
  await builder.exportTo(layout, context);
  return layout;
}

function warm({ builder, dir }: Setting, context: string): Promise<void> {
  return builder.exportTo(join(dir, 'warm'), context);
}

/** Regions that hold the image. They got it from crane, so that the builder does not remember having pushed it. */
async function rebuild(setting: Setting, context: string, before: () => Promise<void>): Promise<Push> {
  const layout = await exported(setting, context);
  const dir = join(setting.dir, 'seed');
  const registry = await startRegistry(dir);
  await seed(`http://127.0.0.1:${registry.port}`, layout, TAG);
  await registry.stop();
  return { context, rate: RATE, seed: dir, before };
}
