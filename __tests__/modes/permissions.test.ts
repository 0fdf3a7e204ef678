import { describe, expect, test } from '@jest/globals';
import { type Purpose, policyFor } from '../../src/ecr/permissions.ts';
import { listed, policyOf, runAs } from './permissions.ts';
import {
  ACCOUNT,
  ARNS,
  buildInRole,
  DOCUMENTED_ALONE,
  RICHER,
  SCENARIOS,
  type Scenario,
  SUBJECT,
} from './scenarios.ts';

/** The advice to allow a permission, on a resource that is in one of the regions. */
function allowing(permission: string): RegExp {
  const [action = '', on = ''] = permission.split(' on ');
  const [, arn] = Object.entries(ARNS).find(([resource]) => resource === on) ?? [];
  // The account of a public registry is in what AWS says, but in nothing that is known without that.
  const resource =
    arn?.replace('*', '(?:us-east-1|eu-west-1)').replace(`::${ACCOUNT}:`, `::(?:\\*|${ACCOUNT}):`) ?? '\\*';
  return new RegExp(`allow ${action} on ${resource} in the policy of the role`);
}

function requiredIn({ purposes, unused = [] }: Scenario): string[] {
  return listed(purposes, 'required').filter((each) => !unused.includes(each));
}

/** Each scenario with each of its permissions, but for those that an earlier one of the same purpose has been without. */
function withEach(
  which: 'required' | 'optional',
  permissionsOf: (scenario: Scenario) => readonly string[],
): [name: string, permission: string, scenario: Scenario][] {
  const taken = new Set<string>();
  const isNew = (key: string) => !taken.has(key) && taken.add(key) !== undefined;
  return Object.entries(SCENARIOS).flatMap(([name, scenario]) =>
    permissionsOf(scenario)
      .filter((permission) => {
        const purposes = scenario.purposes.filter((each) => listed([each], which).includes(permission));
        return purposes.filter((purpose) => isNew(`${purpose}: ${permission}`)).length > 0;
      })
      .map((permission): [string, string, Scenario] => [name, permission, scenario]),
  );
}

describe.each(Object.entries(SCENARIOS))('%s', (_, scenario) => {
  const { purposes, uses = [] } = scenario;

  test('uses what the table lists, and all that it lists as required', async () => {
    const { problems, needed } = await runAs(scenario, undefined);
    expect(problems).toEqual([]);
    expect(listed(purposes, 'all')).toEqual(expect.arrayContaining([...needed]));
    expect(needed).toEqual(expect.arrayContaining([...requiredIn(scenario), ...uses]));
  });

  test('succeeds with the least policy', async () => {
    expect((await runAs(scenario, policyOf(policyFor(purposes, ARNS)))).problems).toEqual([]);
  });
});

test.each(withEach('required', requiredIn))(
  '%s fails without %s, and says what to allow',
  async (_, permission, scenario) => {
    const policy = policyOf(policyFor(scenario.purposes, ARNS, 'full'), permission);
    const { problems } = await runAs(scenario, policy);
    expect(problems).not.toEqual([]);
    for (const problem of problems) expect(problem).toMatch(allowing(permission));
  },
);

test.each(withEach('optional', ({ purposes }) => listed(purposes, 'optional')))(
  '%s succeeds without %s',
  async (_, permission, scenario) => {
    const policy = policyOf(policyFor(scenario.purposes, ARNS, 'full'), permission);
    expect((await runAs(scenario, policy)).problems).toEqual([]);
  },
);

describe.each(Object.entries(RICHER))('%s', (_, scenario) => {
  const { purposes, uses = [] } = scenario;

  test('uses what the table lists, and comes to the same with that alone', async () => {
    const { problems, needed } = await runAs(scenario, undefined);
    expect(listed(purposes, 'all')).toEqual(expect.arrayContaining([...needed]));
    expect(needed).toEqual(expect.arrayContaining([...uses]));
    const listedAlone = await runAs(scenario, policyOf(policyFor(purposes, ARNS, 'full')));
    expect(listedAlone.problems).toHaveLength(problems.length);
  });

  test.each(uses)('says what to allow without %s', async (permission) => {
    const policy = policyOf(policyFor(purposes, ARNS, 'full'), permission);
    expect((await runAs(scenario, policy)).problems).toContainEqual(
      expect.stringMatching(allowing(permission)),
    );
  });
});

describe('a role', () => {
  const push = policyOf(policyFor(['push'], ARNS));
  const assume = policyOf(policyFor(['roles'], ARNS));

  test('that is assumed is all that the job itself has to be allowed', async () => {
    const { problems, needed } = await runAs(buildInRole(push), assume);
    expect(problems).toEqual([]);
    expect(listed(['push', 'roles'], 'all')).toEqual(expect.arrayContaining([...needed]));
    expect(needed).toEqual(expect.arrayContaining(listed(['roles'], 'required')));
  });

  test('that may not be assumed says what to allow, and where', async () => {
    const { problems } = await runAs(buildInRole(push), []);
    expect(problems).toHaveLength(2);
    for (const problem of problems) {
      expect(problem).toContain(`allow sts:AssumeRole on ${ARNS.role} in the caller's policy`);
      expect(problem).toContain(`the trust policy of ${ARNS.role}`);
    }
  });

  test("is assumed with GitHub's token where its trust policy allows that", async () => {
    const { problems, needed } = await runAs(buildInRole(push, SUBJECT), []);
    expect(problems).toEqual([]);
    expect(listed(['push', 'oidc'], 'all')).toEqual(expect.arrayContaining([...needed]));
    expect(needed).toEqual(expect.arrayContaining(listed(['oidc'], 'required')));
  });

  test("is not assumed with GitHub's token about another repository, and says what to allow", async () => {
    const { problems } = await runAs(buildInRole(push, 'repo:octo-org/other:ref:refs/heads/main'), []);
    expect(problems).toHaveLength(2);
    for (const problem of problems) {
      expect(problem).toContain(
        `let the trust policy of ${ARNS.role} allow sts:AssumeRoleWithWebIdentity for the ":sub"`,
      );
    }
  });
});

test('every required action of a purpose is used by one of its scenarios', () => {
  const scenarios = Object.values(SCENARIOS);
  const shown = (purpose: Purpose) =>
    scenarios.filter(({ purposes }) => purposes.includes(purpose)).flatMap(requiredIn);
  for (const purpose of new Set(scenarios.flatMap(({ purposes }) => purposes))) {
    const used = [...shown(purpose), ...DOCUMENTED_ALONE];
    expect(used).toEqual(expect.arrayContaining(listed([purpose], 'required')));
  }
});
