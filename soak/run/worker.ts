import { mkdirSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import * as z from 'zod/mini';
import { keepingToolkit } from '../../__tests__/main/toolkit.ts';
import { answerWith } from '../../bench/asking.ts';
import { runAction } from '../../src/main.ts';
import { type Ended, type Step, stepSchema } from './step.ts';
import { VitalsWatch } from './vitals.ts';

/** Runs the action as often as it is asked to, in this one process, and tells what the process holds on to. */
const questionSchema = z.discriminatedUnion('ask', [
  z.object({ ask: z.literal('run'), step: stepSchema }),
  z.object({ ask: z.literal('vitals') }),
]);

const temp = process.env.RUNNER_TEMP ?? tmpdir();
for (const folder of [temp, tmpdir()]) mkdirSync(folder, { recursive: true });
const watch = new VitalsWatch([temp, tmpdir()]);

async function run({ inputs, environment }: Step): Promise<Ended> {
  const own = { ...process.env };
  // What it is made of reads the environment of the process.
  Object.assign(process.env, environment);
  const { toolkit, told } = keepingToolkit(inputs);
  const startedAt = performance.now();
  try {
    await runAction(toolkit, process.env);
  } finally {
    for (const name of Object.keys(environment)) delete process.env[name];
    Object.assign(process.env, own);
  }
  return {
    errors: [...told.errors],
    digest: told.outputs.get('digest'),
    results: told.outputs.get('results'),
    leftovers: await readdir(temp),
    seconds: (performance.now() - startedAt) / 1_000,
    peakMemory: 0,
  };
}

answerWith(async (asked) => {
  const question = z.parse(questionSchema, asked);
  return question.ask === 'run' ? run(question.step) : watch.take();
});
