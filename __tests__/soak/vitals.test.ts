import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from '@jest/globals';
import * as z from 'zod/mini';
import { type Vitals, vitalsSchema } from '../../soak/run/vitals.ts';
import { run } from '../e2e/engines/process.ts';
import { makeFolder } from '../support/folder.ts';

/** How many more there are of each after a process has done something. */
async function moreAfter(doing: string): Promise<Vitals> {
  const folder = JSON.stringify(await makeFolder());
  const module = JSON.stringify(pathToFileURL(join('soak', 'run', 'vitals.ts')).href);
  const script = `
    import { writeFileSync } from 'node:fs';
    import { createServer } from 'node:net';
    import { VitalsWatch } from ${module};
    const folder = ${folder};
    const watch = new VitalsWatch([folder]);
    await watch.take();
    const before = await watch.take();
    ${doing}
    const after = await watch.take();
    const more = Object.entries(after).map(([name, value]) => [name, value - before[name]]);
    console.log(JSON.stringify(Object.fromEntries(more)));
    process.exit();`;
  const flags = ['--disable-warning=ExperimentalWarning', '--expose-gc', '--input-type=module'];
  return z.parse(vitalsSchema, JSON.parse(await run(process.execPath, [...flags, '--eval', script])));
}

const NO_MORE = { descriptors: 0, handles: 0, listeners: 0, leftovers: 0, warnings: 0 };

test.each<[what: string, doing: string, more: Partial<Vitals>]>([
  ['nothing', '', {}],
  [
    'a server that listens',
    "await new Promise((resolve) => createServer().listen(0, '127.0.0.1', resolve));",
    { descriptors: 1, handles: 1 },
  ],
  ['a timer', 'setTimeout(() => undefined, 60_000);', { handles: 1 }],
  ['a listener of the process', "process.on('SIGTERM', () => undefined);", { listeners: 1 }],
  ['a file', "writeFileSync(folder + '/left', '');", { leftovers: 1 }],
  ['a warning', "process.emitWarning('too many', 'Some');", { warnings: 1 }],
])('%s is counted', async (_, doing, more) => {
  expect(await moreAfter(doing)).toMatchObject({ ...NO_MORE, ...more });
});

test('memory that is held is told, and memory that is let go of is not', async () => {
  const held = await moreAfter(
    'globalThis.held = [Array.from({ length: 300_000 }, Math.random), Buffer.alloc(8_000_000, 1)];',
  );
  expect(held.heap).toBeGreaterThan(2_000_000);
  expect(held.buffers).toBeGreaterThan(7_000_000);
  const garbage = await moreAfter(
    'Array.from({ length: 300_000 }, Math.random); Buffer.alloc(8_000_000, 1);',
  );
  expect(Math.abs(garbage.heap)).toBeLessThan(1_000_000);
  expect(Math.abs(garbage.buffers)).toBeLessThan(1_000_000);
});
