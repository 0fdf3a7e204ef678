import type { IncomingMessage } from 'node:http';
import type { Behaviour } from './behaviour.ts';
import { EcrError } from './errors.ts';
import { type Permission, verdictOf } from './iam/policy.ts';
import { arnOfPrincipal, type Principal } from './iam/principals.ts';
import { type EcrOperation, permissionOf } from './operations.ts';
import { Quotas } from './quotas.ts';
import type { Cloud } from './state/cloud.ts';
import type { TrafficLog } from './traffic.ts';

/** Who makes a request, and to which registry it came. */
export interface Caller {
  readonly principal: Principal;
  readonly registry: { readonly account: string; readonly region: string };
}

/** What every request to ECR has to pass, once it is known who makes it: the account's quotas, and the policies. */
export class Access {
  readonly #cloud: Cloud;
  readonly #log: TrafficLog;
  readonly #quotas: Quotas;
  readonly #retryAfter: number | undefined;

  constructor(
    { cloud, log, behaviour }: { cloud: Cloud; log: TrafficLog; behaviour: Behaviour },
    now: () => number,
  ) {
    this.#cloud = cloud;
    this.#log = log;
    this.#quotas = new Quotas(behaviour, now);
    this.#retryAfter = behaviour.retryAfter;
  }

  /**
   * Lets a request pass that is these operations, and puts down in the log what they need.
   * @throws EcrError (ThrottlingException, AccessDeniedException)
   */
  admit(request: IncomingMessage, operations: readonly EcrOperation[], caller: Caller): void {
    const { principal, registry } = caller;
    this.#log.tell(request, { needed: operations.map((each) => permissionOf(each, registry)) });
    const counted = operations.filter(({ service }) => service === 'ecr').map(({ name }) => name);
    if (!this.#quotas.take({ account: principal.account, region: registry.region }, counted)) {
      throw throttled(this.#retryAfter);
    }
    for (const operation of operations) {
      const denial = operation.optional ? undefined : this.denial(operation, caller);
      if (denial) throw denial;
    }
  }

  /** Why the caller may not do this, or nothing when it may. */
  denial(operation: EcrOperation, { principal, registry }: Caller): EcrError | undefined {
    const permission = permissionOf(operation, registry);
    const reason = this.#reason(operation, { principal, registry }, permission);
    if (reason === undefined) return undefined;
    const user = arnOfPrincipal(principal, registry.region);
    return new EcrError(
      'AccessDeniedException',
      `User: ${user} is not authorized to perform: ${permission.action} on resource: ${permission.resource} ${reason}`,
    );
  }

  #reason(
    operation: EcrOperation,
    { principal, registry }: Caller,
    permission: Permission,
  ): string | undefined {
    const verdict = verdictOf(principal.policy, permission);
    if (verdict === 'denied') return 'with an explicit deny in an identity-based policy';
    const owner = operation.account ?? registry.account;
    const onRepository = operation.service === 'ecr' && operation.repository !== undefined;
    const foreign = onRepository && owner !== principal.account;
    const closed = foreign && this.#isClosed(operation, { account: owner, region: registry.region });
    if (closed) return `because no resource-based policy allows the ${permission.action} action`;
    return verdict === 'silent'
      ? `because no identity-based policy allows the ${permission.action} action`
      : undefined;
  }

  /**
   * Whether a registry lets other accounts do nothing of the kind. What a repository's policy says is not read: that
   * there is one opens the repository to them.
   */
  #isClosed(
    { name, repository = '' }: EcrOperation,
    { account, region }: { account: string; region: string },
  ): boolean {
    const registry = this.#cloud.registry(account, region);
    if (!registry) return false;
    if (registry.has(repository))
      return registry.repository(repository).settings.repositoryPolicy === undefined;
    return repository === '*' || name === 'CreateRepository';
  }
}

function throttled(retryAfter: number | undefined): EcrError {
  const headers: Record<string, string> =
    retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) };
  return new EcrError('ThrottlingException', 'Rate exceeded', {}, headers);
}
