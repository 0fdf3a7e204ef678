import { matches, type Permission as Needed, type Policy } from '../../emulator/iam/policy.ts';
import { PERMISSIONS, type PolicyDocument, type Purpose } from '../../src/ecr/permissions.ts';
import { Problems } from '../../src/problems.ts';
import { isDone } from '../../src/release/result.ts';
import { emulate } from '../support/emulated.ts';
import { setEnvironment } from '../support/environment.ts';
import { ACCOUNT, ARNS, REGIONS, type Scenario } from './scenarios.ts';

/** What a run came to: its problems, and what it needed. */
export interface Run {
  /** None when all went well. */
  readonly problems: readonly string[];
  /** Each once, as `action on resource`. */
  readonly needed: readonly string[];
}

/** Runs a scenario as a user with this policy; without one, as one who may do everything. */
export async function runAs({ options, prepare }: Scenario, policy: Policy | undefined): Promise<Run> {
  const emulator = await emulate({
    regions: REGIONS,
    accounts: [ACCOUNT],
    principals: {
      AKIDADMIN: { account: ACCOUNT },
      AKIDCI: { account: ACCOUNT, name: 'ci', ...(policy && { policy }) },
    },
    ...options,
  });
  setEnvironment({ AWS_ACCESS_KEY_ID: 'AKIDADMIN' });
  const run = await prepare(emulator);
  const before = emulator.requests.length;
  if (process.env.AWS_ACCESS_KEY_ID) setEnvironment({ AWS_ACCESS_KEY_ID: 'AKIDCI' });
  const problems = await run().then(
    ({ results }) => results.filter((result) => !isDone(result)).flatMap(({ error }) => error ?? []),
    (error: Error) => (error instanceof Problems ? error.problems : [error.message]),
  );
  const needed = emulator.requests.slice(before).flatMap((request) => request.needed.map(nameOf));
  return { problems, needed: [...new Set(needed)] };
}

/** A permission as the table has it: for every region. */
function nameOf({ action, resource }: Needed): string {
  const [on] = Object.entries(ARNS).find(([, arn]) => matches(arn, resource)) ?? [
    'nothing that the table has',
  ];
  return `${action} on ${resource === '*' ? 'all' : on}`;
}

/** What the table has for some purposes, as {@link runAs} names it. */
export function listed(purposes: readonly Purpose[], which: 'all' | 'required' | 'optional'): string[] {
  return PERMISSIONS.filter(({ needs }) => {
    const needed = purposes.flatMap((purpose) => needs[purpose] ?? []);
    const isRequired = needed.includes('required');
    return needed.length > 0 && (which === 'all' || isRequired === (which === 'required'));
  }).map(({ action, on }) => `${action} on ${on}`);
}

/** A generated policy as the emulator has policies, without one of its permissions if one is named. */
export function policyOf({ Statement }: PolicyDocument, without?: string): Policy {
  return Statement.map(({ Action, Resource: resource }) => ({
    effect: 'Allow',
    actions: Action.filter((action) => nameOf({ action, resource }) !== without),
    resources: [resource],
  }));
}
