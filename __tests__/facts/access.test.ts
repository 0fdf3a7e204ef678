import { expect } from '@jest/globals';
import { policyFor } from '../../src/ecr/permissions.ts';
import { policyOf, runAs } from '../modes/permissions.ts';
import { ARNS, buildInRole, SCENARIOS, type Scenario, SUBJECT } from '../modes/scenarios.ts';
import { emulate, REGIONS } from '../support/emulated.ts';
import { imageOf } from '../support/images.ts';
import { everywhere, mirror, statusesOf } from './act.ts';
import { fact } from './fact.ts';

/** A policy that allows these actions on the repository, and others on anything. */
function allowing(
  onRepository: readonly string[],
  onAll: readonly string[] = [],
  onSource: readonly string[] = [],
) {
  return [
    { effect: 'Allow', actions: onRepository, resources: [ARNS.repository] },
    { effect: 'Allow', actions: ['ecr:GetAuthorizationToken', ...onAll], resources: ['*'] },
    { effect: 'Allow', actions: onSource, resources: [ARNS.source] },
  ] as const;
}

const PUSH = [
  ...['ecr:BatchCheckLayerAvailability', 'ecr:InitiateLayerUpload', 'ecr:UploadLayerPart'],
  ...['ecr:CompleteLayerUpload', 'ecr:PutImage', 'ecr:BatchGetImage'],
];
const PULL = ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'];

function scenario(name: string): Scenario {
  const found = SCENARIOS[name];
  if (!found) throw new Error(`there is no scenario "${name}"`);
  return found;
}

fact('i-push', 'the six actions and the token are enough for a build, and each of them is used', async () => {
  const { problems, needed } = await runAs(scenario('a first build'), allowing(PUSH));
  expect(problems).toEqual([]);
  for (const action of PUSH) expect(needed).toContain(`${action} on repository`);
  expect(needed).toContain('ecr:GetAuthorizationToken on all');
});

fact('i-index', 'nothing more is needed to stitch an index', async () => {
  expect((await runAs(scenario('a stitch'), allowing(PUSH))).problems).toEqual([]);
});

fact('i-pull', 'a mirror reads its source with two actions on it', async () => {
  const run = await runAs(scenario('a mirror of a private image'), allowing(PUSH, [], PULL));
  expect(run.problems).toEqual([]);
  for (const action of PULL) expect(run.needed).toContain(`${action} on source`);
});

for (const missing of PULL) {
  fact('i-pull', `a mirror that lacks ${missing} on its source says so`, async () => {
    const rest = PULL.filter((action) => action !== missing);
    const { problems } = await runAs(scenario('a mirror of a private image'), allowing(PUSH, [], rest));
    expect(problems.length).toBeGreaterThan(0);
    for (const problem of problems) expect(problem).toContain(`allow ${missing} on`);
  });
}

const CREATE = ['ecr:CreateRepository', 'ecr:DescribeRepositories'];

fact('i-create', 'two actions more create the repository', async () => {
  const create = scenario('a build that creates the repository');
  expect((await runAs(create, allowing([...PUSH, ...CREATE]))).problems).toEqual([]);
});

for (const [action, settings] of [
  ['ecr:TagResource', 'tags: { team: web }'],
  [
    'ecr:PutLifecyclePolicy',
    'lifecycle-policy: { rules: [{ rulePriority: 1, selection: { tagStatus: untagged, countType: imageCountMoreThan, countNumber: 5 }, action: { type: expire } }] }',
  ],
  [
    'ecr:SetRepositoryPolicy',
    'repository-policy: { Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: "*", Action: "ecr:BatchGetImage" }] }',
  ],
] as const) {
  for (const isAllowed of [true, false]) {
    const title = isAllowed
      ? `a setting is made with ${action} allowed`
      : `a setting that needs ${action} says so`;

    fact('i-create', title, async () => {
      const actions = [...PUSH, ...CREATE, ...(isAllowed ? [action] : [])];
      const account = '123456789012';
      const emulator = await emulate({
        repositories: [],
        principals: { AKIDTEST: { account, policy: allowing(actions) } },
      });
      const acting = mirror(imageOf('linux/amd64'), {
        'create-repository': 'true',
        'repository-settings': settings,
      });
      if (isAllowed) expect((await acting).states).toEqual(everywhere('published'));
      else await expect(acting).rejects.toThrow(new RegExp(`allow ${action} on `));
      expect(statusesOf(emulator, 'CreateRepository')).toHaveLength(REGIONS.length);
    });
  }
}

fact('i-oidc', "a token of GitHub's is enough for a role that trusts its subject", async () => {
  const policy = policyOf(policyFor(['push'], ARNS));
  expect((await runAs(buildInRole(policy, SUBJECT), [])).problems).toEqual([]);
});

fact('i-oidc', 'a token about another subject is refused, and the trust policy named', async () => {
  const policy = policyOf(policyFor(['push'], ARNS));
  const { problems } = await runAs(buildInRole(policy, 'repo:octo-org/other:ref:refs/heads/main'), []);
  expect(problems.length).toBeGreaterThan(0);
  for (const problem of problems) {
    expect(problem).toMatch(
      /let the trust policy of arn:\S+ allow sts:AssumeRoleWithWebIdentity for the ":sub"/,
    );
  }
});
