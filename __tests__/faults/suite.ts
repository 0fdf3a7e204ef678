import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pLimit from 'p-limit';
import { NO_AWS } from '../support/environment.ts';
import { tryCell, type Verdict } from './cell.ts';
import { cellsOf } from './expected.ts';
import { faultsOf, nameOf } from './judged.ts';
import { KIND_NAMES } from './kinds.ts';
import { printed } from './printed.ts';
import { layoutDir } from './scenarios.ts';
import type { StepName } from './steps.ts';

/** Cells that are tried beside each other: most of their time they wait. */
const BESIDE = 28;
/** How long all of them may take, in milliseconds, on a machine that is busy with other tests. */
const MOST = 400_000;

/** Calls are led to the region that they are for, whatever the address. */
const ENVIRONMENT = {
  ...NO_AWS,
  AWS_ENDPOINT_URL_ECR: 'http://ecr.localhost',
  AWS_ENDPOINT_URL_ECR_PUBLIC: 'http://public.localhost',
  AWS_ENDPOINT_URL_STS: 'http://sts.localhost',
};

/**
 * Tries every kind of fault at these steps, holds each cell against what is expected of it, and prints the table.
 * @param firstId the first of the ids of its clouds, which no other suite's may be
 */
export function describeFaults(title: string, steps: readonly StepName[], firstId: number): void {
  describe(title, () => {
    const earlier = { ...process.env };
    let verdicts: readonly Verdict[] = [];

    beforeAll(async () => {
      for (const [name, value] of Object.entries(ENVIRONMENT)) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
      const limit = pLimit(BESIDE);
      // Kind by kind: those that take long are beside those that do not.
      const cells = KIND_NAMES.flatMap((kind) => steps.flatMap(cellsOf).filter((cell) => cell.kind === kind));
      verdicts = await Promise.all(cells.map((cell, position) => limit(tryCell, cell, firstId + position)));
    }, MOST);

    afterAll(async () => {
      process.env = earlier;
      await rm(await layoutDir(), { recursive: true, force: true });
      process.stdout.write(`${printed(title, steps, verdicts)}\n`);
    });

    test.each(steps)('at the step "%s" end as the table says', (step) => {
      const own = verdicts.filter((verdict) => verdict.step === step);
      expect(own.map(nameOf)).toEqual(cellsOf(step).map(nameOf));
      expect(own.flatMap(faultsOf)).toEqual([]);
    });
  });
}
