import { describe, expect, test } from '@jest/globals';
import { Forecast } from '../../src/buildx/forecast.ts';
import { Holdings } from '../../src/release/holdings.ts';
import { type Graph, imageOf, indexOf } from '../support/images.ts';
import { MemoryDestination, turn } from '../support/memory.ts';
import { braid } from './braid.ts';

const image = imageOf('linux/amd64');

function start(graph: Graph) {
  const region = new MemoryDestination('region', graph);
  return { region, forecast: new Forecast([Promise.resolve(new Holdings(region))], region) };
}

async function settle(forecast: Forecast): Promise<void> {
  await forecast.learned();
  for (let round = 0; round < 50; round += 1) await turn();
}

describe("a builder's log", () => {
  test('that names a deep and tangled index has no more than it and its children read', async () => {
    const graph = braid(12);
    const { region, forecast } = start(graph);
    forecast.read(`#9 exporting manifest list ${graph.root.digest} done`);
    forecast.read('#9 pushing layers');
    await settle(forecast);
    expect(region.operations.filter((operation) => operation.startsWith('read '))).toHaveLength(3);
  });

  test('that names hundreds of manifests has the latest few asked for', async () => {
    const { region, forecast } = start(indexOf([image]));
    for (let line = 0; line < 5_000; line += 1) {
      forecast.read(`#9 exporting manifest sha256:${line.toString(16).padStart(64, '0')} done`);
    }
    forecast.read('#9 pushing layers');
    await settle(forecast);
    expect(region.operations.length).toBeGreaterThan(1);
    expect(region.operations.length).toBeLessThanOrEqual(64);
  });

  test.each([
    `#9 exporting manifest sha256:${'A'.repeat(64)}`,
    '#9 exporting manifest sha256:../../x',
    ` #9 exporting manifest ${image.root.digest}`,
    `x\n#9 exporting manifest ${image.root.digest}`,
    `${'#9 exporting '.repeat(200_000)}`,
    `#${'9'.repeat(2_000_000)}`,
  ])('of something else has nothing asked for, and takes no time', async (line) => {
    const { region, forecast } = start(image);
    const begun = performance.now();
    forecast.read(line);
    expect(performance.now() - begun).toBeLessThan(1_000);
    forecast.read('#9 pushing layers');
    await settle(forecast);
    expect(region.operations).toEqual([]);
  });
});
