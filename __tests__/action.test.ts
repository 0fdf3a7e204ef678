import { readFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import * as z from 'zod/mini';
import { parseInputs } from '../src/inputs/inputs.ts';

const actionSchema = z.object({
  inputs: z.record(z.string(), z.looseObject({ description: z.string() })),
  outputs: z.record(z.string(), z.looseObject({ description: z.string() })),
  runs: z.object({ using: z.literal('node24'), main: z.literal('dist/index.js') }),
});
const workflowSchema = z.looseObject({
  jobs: z.record(
    z.string(),
    z.looseObject({
      steps: z.array(
        z.looseObject({ uses: z.optional(z.string()), with: z.optional(z.record(z.string(), z.unknown())) }),
      ),
    }),
  ),
});

async function readAction(): Promise<z.infer<typeof actionSchema>> {
  return z.parse(actionSchema, parse(await readFile('action.yml', 'utf8')));
}

/** The names of all inputs that a mode reads. */
async function inputsRead(mode: string): Promise<string[]> {
  const read = new Set<string>();
  const values: Record<string, string> = { mode, source: 'example.com/app:1' };
  const get = (name: string) => {
    read.add(name);
    return values[name] ?? '';
  };
  await parseInputs(get, {}).catch(() => undefined);
  return [...read];
}

describe('action.yml', () => {
  test('declares every input that is read, and no other', async () => {
    const { inputs } = await readAction();
    const read = new Set((await Promise.all(['plan', 'build', 'stitch', 'mirror'].map(inputsRead))).flat());
    // These two are read only to be refused.
    for (const refused of ['load', 'outputs']) read.delete(refused);
    expect([...read].toSorted()).toEqual(Object.keys(inputs).toSorted());
  });

  test.each([
    ['examples/ecs.yml', (text: string) => [text]],
    ['examples/eks.yml', (text: string) => [text]],
    [
      'README.md',
      (text: string) =>
        [...text.matchAll(/```yaml\n(permissions:[\s\S]*?)```/g)].map((match) => match[1] ?? ''),
    ],
  ])('declares every input that %s uses', async (file, workflowsIn) => {
    const { inputs } = await readAction();
    const workflows = workflowsIn(await readFile(file, 'utf8')).map((text) =>
      z.parse(workflowSchema, parse(text)),
    );
    const steps = workflows.flatMap(({ jobs }) => Object.values(jobs).flatMap((job) => job.steps));
    const used = steps
      .filter(({ uses }) => uses?.startsWith('org/ecr-multiarch@'))
      .flatMap((step) => Object.keys(step.with ?? {}));
    expect(used.length).toBeGreaterThan(0);
    expect(used.filter((name) => !(name in inputs))).toEqual([]);
  });
});
