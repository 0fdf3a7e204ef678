import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import * as z from 'zod/mini';

const actionSchema = z.object({
  inputs: z.record(z.string(), z.looseObject({ default: z.optional(z.string()) })),
});

/** What a step gives, with the defaults of action.yml; expressions are those of a job without a matrix. */
export async function withDefaults(
  given: Readonly<Record<string, string>>,
): Promise<ReadonlyMap<string, string>> {
  const { inputs } = z.parse(actionSchema, parse(await readFile('action.yml', 'utf8')));
  const defaults = Object.entries(inputs).map(
    ([name, input]) => [name, (input.default ?? '').replace(/\$\{\{.*?\}\}/g, '')] as const,
  );
  return new Map([...defaults, ...Object.entries(given)]);
}
