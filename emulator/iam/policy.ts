/** What a request needs: an action, and the resource that it is on. */
export interface Permission {
  /** Such as `ecr:PutImage`. */
  readonly action: string;
  /** An ARN, or `*` where the action is on no resource. */
  readonly resource: string;
}

/** One statement of a policy; `*` stands for any text and `?` for any character. */
export interface Statement {
  readonly effect: 'Allow' | 'Deny';
  readonly actions: readonly string[];
  readonly resources: readonly string[];
}

/** What a principal may do. */
export type Policy = readonly Statement[];

/** What a policy says of a permission: `denied` in so many words, or `silent`, which is a no as well. */
export type Verdict = 'allowed' | 'denied' | 'silent';

/**
 * Evaluates a policy; where there is none, everything is allowed.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
export function verdictOf(policy: Policy | undefined, { action, resource }: Permission): Verdict {
  if (policy === undefined) return 'allowed';
  const effects = policy
    .filter(({ actions, resources }) => {
      const named = actions.some((pattern) => matches(pattern.toLowerCase(), action.toLowerCase()));
      return named && resources.some((pattern) => matches(pattern, resource));
    })
    .map(({ effect }) => effect);
  if (effects.includes('Deny')) return 'denied';
  return effects.includes('Allow') ? 'allowed' : 'silent';
}

/** Whether a text is one that a pattern of IAM's stands for, upper and lower case being different. */
export function matches(pattern: string, text: string): boolean {
  const source = pattern
    .replace(/[\\^$.+()[\]{}|]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(text);
}
