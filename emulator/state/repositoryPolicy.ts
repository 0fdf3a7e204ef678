import * as z from 'zod/mini';
import { invalidParameter } from '../errors.ts';
import { jsonIn } from './json.ts';

const statementSchema = z
  .looseObject({ Effect: z.enum(['Allow', 'Deny']) })
  .check(z.refine((each) => 'Principal' in each || 'NotPrincipal' in each))
  .check(z.refine((each) => 'Action' in each || 'NotAction' in each));

const policySchema = z.looseObject({
  Statement: z.union([statementSchema, z.array(statementSchema).check(z.minLength(1))]),
});

/**
 * Holds a repository policy against what a resource policy of IAM's must have. What it says is not read any further.
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policies.html
 * @throws EcrError (InvalidParameterException)
 */
export function assertRepositoryPolicy(text: string): void {
  if (z.safeParse(policySchema, jsonIn(text)).success) return;
  throw invalidParameter('PolicyText', 'Invalid repository policy provided');
}
