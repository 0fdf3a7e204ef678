import type { Repository } from '@aws-sdk/client-ecr';
import { safeJson } from '../distribution/errors.ts';
import { type CreationPlace, type Encryption, isKmsAlias, kmsKeysAt } from './encryption.ts';
import { formatValue } from './fieldPath.ts';
import type { RepositorySettings } from './repositorySettings.ts';

/** What was asked of ECR, unless the role may not ask, or nobody wanted to know; without a value there is nothing. */
export type Answer<T> = { readonly value: T | undefined } | 'unknown';

/** What a repository is, as far as it can be told. */
export interface FoundSettings {
  /** As DescribeRepositories has it. */
  readonly description: Repository;
  /** As JSON. */
  readonly lifecyclePolicy: Answer<string>;
  /** As JSON. */
  readonly repositoryPolicy: Answer<string>;
  readonly tags: Answer<ReadonlyMap<string, string>>;
}

/**
 * How a repository differs from what the settings state, one sentence each. What they do not state, or what could not be
 * read, is not compared; nor are tags that are there besides those that are wanted.
 */
export function settingsDifferences(
  wanted: RepositorySettings,
  found: FoundSettings,
  place: CreationPlace,
): string[] {
  const { description } = found;
  const { tagMutability, tagMutabilityExclusions, scanOnPush, encryption } = wanted;
  return [
    ...differ('tag mutability', description.imageTagMutability ?? 'MUTABLE', tagMutability),
    ...differ(
      'the tags that are excluded from it',
      listed(description.imageTagMutabilityExclusionFilters?.map(({ filter = '' }) => filter) ?? []),
      tagMutabilityExclusions && listed(tagMutabilityExclusions),
      'are',
    ),
    ...differ(
      'scan on push',
      onOff(description.imageScanningConfiguration?.scanOnPush ?? false),
      scanOnPush === undefined ? undefined : onOff(scanOnPush),
    ),
    ...(encryption ? encryptionDifferences(encryption, description, place) : []),
    ...policyDifferences('lifecycle policy', wanted.lifecyclePolicy, found.lifecyclePolicy),
    ...policyDifferences('repository policy', wanted.repositoryPolicy, found.repositoryPolicy),
    ...tagDifferences(wanted.tags, found.tags),
  ];
}

function differ(what: string, is: string, wanted: string | undefined, verb = 'is'): string[] {
  return wanted === undefined || is === wanted ? [] : [`${what} ${verb} ${is}, not ${wanted}`];
}

function listed(filters: readonly string[]): string {
  return filters.length > 0 ? filters.toSorted().join(', ') : 'none';
}

function onOff(value: boolean): string {
  return value ? 'on' : 'off';
}

function encryptionDifferences(
  encryption: Encryption,
  { encryptionConfiguration: found }: Repository,
  place: CreationPlace,
): string[] {
  const type = differ('encryption', found?.encryptionType ?? 'AES256', encryption.type);
  const [wanted] = kmsKeysAt(encryption, place);
  // ECR tells the key's ARN, which says nothing of the aliases that the key has.
  if (type.length > 0 || wanted === undefined || isKmsAlias(wanted)) return type;
  const key = found?.kmsKey ?? 'none';
  return key === wanted || key.endsWith(`/${wanted}`) ? [] : [`the KMS key is ${key}, not ${wanted}`];
}

function policyDifferences(what: string, wanted: string | undefined, found: Answer<string>): string[] {
  if (wanted === undefined || found === 'unknown') return [];
  if (found.value === undefined) return [`there is no ${what}`];
  return canonical(wanted) === canonical(found.value) ? [] : [`the ${what} is another one`];
}

/** What IAM takes a policy for that does not say its version. */
const DEFAULT_VERSION = '2008-10-17';

/** A policy in a form that is the same for all policies that mean the same. */
function canonical(policy: string): string {
  const parsed = safeJson(policy) ?? policy;
  const isStatements = isObject(parsed) && 'Statement' in parsed;
  return JSON.stringify(inOrder(isStatements ? { Version: DEFAULT_VERSION, ...parsed } : parsed));
}

/** Keys in order, lists of one as what is in them, and accounts by their number, which ECR gives back as their root. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) {
    const list = value.map(inOrder);
    return list.length === 1 ? list[0] : list;
  }
  if (typeof value === 'string') return value.replace(/^arn:aws[a-z-]*:iam::(\d{12}):root$/, '$1');
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(([key, each]): [string, unknown] => [key, inOrder(each)]);
  return Object.fromEntries(entries.toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function tagDifferences(
  wanted: RepositorySettings['tags'],
  found: Answer<ReadonlyMap<string, string>>,
): string[] {
  if (!wanted || found === 'unknown') return [];
  return [...wanted].flatMap(([key, value]) => {
    const is = found.value?.get(key);
    if (is === undefined) return [`the resource tag ${formatValue(key)} is missing`];
    return is === value
      ? []
      : [`the resource tag ${formatValue(key)} is ${formatValue(is)}, not ${formatValue(value)}`];
  });
}
