import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parse } from 'yaml';
import * as z from 'zod/mini';
import { parseInputs } from '../../src/inputs/inputs.ts';
import { Problems } from '../../src/problems.ts';
import { BUILD, problemsOf } from './read.ts';

async function inputNames(): Promise<string[]> {
  const action = z.parse(
    z.object({ inputs: z.record(z.string(), z.unknown()) }),
    parse(await readFile('action.yml', 'utf8')),
  );
  return Object.keys(action.inputs);
}

/** Texts that lists, references, platforms and CSV take apart, and those that no one thinks of. */
const texts = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom(...'ab19/:@,."=\n\r -_#{}[]\\'.split('')), maxLength: 20 }),
  fc.constantFrom(
    'build',
    'stitch',
    'mirror',
    'true',
    'none',
    'team/app:v1',
    'linux/amd64',
    'us-east-1',
    '__proto__',
  ),
);

test('any text in any input is taken or refused with a problem that names its input', async () => {
  const names = await inputNames();
  const anyInputs = fc.dictionary(fc.constantFrom(...names), texts);
  await fc.assert(
    fc.asyncProperty(anyInputs, fc.option(texts, { nil: undefined }), async (values, AWS_REGION) => {
      const refusal = await parseInputs((name) => values[name] ?? '', { AWS_REGION }).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (refusal === undefined) return;
      expect(refusal).toBeInstanceOf(Problems);
      for (const problem of refusal instanceof Problems ? refusal.problems : []) {
        expect(problem).toMatch(/^input "[a-z-]+"/);
      }
    }),
    { numRuns: 200 },
  );
});

test('the value of a secret never stands in an error', async () => {
  const value = 'hunter2hunter2';
  const around = fc.string({ unit: fc.constantFrom(...'a="\n\r, \\'.split('')), maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(around, around, async (before, after) => {
      const problems = await problemsOf({ ...BUILD, push: 'maybe', secrets: `${before}${value}${after}` });
      expect(problems.join('\n')).toContain('input "push"');
      expect(problems.join('\n')).not.toContain(value);
    }),
    { numRuns: 200 },
  );
});
