import { invalidParameter } from '../errors.ts';

/** The settings that there are, each with the values that it takes, of which the first is ECR's own. */
const VALUES: ReadonlyMap<string, readonly [first: string, ...others: string[]]> = new Map([
  ['BASIC_SCAN_TYPE_VERSION', ['AWS_NATIVE']],
  ['REGISTRY_POLICY_SCOPE', ['V2']],
  ['BLOB_MOUNTING', ['DISABLED', 'ENABLED']],
]);

/**
 * What an account has set for its registry in a region.
 * https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutAccountSetting.html
 */
export class AccountSettings {
  readonly #set = new Map<string, string>();

  /** @throws EcrError (InvalidParameterException) when there is no setting of this name */
  get(name: string): string {
    return this.#set.get(name) ?? valuesOf(name)[0];
  }

  /** @throws EcrError (InvalidParameterException) when there is no such setting, or it has no such value */
  set(name: string, value: string): void {
    const values = valuesOf(name);
    if (!values.includes(value)) throw invalidParameter('value', `must be one of ${values.join(', ')}`);
    this.#set.set(name, value);
  }
}

function valuesOf(name: string): readonly [string, ...string[]] {
  const values = VALUES.get(name);
  if (values) return values;
  throw invalidParameter('name', `must be one of ${[...VALUES.keys()].join(', ')}`);
}
