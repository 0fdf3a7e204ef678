import { writeFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import pLimit from 'p-limit';
import { NO_AWS } from '../support/environment.ts';
import { type Cell, tryCell } from './cell.ts';
import { KINDS, type KindName, kindOf } from './kinds.ts';
import { STEPS, type StepName } from './steps.ts';

test('probe', async () => {
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_ECR: 'http://ecr.localhost',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/nowhere',
    AWS_SHARED_CREDENTIALS_FILE: '/nowhere',
  });
  void NO_AWS;
  const only = process.env.PROBE?.split('/') ?? [];
  const limit = pLimit(Number(process.env.WIDE ?? 16));
  const cells: Cell[] = [];
  for (const step of Object.keys(STEPS) as StepName[])
    for (const kind of Object.keys(KINDS) as KindName[]) {
      if (only[0] && step !== only[0]) continue;
      if (only[1] && kind !== only[1]) continue;
      if (kindOf(kind).once) cells.push({ step, kind, span: 'once' });
      if (kindOf(kind).lasting) cells.push({ step, kind, span: 'lasting' });
    }
  const t = Date.now();
  const running = new Map<number, Cell>();
  const watch = setInterval(() => {
    void writeFile('/tmp/running.json', JSON.stringify([Date.now() - t, done, [...running.values()]]));
  }, 2000);
  let done = 0;
  const verdicts = await Promise.all(
    cells.map((cell, id) =>
      limit(async () => {
        const t0 = Date.now();
        running.set(id, cell);
        const v = await tryCell(cell, id).catch((error: Error) => ({
          ...cell,
          letter: '!',
          complaints: [String(error.stack)],
          said: [],
        }));
        running.delete(id);
        done += 1;
        return { ...v, ms: Date.now() - t0 };
      }),
    ),
  );
  clearInterval(watch);
  console.log(cells.length, 'cells', Date.now() - t, 'ms');
  await writeFile('/tmp/probe.json', JSON.stringify(verdicts, null, 1));
  expect(1).toBe(1);
}, 600_000);
