import type { Policy } from './policy.ts';

/** GitHub's issuer of OIDC tokens. */
export const GITHUB_ISSUER = 'https://token.actions.githubusercontent.com';

/** Principals who may assume a role with their own credentials. */
export interface PrincipalTrust {
  /** Their ARNs, those of roles whose sessions may, or accounts: `123456789012` or its root's ARN. */
  readonly principals: readonly string[];
  /** What the caller has to give as ExternalId. */
  readonly externalId?: string;
}

/** Bearers of an OIDC token who may assume a role without any credentials. */
export interface WebIdentityTrust {
  /** Who gave the token out, GitHub unless told otherwise. */
  readonly issuer?: string;
  readonly audience: string;
  /** A pattern, such as `repo:octo-org/*`. */
  readonly subject: string;
}

/** A role that the emulator is started with. */
export interface RoleOptions {
  readonly trust: readonly (PrincipalTrust | WebIdentityTrust)[];
  /** Without it, everything is allowed. */
  readonly policy?: Policy;
  /** The longest that one session of it lasts, in seconds; an hour unless told otherwise. */
  readonly maxSessionDuration?: number;
}

export interface Role extends RoleOptions {
  readonly arn: string;
  readonly partition: string;
  readonly account: string;
  /** Without its path. */
  readonly name: string;
  readonly maxSessionDuration: number;
}

/** All roles of an emulator. */
export class Roles {
  readonly #roles: ReadonlyMap<string, Role>;

  /** @throws Error when one of the keys is no role's ARN */
  constructor(roles: Readonly<Record<string, RoleOptions>>) {
    this.#roles = new Map(Object.entries(roles).map(([arn, options]) => [arn, roleOf(arn, options)]));
  }

  find(arn: string): Role | undefined {
    return this.#roles.get(arn);
  }

  /**
   * The audiences that an account's identity provider for an issuer knows, which are those that its roles trust; or
   * nothing when it has no such provider.
   * @param roleArn any role of the account
   */
  audiences(roleArn: string, issuer: string): readonly string[] | undefined {
    const { account, partition } = partsOf(roleArn) ?? {};
    const found = [...this.#roles.values()]
      .filter((role) => role.account === account && role.partition === partition)
      .flatMap(({ trust }) => trust)
      .flatMap((each) => ('audience' in each && issuerOf(each) === issuer ? [each.audience] : []));
    return found.length > 0 ? found : undefined;
  }
}

function roleOf(arn: string, options: RoleOptions): Role {
  const parts = partsOf(arn);
  if (!parts)
    throw new Error(`"${arn}" is not the ARN of a role, such as arn:aws:iam::123456789012:role/push`);
  return { maxSessionDuration: 3_600, ...options, ...parts, arn };
}

/** The parts of a role's ARN, or nothing when the text is none. */
export function partsOf(arn: string): Pick<Role, 'partition' | 'account' | 'name'> | undefined {
  const pattern =
    /^arn:(?<partition>aws[a-z-]*):iam::(?<account>\d{12}):role\/(?:[!-~]+\/)?(?<name>[\w+=,.@-]{1,64})$/;
  const { partition, account, name } = pattern.exec(arn)?.groups ?? {};
  return partition && account && name ? { partition, account, name } : undefined;
}

/** Who gives out the tokens that a role trusts. */
export function issuerOf({ issuer = GITHUB_ISSUER }: WebIdentityTrust): string {
  return issuer;
}
