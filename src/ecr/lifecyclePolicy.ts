import * as z from 'zod/mini';
import type { DocumentReader } from './documentReader.ts';

const COUNT_TYPES = ['imageCountMoreThan', 'sinceImagePushed', 'sinceImagePulled', 'sinceImageTransitioned'];

/** The most wildcards that a tag pattern may have. */
const MAX_WILDCARDS = 4;

const whole = z.int('write a whole number of 1 or more').check(z.gte(1, 'write a whole number of 1 or more'));
const tags = z
  .array(z.string('write a text'), 'write a list of texts')
  .check(z.minLength(1, 'name at least one'));

// Further fields pass: storage classes are younger than lifecycle policies are, and there may be more to come.
const selectionSchema = z.looseObject(
  {
    tagStatus: z.enum(['tagged', 'untagged', 'any'], 'write one of tagged, untagged, any'),
    tagPrefixList: z.optional(tags),
    tagPatternList: z.optional(tags),
    storageClass: z.optional(z.string('write standard or archive')),
    countType: z.enum(COUNT_TYPES, `write one of ${COUNT_TYPES.join(', ')}`),
    countUnit: z.optional(z.literal('days', 'write days')),
    countNumber: whole,
  },
  'write a mapping with tagStatus, countType and countNumber',
);
const actionSchema = z.looseObject(
  { type: z.enum(['expire', 'transition'], 'write expire') },
  'write { type: expire }',
);
const ruleSchema = z.looseObject({}, 'write a mapping with rulePriority, selection and action');

/** What could be read of a rule, and where it is in its policy. */
interface Rule {
  readonly at: readonly PropertyKey[];
  readonly priority: number | undefined;
  readonly selection: z.infer<typeof selectionSchema> | undefined;
}

/**
 * Looks for what ECR would refuse in a lifecycle policy.
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html
 * @param path where the policy is in the reader's document
 */
export function checkLifecyclePolicy(reader: DocumentReader, path: readonly PropertyKey[]): void {
  const advice = 'write a mapping with a list of "rules", or the same as JSON text';
  const rulesSchema = z.array(z.unknown(), 'write a list of rules');
  const policy = reader.read(path, z.looseObject({ rules: rulesSchema }, advice));
  if (!policy) return;
  if (policy.rules.length === 0) reader.refuse([...path, 'rules'], 'write at least one rule');
  const rules = policy.rules.map((_, position) => readRule(reader, [...path, 'rules', position]));
  for (const rule of rules) checkSelection(reader, rule);
  checkOrder(reader, rules);
}

function readRule(reader: DocumentReader, at: readonly PropertyKey[]): Rule {
  if (!reader.read(at, ruleSchema)) return { at, priority: undefined, selection: undefined };
  const priority = reader.read([...at, 'rulePriority'], whole);
  reader.read([...at, 'description'], z.optional(z.string('write a text')));
  const selection = reader.read([...at, 'selection'], selectionSchema);
  reader.read([...at, 'action'], actionSchema);
  return { at, priority, selection };
}

function checkSelection(reader: DocumentReader, { selection, at }: Rule): void {
  if (!selection) return;
  const { tagStatus, tagPrefixList, tagPatternList, countType, countUnit } = selection;
  const refuse = (field: string, advice: string) => reader.refuse([...at, 'selection', field], advice);
  if (tagStatus === 'tagged' && !tagPrefixList && !tagPatternList) {
    refuse('tagPatternList', 'say which tags are meant, as in ["release-*"], or by a tagPrefixList');
  }
  if (tagStatus === 'tagged' && tagPrefixList && tagPatternList) {
    refuse('tagPrefixList', 'leave it out, or tagPatternList: ECR takes one of the two');
  }
  for (const list of ['tagPrefixList', 'tagPatternList']) {
    if (tagStatus === 'untagged' && selection[list] !== undefined) {
      refuse(list, 'leave it out: images without tags are meant');
    }
  }
  if (tagPatternList?.some((pattern) => pattern.split('*').length - 1 > MAX_WILDCARDS)) {
    refuse('tagPatternList', `write no more than ${MAX_WILDCARDS} wildcards in each`);
  }
  if (countType === 'imageCountMoreThan') {
    if (countUnit) refuse('countUnit', 'leave it out: imageCountMoreThan counts images');
  } else if (!countUnit) refuse('countUnit', 'write days');
}

function checkOrder(reader: DocumentReader, rules: readonly Rule[]): void {
  for (const [position, { priority, selection, at }] of rules.entries()) {
    if (priority === undefined) continue;
    const refuse = (advice: string) => reader.refuse([...at, 'rulePriority'], advice);
    if (rules.findIndex((other) => other.priority === priority) < position) {
      refuse('give each rule another number');
    }
    const isLater = (other: Rule) =>
      other.selection?.tagStatus !== 'any' &&
      classOf(other) === classOf({ selection }) &&
      (other.priority ?? 0) > priority;
    if (selection?.tagStatus === 'any' && rules.some(isLater)) {
      refuse('give the rule for any tag status the highest number, so that it is the last one');
    }
  }
}

/** The storage class that a rule selects from; each has a last rule of its own. */
function classOf({ selection }: Pick<Rule, 'selection'>): string {
  return selection?.storageClass ?? 'standard';
}
