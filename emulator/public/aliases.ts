import { createHash } from 'node:crypto';

/** The one region in which ECR Public has its API and its registries. */
export const PUBLIC_REGION = 'us-east-1';

/** Whether there is an ECR Public, and what aliases its registries have that are not to be made up, by account. */
export type PublicOptions = true | { readonly aliases: Readonly<Record<string, string>> };

/**
 * The aliases by which the accounts' public registries are addressed, one each.
 * https://docs.aws.amazon.com/AmazonECR/latest/public/public-registry-concepts.html
 */
export class Aliases {
  readonly #accounts: ReadonlyMap<string, string>;

  constructor(accounts: readonly string[], options: PublicOptions) {
    const given = new Map(options === true ? [] : Object.entries(options.aliases));
    this.#accounts = new Map(accounts.map((account) => [given.get(account) ?? madeUp(account), account]));
  }

  /** @throws Error when there is no such account */
  of(account: string): string {
    for (const [alias, owner] of this.#accounts) if (owner === account) return alias;
    throw new Error(`the emulator has no account ${account}`);
  }

  /** The account whose alias this is, if it is one's. */
  accountOf(alias: string): string | undefined {
    return this.#accounts.get(alias);
  }
}

/** An alias as AWS gives them out: a letter, and seven letters and digits. */
function madeUp(account: string): string {
  return `p${createHash('sha256').update(account).digest('hex').slice(0, 7)}`;
}
