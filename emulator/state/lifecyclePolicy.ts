import * as z from 'zod/mini';
import { type EcrError, invalidParameter } from '../errors.ts';
import { jsonIn } from './json.ts';

const common = {
  tagStatus: z.enum(['tagged', 'untagged', 'any']),
  tagPrefixList: z.optional(z.array(z.string()).check(z.minLength(1))),
  tagPatternList: z.optional(z.array(z.string()).check(z.minLength(1))),
  storageClass: z.optional(z.enum(['standard', 'archive'])),
  countNumber: z.int().check(z.gte(1)),
};

const ruleSchema = z.strictObject({
  rulePriority: z.int().check(z.gte(1)),
  description: z.optional(z.string()),
  selection: z.union([
    z.strictObject({ ...common, countType: z.literal('imageCountMoreThan') }),
    z.strictObject({
      ...common,
      countType: z.enum(['sinceImagePushed', 'sinceImagePulled', 'sinceImageTransitioned']),
      countUnit: z.literal('days'),
    }),
  ]),
  action: z.union([
    z.strictObject({ type: z.literal('expire') }),
    z.strictObject({ type: z.literal('transition'), targetStorageClass: z.literal('archive') }),
  ]),
});
const policySchema = z.strictObject({ rules: z.array(ruleSchema).check(z.minLength(1)) });

type Rule = z.infer<typeof ruleSchema>;
type Issue = z.core.$ZodIssue;

/**
 * Holds a lifecycle policy against ECR's schema and its rules for them.
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html
 * @throws EcrError (InvalidParameterException)
 */
export function assertLifecyclePolicy(text: string): void {
  const json = jsonIn(text);
  if (typeof json !== 'object' || json === null) {
    throw failure('Could not map policyString into LifecyclePolicy.');
  }
  const parsed = z.safeParse(policySchema, json);
  const [issue] = parsed.error?.issues ?? [];
  if (issue) throw failure(wordsOf(issue, json));
  const problem = problemOf(parsed.data?.rules ?? []);
  if (problem !== undefined) throw failure(problem);
}

function failure(problem: string): EcrError {
  return invalidParameter('LifecyclePolicyText', `Lifecycle policy validation failure: ${problem}`);
}

/** What does not fit the schema, in the words of the validator that ECR has. */
function wordsOf(issue: Issue, json: unknown): string {
  const { path } = issue;
  // A selection or an action, of which there are several kinds, fits one of them as a whole or none.
  const [part] = path.slice(2);
  const ofKinds = part === 'selection' || part === 'action';
  if (issue.code === 'unrecognized_keys' && !ofKinds) {
    const keys = JSON.stringify(issue.keys);
    return `object instance has properties which are not allowed by the schema: (${keys})`;
  }
  const whole = ofKinds ? path.slice(0, 3) : path;
  if (valueAt(whole, json) === undefined) {
    return `object has missing required properties (${JSON.stringify(whole.slice(-1))})`;
  }
  if (ofKinds) return 'instance failed to match exactly one schema (matched 0 out of 2)';
  return `instance at /${path.join('/')} does not match the schema`;
}

function valueAt(path: readonly PropertyKey[], json: unknown): unknown {
  return path.reduce<unknown>((value, key) => Object(value)[key], json);
}

/** What is wrong with rules that fit the schema. */
function problemOf(rules: readonly Rule[]): string | undefined {
  const priorities = rules.map(({ rulePriority }) => rulePriority);
  if (new Set(priorities).size < priorities.length) return 'Rule priorities must be unique';
  const storageClasses = Map.groupBy(rules, ({ selection }) => selection.storageClass ?? 'standard');
  for (const group of storageClasses.values()) {
    const of = (status: Rule['selection']['tagStatus']) =>
      group.filter(({ selection }) => selection.tagStatus === status);
    if (of('untagged').length > 1) return 'Only one rule can select Untagged images per storage class';
    const lowest = Math.max(...group.map(({ rulePriority }) => rulePriority));
    if (of('any').some(({ rulePriority }) => rulePriority < lowest)) {
      return 'Rule for tagStatus=ANY must have the lowest priority per storage class';
    }
  }
  return rules.map(listProblem).find((problem) => problem !== undefined);
}

function listProblem({ selection }: Rule): string | undefined {
  const { tagStatus, tagPrefixList, tagPatternList } = selection;
  const hasList = tagPrefixList !== undefined || tagPatternList !== undefined;
  if (hasList === (tagStatus === 'tagged')) return undefined;
  return hasList
    ? 'tagPrefixList and tagPatternList can be specified only when tagStatus=TAGGED.'
    : 'Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED.';
}
