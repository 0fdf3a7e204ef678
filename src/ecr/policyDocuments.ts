import * as z from 'zod/mini';
import { safeJson } from '../distribution/errors.ts';
import type { DocumentReader } from './documentReader.ts';
import { checkLifecyclePolicy } from './lifecyclePolicy.ts';

const FIELDS = ['lifecycle-policy', 'repository-policy'] as const;
type Field = (typeof FIELDS)[number];

/** How many characters ECR takes, from and to. */
const LENGTHS: Readonly<Record<Field, readonly [least: number, most: number]>> = {
  'lifecycle-policy': [100, 30_720],
  'repository-policy': [0, 10_240],
};

/** The settings' document with its policies as mappings, where they were written as JSON text. */
export function withPolicies(document: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const policies = FIELDS.flatMap((field): [string, unknown][] => {
    const text = document[field];
    return typeof text === 'string' ? [[field, safeJson(text) ?? text]] : [];
  });
  return { ...document, ...Object.fromEntries(policies) };
}

/**
 * Reads a policy, and notes what ECR would refuse in it.
 * https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutLifecyclePolicy.html and API_SetRepositoryPolicy.html
 * @param reader of the document as {@link withPolicies} gives it
 * @param written what was written in the field: a mapping, or JSON text
 * @returns the JSON to put, as it was written if it was
 */
export function readPolicy(reader: DocumentReader, field: Field, written: unknown): string | undefined {
  if (written === undefined) return undefined;
  const path = [field];
  const before = reader.problems.length;
  if (field === 'lifecycle-policy') checkLifecyclePolicy(reader, path);
  else checkRepositoryPolicy(reader, path);
  const text = typeof written === 'string' ? written.trim() : JSON.stringify(written);
  const [least, most] = LENGTHS[field];
  const isSound = reader.problems.length === before;
  if (isSound && (text.length < least || text.length > most)) {
    reader.refuse(path, `its JSON has ${text.length} characters, but ECR takes ${least} to ${most}`);
  }
  return text;
}

const STATEMENTS = 'write a list of statements, each a mapping with Effect, Principal and Action';

function checkRepositoryPolicy(reader: DocumentReader, path: readonly PropertyKey[]): void {
  const policy = reader.read(
    path,
    z.looseObject(
      { Statement: z.optional(z.unknown()) },
      'write a mapping with Version and Statement, or the same as JSON text',
    ),
  );
  if (!policy) return;
  for (const at of accountsAsNumbers(policy)) {
    reader.refuse(
      [...path, ...at],
      'put account ids in quotes: YAML reads them as numbers, without their leading zeros',
    );
  }
  const { Statement: statements } = policy;
  const at = [...path, 'Statement'];
  const statement = z.looseObject({ Effect: z.enum(['Allow', 'Deny'], 'write Allow or Deny') }, STATEMENTS);
  if (!Array.isArray(statements)) reader.read(at, statement);
  else if (statements.length === 0) reader.refuse(at, STATEMENTS);
  else for (const position of statements.keys()) reader.read([...at, position], statement);
}

/** Where in a policy a number stands that is as long as an account's id, which policies have as text. */
function accountsAsNumbers(value: unknown, path: readonly PropertyKey[] = []): (readonly PropertyKey[])[] {
  if (typeof value === 'number') return value >= 1e8 ? [path] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) =>
    accountsAsNumbers(each, [...path, Array.isArray(value) ? Number(key) : key]),
  );
}
