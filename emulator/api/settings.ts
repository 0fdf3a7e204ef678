import * as z from 'zod/mini';
import { EcrError, invalidParameter } from '../errors.ts';
import type { RepositorySettings } from '../state/settings.ts';

/*
 * The settings that CreateRepository and creation templates have in common, as requests name them.
 */

export const mutability = {
  imageTagMutability: z.enum(['MUTABLE', 'IMMUTABLE', 'MUTABLE_WITH_EXCLUSION', 'IMMUTABLE_WITH_EXCLUSION']),
  imageTagMutabilityExclusionFilters: z.optional(
    z
      .array(
        z.object({
          filterType: z.literal('WILDCARD'),
          filter: z
            .string()
            .check(z.regex(/^(?!.*\*.*\*.*\*)[\w.*-]{1,128}$/, 'must have at most two wildcards')),
        }),
      )
      .check(z.minLength(1), z.maxLength(5, 'must have length less than or equal to 5')),
  ),
};

/**
 * Holds exclusion filters against the rule that they are for.
 * @throws EcrError (InvalidParameterException)
 */
export function assertFilters(
  rule: RepositorySettings['imageTagMutability'],
  filters: RepositorySettings['imageTagMutabilityExclusionFilters'],
): void {
  if (rule.endsWith('_WITH_EXCLUSION') === filters.length > 0) return;
  throw invalidParameter(
    'imageTagMutabilityExclusionFilters',
    'must be given with MUTABLE_WITH_EXCLUSION or IMMUTABLE_WITH_EXCLUSION, and only with them',
  );
}

export const encryptionSchema = z.object({
  encryptionType: z.enum(['AES256', 'KMS', 'KMS_DSSE']),
  kmsKey: z.optional(
    z.string().check(z.minLength(1), z.maxLength(2_048, 'must have length less than or equal to 2048')),
  ),
});

/** The ARN of a key, or of another name for one; a key's bare id or alias is of the region where it is used. */
const KMS_ARN = /^arn:[^:]+:kms:(?<region>[^:]+):\d{12}:(?:key|alias)\/.+$/;

/**
 * How a repository in a region is encrypted.
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/encryption-at-rest.html
 * @throws EcrError (InvalidParameterException, KmsException)
 */
export function encryptionIn(
  region: string,
  { encryptionType, kmsKey }: z.infer<typeof encryptionSchema> = { encryptionType: 'AES256' },
): RepositorySettings['encryptionConfiguration'] {
  if (kmsKey === undefined) return { encryptionType };
  if (encryptionType === 'AES256') {
    throw invalidParameter('encryptionConfiguration.kmsKey', 'must be given with KMS or KMS_DSSE only');
  }
  if (kmsKey.startsWith('arn:') && KMS_ARN.exec(kmsKey)?.groups?.region !== region) {
    const message = `The key ${kmsKey} is not in the region ${region}`;
    throw new EcrError('KmsException', message, { kmsError: 'NotFoundException' });
  }
  return { encryptionType, kmsKey };
}

export const resourceTagsSchema = z.array(
  z.object({ Key: z.string('must not be null'), Value: z.string('must not be null') }),
);

/** The most tags that a repository has. */
const MAXIMUM_TAGS = 50;
/** What may stand in the key and in the value of a tag. */
const TAG_TEXT = /^[\p{L}\p{Z}\p{N}_.:/=+@-]*$/u;

/**
 * The tags of a repository after some are given to it.
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-using-tags.html
 * @throws EcrError (InvalidTagParameterException, TooManyTagsException)
 */
export function tagged(
  given: z.infer<typeof resourceTagsSchema>,
  already: RepositorySettings['tags'] = new Map(),
): RepositorySettings['tags'] {
  const added = new Map<string, string>();
  for (const { Key, Value } of given) {
    const problem = added.has(Key) ? 'is there twice' : problemOf(Key, Value);
    if (problem)
      throw new EcrError('InvalidTagParameterException', `The tag with the key '${Key}' ${problem}`);
    added.set(Key, Value);
  }
  const all = new Map([...already, ...added]);
  if (all.size > MAXIMUM_TAGS) {
    throw new EcrError('TooManyTagsException', `A repository can have at most ${MAXIMUM_TAGS} tags`);
  }
  return all;
}

function problemOf(key: string, value: string): string | undefined {
  if (key.length < 1 || key.length > 128) return 'must have a key of 1 to 128 characters';
  if (value.length > 256) return 'must have a value of at most 256 characters';
  if (/^aws:/i.test(key)) return 'must not begin with aws:, which is reserved';
  return TAG_TEXT.test(key + value) ? undefined : 'has characters that are not allowed';
}

/** Tags as requests and answers list them. */
export function tagList(tags: RepositorySettings['tags']): { Key: string; Value: string }[] {
  return [...tags].map(([Key, Value]) => ({ Key, Value }));
}
