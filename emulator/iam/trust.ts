import { matches, verdictOf } from './policy.ts';
import { arnOfPrincipal, type Principal } from './principals.ts';
import { issuerOf, type Role } from './roles.ts';

/**
 * Whether a principal may assume a role. The role has to trust it; and its own policy has to allow it too, unless the
 * role is of the same account and names the principal itself.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics-cross-account.html
 */
export function mayAssume(
  role: Role,
  caller: Principal,
  { externalId, region }: { externalId: string | undefined; region: string },
): boolean {
  const own = [arnOfPrincipal(caller, region), ...(caller.role === undefined ? [] : [caller.role])];
  const trusted = role.trust
    .flatMap((each) => ('principals' in each ? [each] : []))
    .filter((each) => each.externalId === undefined || each.externalId === externalId)
    .flatMap(({ principals }) => principals);
  const byName = trusted.some((each) => own.includes(each));
  const byAccount = trusted.some((each) => accountOf(each) === caller.account);
  const verdict = verdictOf(caller.policy, { action: 'sts:AssumeRole', resource: role.arn });
  if (verdict === 'silent') return byName && role.account === caller.account;
  return verdict === 'allowed' && (byName || byAccount);
}

function accountOf(principal: string): string | undefined {
  return /^(?:arn:aws[a-z-]*:iam::)?(\d{12})(?::root)?$/.exec(principal)?.[1];
}

/** What an OIDC token says. */
export interface WebIdentity {
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly subject: string;
}

/** Whether the bearer of a token may assume a role. */
export function mayAssumeByToken(role: Role, { issuer, audiences, subject }: WebIdentity): boolean {
  return role.trust.some(
    (each) =>
      'audience' in each &&
      issuerOf(each) === issuer &&
      audiences.includes(each.audience) &&
      matches(each.subject, subject),
  );
}
