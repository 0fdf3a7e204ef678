import * as z from 'zod/mini';
import { Problems } from '../problems.ts';
import { anyCase, DocumentReader } from './documentReader.ts';
import { type Encryption, readEncryption } from './encryption.ts';
import { readPolicy, withPolicies } from './policyDocuments.ts';
import { readDocument } from './settingsDocument.ts';

const MUTABILITIES = ['MUTABLE', 'IMMUTABLE', 'MUTABLE_WITH_EXCLUSION', 'IMMUTABLE_WITH_EXCLUSION'] as const;
export type TagMutability = (typeof MUTABILITIES)[number];

/** What a repository that is created shall be; what is not stated is left to ECR. */
export interface RepositorySettings {
  readonly tagMutability?: TagMutability | undefined;
  /** Filters of tags that the rule does not hold for; `*` stands for any text. */
  readonly tagMutabilityExclusions?: readonly string[] | undefined;
  readonly scanOnPush?: boolean | undefined;
  readonly encryption?: Encryption | undefined;
  /** As JSON. */
  readonly lifecyclePolicy?: string | undefined;
  /** As JSON. */
  readonly repositoryPolicy?: string | undefined;
  /** The tags of the repository itself, as a resource of AWS's. */
  readonly tags?: ReadonlyMap<string, string> | undefined;
}

const FIELDS = [
  ...['tag-mutability', 'tag-mutability-exclusions', 'scan-on-push', 'encryption', 'lifecycle-policy'],
  ...['repository-policy', 'tags'],
];

/**
 * Reads the input `repository-settings`.
 * @param text YAML or JSON, or, on one line, the path of a file that holds it (.yml, .yaml, .json)
 * @param readFile gives the text of a file
 * @throws Problems with every mistake, each with its field, what is written there, and what to write instead
 */
export async function parseRepositorySettings(
  text: string,
  readFile: (path: string) => Promise<string>,
): Promise<RepositorySettings> {
  const { title, document } = await readDocument(text, readFile);
  const reader = new DocumentReader(title, withPolicies(document));
  reader.assertKnown([], FIELDS);
  const settings = {
    ...readMutability(reader),
    scanOnPush: reader.read(['scan-on-push'], z.optional(z.boolean('write true or false'))),
    encryption: readEncryption(reader),
    lifecyclePolicy: readPolicy(reader, 'lifecycle-policy', document['lifecycle-policy']),
    repositoryPolicy: readPolicy(reader, 'repository-policy', document['repository-policy']),
    tags: readTags(reader),
  };
  if (reader.problems.length > 0) throw new Problems(reader.problems);
  return settings;
}

const FILTER_ADVICE =
  'write a tag, with at most two "*" for any text, of up to 128 letters, digits and "._-*"';
const filterSchema = z.string(FILTER_ADVICE).check(z.regex(/^(?!(?:.*\*){3})[\w.*-]{1,128}$/, FILTER_ADVICE));

/** https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html */
function readMutability(
  reader: DocumentReader,
): Pick<RepositorySettings, 'tagMutability' | 'tagMutabilityExclusions'> {
  const before = reader.problems.length;
  const tagMutability = reader.read(['tag-mutability'], z.optional(anyCase(MUTABILITIES)));
  const path = ['tag-mutability-exclusions'];
  const tagMutabilityExclusions = reader.readList(path, {
    value: filterSchema,
    most: 5,
    advice: 'write a list of tags, such as [latest, "dev-*"]',
  });
  const hasExclusions = tagMutability?.endsWith('_WITH_EXCLUSION') ?? false;
  if (reader.problems.length > before) return {};
  if (hasExclusions && !tagMutabilityExclusions) {
    reader.refuse(
      path,
      `name the tags that are excluded, such as [latest], or write "tag-mutability: ${tagMutability?.replace('_WITH_EXCLUSION', '')}"`,
    );
  }
  if (!hasExclusions && tagMutabilityExclusions) {
    reader.refuse(
      path,
      'write "tag-mutability: IMMUTABLE_WITH_EXCLUSION" (or MUTABLE_WITH_EXCLUSION) with them, or leave them out',
    );
  }
  return { tagMutability, tagMutabilityExclusions };
}

/** https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-using-tags.html */
function readTags(reader: DocumentReader): ReadonlyMap<string, string> | undefined {
  const advice =
    'write a text of up to 256 letters, digits, spaces and "_.:/=+-@", in quotes if it looks like anything else';
  return reader.readMap(['tags'], {
    key: /^(?!aws:)[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/iu,
    keyAdvice: 'name it by 1 to 128 letters, digits, spaces and "_.:/=+-@", not beginning with "aws:"',
    value: z.string(advice).check(z.regex(/^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u, advice)),
    most: 50,
    advice: 'write a mapping, such as { team: web }',
  });
}
