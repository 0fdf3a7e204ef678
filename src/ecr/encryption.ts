import { closest, distance } from 'fastest-levenshtein';
import * as z from 'zod/mini';
import { anyCase, type DocumentReader } from './documentReader.ts';
import { regionProblem } from './partitions.ts';

/** Where a repository is created; without an account, in that of the credentials. */
export interface CreationPlace {
  readonly account?: string | undefined;
  readonly region: string;
}

/** How a repository keeps its images. */
export interface Encryption {
  readonly type: 'AES256' | 'KMS' | 'KMS_DSSE';
  /** One key for every place, or keys by `region` or `account/region`; without it, KMS takes the account's own for ECR. */
  readonly kmsKey: string | ReadonlyMap<string, string> | undefined;
}

const TYPES = ['AES256', 'KMS', 'KMS_DSSE'] as const;
const KEY_ADVICE = 'write a key\'s id or ARN, or "alias/NAME"';

const KEY_ARN = /^arn:aws[a-z-]*:kms:([a-z0-9-]+):\d{12}:(?:key|alias)\/[\w/:-]+$/;
const KEY = /^(?:alias\/[\w/:-]{1,250}|mrk-[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i;
const PLACE = /^(?:\d{12}\/)?[a-z]{2,}(?:-[a-z]+)+-\d+$/;

const keySchema = z
  .string(KEY_ADVICE)
  .check(z.refine((key) => KEY.test(key) || KEY_ARN.test(key), KEY_ADVICE));
const KEYS = {
  key: PLACE,
  keyAdvice: 'name the place of each key as "region" or "account/region"',
  value: keySchema,
  most: Number.POSITIVE_INFINITY,
  advice: KEY_ADVICE,
};

/** Reads the encryption from the settings' document, and notes what is wrong with it. */
export function readEncryption(reader: DocumentReader): Encryption | undefined {
  const path = ['encryption'];
  const field = reader.read(
    path,
    z.optional(
      z.looseObject(
        { 'kms-key': z.optional(z.unknown()) },
        'write a mapping, such as { type: KMS, kms-key: alias/ecr }',
      ),
    ),
  );
  if (!field) return undefined;
  reader.assertKnown(path, ['type', 'kms-key']);
  const type = reader.read([...path, 'type'], anyCase(TYPES));
  const key = field['kms-key'];
  const at = [...path, 'kms-key'];
  const isMap = typeof key === 'object' && key !== null;
  const kmsKey = isMap ? reader.readMap(at, KEYS) : reader.read(at, z.optional(keySchema));
  if (type === 'AES256' && key !== undefined) {
    reader.refuse(at, 'leave it out, or write "type: KMS": AES256 has no key of yours');
  }
  return type && { type, kmsKey };
}

/**
 * The KMS key of a place, as the settings have it: that of its account and region before that of its region.
 * @returns one, or none; more when the account is not known and its region has keys of several accounts
 */
export function kmsKeysAt({ kmsKey }: Encryption, { account, region }: CreationPlace): string[] {
  if (kmsKey === undefined) return [];
  if (typeof kmsKey === 'string') return [kmsKey];
  const ofRegion = kmsKey.get(region) ?? [];
  if (account !== undefined) return [kmsKey.get(`${account}/${region}`) ?? ofRegion].flat();
  const ofAccounts = [...kmsKey].filter(([place]) => place.endsWith(`/${region}`)).map(([, key]) => key);
  return [ofRegion, ofAccounts].flat();
}

/** Whether a key is named by an alias, by itself or by its ARN. */
export function isKmsAlias(key: string): boolean {
  return /^(?:arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:)?alias\//.test(key);
}

/**
 * What keeps the settings' KMS keys from being used in places where a repository is going to be created: a place without
 * a key, or with a key of another region, which ECR refuses.
 * https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_EncryptionConfiguration.html
 */
export function kmsProblems(
  { encryption }: { readonly encryption?: Encryption | undefined },
  places: readonly CreationPlace[],
): string[] {
  if (encryption?.kmsKey === undefined) return [];
  const problems = places.flatMap((place) => {
    const problem = keyProblem(encryption, place);
    return problem ? [`input "repository-settings": encryption.kms-key ${problem}`] : [];
  });
  return [...new Set(problems)];
}

function keyProblem(encryption: Encryption, place: CreationPlace): string | undefined {
  const { region } = place;
  const [key, ...more] = kmsKeysAt(encryption, place);
  if (more.length > 0) return `has several keys for ${region}: set "account-id" to say which is meant`;
  if (key === undefined) {
    const where = place.account ? `${place.account}/${region}` : region;
    return `has no key for ${where}: add "${region}: KEY"${misspelt(encryption, region)}`;
  }
  const theirs = KEY_ARN.exec(key)?.[1];
  if (theirs === undefined || theirs === region) return undefined;
  return `has ${key} for ${region}, but ECR takes keys of the repository's own region alone: write a key for each region, as in { ${theirs}: KEY, ${region}: KEY }, or an alias that each of them has`;
}

/** Which of the keys' places may have been meant for a region: one that is no region itself. */
function misspelt({ kmsKey }: Encryption, region: string): string {
  const places = typeof kmsKey === 'object' ? [...kmsKey.keys()] : [];
  const odd = places.filter((each) => regionProblem(each.replace(/^\d+\//, '')) !== undefined);
  const near = odd.length > 0 ? closest(region, odd) : '';
  return distance(region, near) <= 2 ? ` (is "${near}" misspelt?)` : '';
}
