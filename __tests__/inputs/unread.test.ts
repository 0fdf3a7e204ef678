import { readFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import * as z from 'zod/mini';
import { makeFolder } from '../support/folder.ts';
import { BUILD, MIRROR, problemsOf, STITCH, type Values } from './read.ts';

const PLAN: Values = { mode: 'plan', platforms: 'linux/amd64' };

/** Steps of every kind, by how an error calls them, each with what is enough for it. */
async function stepsOfAllKinds(): Promise<ReadonlyMap<string, Values>> {
  return new Map([
    ['"mode: plan"', PLAN],
    ['"mode: build"', { ...BUILD, mode: 'build' }],
    ['"mode: build" with "oci-layout"', { ...BUILD, mode: 'build', 'oci-layout': await makeFolder() }],
    ['"mode: stitch"', STITCH],
    ['"mode: mirror"', MIRROR],
  ]);
}

async function declaredInputs(): Promise<[name: string, fallback: string][]> {
  const declared = z.object({
    inputs: z.record(z.string(), z.looseObject({ default: z.optional(z.string()) })),
  });
  const { inputs } = z.parse(declared, parse(await readFile('action.yml', 'utf8')));
  return Object.entries(inputs).map(([name, input]) => [name, input.default ?? '']);
}

/** What an input is told that a step does not read. */
async function refusalOf(name: string, values: Values): Promise<string | undefined> {
  const problems = await problemsOf(values).catch(() => []);
  return problems.find(
    (problem) => problem.startsWith(`input "${name}": `) && /does not read it/.test(problem),
  );
}

describe('an input that a step does not read', () => {
  test('is refused, with what reads it', async () => {
    expect(await problemsOf({ ...BUILD, source: 'nginx:1', runners: 'linux/arm64=x' })).toEqual([
      'input "runners": "linux/arm64=x": "mode: build" does not read it: leave it out, or write "mode: plan"',
      'input "source": "nginx:1": "mode: build" does not read it: leave it out, or write "mode: mirror"',
    ]);
  });

  test('is refused beside an image that is built already', async () => {
    const values = {
      ...BUILD,
      'oci-layout': await makeFolder(),
      context: './nowhere',
      file: 'Dockerfile',
      pull: 'x',
    };
    const why = '"mode: build" with "oci-layout" does not read it';
    const advice = 'leave it out, or write "mode: build" without "oci-layout"';
    expect(await problemsOf(values)).toEqual([
      `input "context": ${why}: ${advice}`,
      `input "file": "Dockerfile": ${why}: ${advice}`,
      `input "pull": "x": ${why}: ${advice}`,
    ]);
  });

  test('is refused, also an image that is built already, where nothing is built', async () => {
    for (const values of [STITCH, MIRROR]) {
      expect(await problemsOf({ ...values, 'oci-layout': './image' })).toEqual([
        `input "oci-layout": "./image": "mode: ${values.mode}" does not read it: leave it out, or write "mode: build"`,
      ]);
    }
  });

  test('still has what contradicts the action refused beside an image that is built already', async () => {
    expect(await problemsOf({ ...BUILD, 'oci-layout': await makeFolder(), load: 'true' })).toEqual([
      expect.stringMatching(/^input "load": "true": an image that goes to ECR is not loaded/),
    ]);
  });

  test.each([STITCH, MIRROR])('has what contradicts the action refused in whatever mode', async (values) => {
    expect(await problemsOf({ ...values, load: 'true', outputs: 'type=docker' })).toEqual([
      expect.stringMatching(/^input "load": "true": an image that goes to ECR is not loaded/),
      expect.stringMatching(/^input "outputs": "type=docker": the image goes to ECR/),
    ]);
  });

  test.each(['secrets', 'secret-envs', 'labels', 'build-args', 'cache-to', 'context'])(
    'does not show what %s may hide',
    async (name) => {
      const [problem, ...more] = await problemsOf({ ...STITCH, [name]: 'id=hunter2' });
      expect(problem).toBe(
        `input "${name}": "mode: stitch" does not read it: leave it out, or write "mode: build" without "oci-layout"`,
      );
      expect(more).toEqual([]);
    },
  );

  test('is no error when it is empty, or as the runner fills it in', async () => {
    const filledIn = (await declaredInputs()).filter(([, fallback]) => !fallback.includes('${{'));
    for (const values of (await stepsOfAllKinds()).values()) {
      const blank = {
        pull: 'False',
        push: 'TRUE',
        'build-args': ' \n',
        source: values.mode === 'mirror' ? 'a' : '',
      };
      expect(await problemsOf({ ...Object.fromEntries(filledIn), ...values }).catch(String)).toEqual(
        values.mode === 'plan' ? 'Error: this is a plan' : [],
      );
      expect(await problemsOf({ ...blank, ...values }).catch(String)).toEqual(
        values.mode === 'plan' ? 'Error: this is a plan' : [],
      );
    }
  });

  test('is not told of where it is not known what the step is', async () => {
    expect(await problemsOf({ ...BUILD, mode: 'miror', source: 'nginx:1' })).toEqual([
      expect.stringMatching(/^input "mode": "miror"/),
    ]);
  });

  test('is told of every input that may be told from one that the runner fills in, and named with steps that read it', async () => {
    const steps = await stepsOfAllKinds();
    for (const [name, fallback] of await declaredInputs()) {
      if (name === 'mode') continue;
      const unread = new Map<string, string>();
      for (const [step, values] of steps) {
        const refusal = await refusalOf(name, { ...values, [name]: values[name] ?? 'given' });
        if (refusal) unread.set(step, refusal);
      }
      // Every input is read by some step.
      expect([name, unread.size < steps.size]).toEqual([name, true]);
      if (fallback.includes('${{')) expect([name, [...unread]]).toEqual([name, []]);
      for (const refusal of unread.values()) {
        const [, advice = ''] = / or write (.*)$/.exec(refusal) ?? [];
        const advised =
          advice === 'a mode that publishes'
            ? ['"mode: build"', '"mode: stitch"', '"mode: mirror"']
            : [...advice.matchAll(/"mode: \w+"/g)].map(String);
        expect(advised.length).toBeGreaterThan(0);
        for (const step of advised) expect([name, step, unread.has(step)]).toEqual([name, step, false]);
      }
    }
  });
});
