import { partitionId, repositoryArn } from '../src/ecr/partitions.ts';
import {
  PERMISSIONS,
  type Permission,
  PURPOSES,
  type Purpose,
  policyFor,
  type Resource,
} from '../src/ecr/permissions.ts';

const ROLE = 'arn:aws:iam::ACCOUNT:role/publish';
const OTHER_ROLE = 'arn:aws:iam::OTHER_ACCOUNT:role/publish';
const PROVIDER = 'token.actions.githubusercontent.com';

const ARNS: Readonly<Record<Exclude<Resource, 'all'>, string>> = {
  repository: repositoryArn('ACCOUNT', '*', 'REPOSITORY'),
  source: repositoryArn('ACCOUNT', '*', 'SOURCE'),
  public: 'arn:aws:ecr-public::ACCOUNT:repository/REPOSITORY',
  key: 'arn:aws:kms:*:ACCOUNT:key/KEY',
  role: OTHER_ROLE,
};

const NAMES: Readonly<Record<Resource, string>> = {
  all: '`*`',
  repository: 'the repository',
  source: 'the other repository',
  public: 'the public repository',
  key: 'the KMS key',
  role: 'the role',
};

/** The policies of which the page has the least, each with what it is for. */
const LEAST: readonly (readonly [title: string, ...Purpose[]])[] = [
  [PURPOSES.push, 'push'],
  [PURPOSES.stitch, 'stitch'],
  [PURPOSES.mirror, 'mirror'],
  [`${PURPOSES.source}, besides`, 'source'],
  [`${PURPOSES.create}, besides the mode's own`, 'create'],
  [
    '`repository-settings`, besides, as far as you set `tags`, `lifecycle-policy`, `repository-policy`, and `encryption` with a key of your own',
    ...(['tags', 'lifecycle-policy', 'repository-policy', 'encryption'] as const),
  ],
  [
    "Instead of `create-repository`, with a repository creation template for `CREATE_ON_PUSH`, besides the mode's own",
    'create-on-push',
  ],
];

/** The text of docs/iam.md. */
export function iamPage(): string {
  return `# IAM

Written by \`npm run docs\` from \`src/ecr/permissions.ts\`; change that, not this. The tests run each mode with these
policies, and without each of their actions.

Put your own for \`ACCOUNT\` (twelve digits), \`REPOSITORY\` (its name, such as \`team/web\`) and the other words in
capitals. \`*\` in the place of the region stands for every region; write one statement a region to name them.

## The least policies

Policies add up: a role that builds, stitches and creates repositories has the statements of all three.

${LEAST.map(([title, ...purposes]) => `${title}:\n\n${json(policyFor(purposes, ARNS))}\n`).join('\n')}
## One role for a whole workflow

For \`build\` and \`stitch\`, with all that is optional for them. What is lost without it, [the table](#every-action) tells.

${json(policyFor(['push', 'stitch'], ARNS, 'full'))}

The same with \`create-repository\` and \`repository-settings\`:

${json(policyFor(['push', 'stitch', 'create', 'tags', 'lifecycle-policy', 'repository-policy', 'encryption'], ARNS, 'full'))}

\`KEY\` is the id of a KMS key of yours; without one, leave that statement out. An alias is no resource here.

## Without keys, by GitHub's OIDC token

Make GitHub an identity provider of the account once: \`https://${PROVIDER}\`, with the
audience \`sts.amazonaws.com\`. Then give the role one of the policies above, and this trust policy:

${json(githubTrust())}

The \`:sub\` condition is what keeps other repositories out. It has to fit every job that assumes the role, the build jobs
too:

| The job | Its \`:sub\` |
| --- | --- |
| has \`environment: production\` | \`repo:ORG/REPO:environment:production\` |
| runs on a push to \`main\`, without an environment, as in [eks.yml](../examples/eks.yml) | \`repo:ORG/REPO:ref:refs/heads/main\` |
| runs on a push of a tag, without an environment, as in [ecs.yml](../examples/ecs.yml) | \`repo:ORG/REPO:ref:refs/tags/v1.2.3\` |
| any of the repository, pull requests among them | \`repo:ORG/REPO:*\` |

Where there is a \`*\`, as in \`repo:ORG/REPO:ref:refs/tags/v*\`, the condition is a \`StringLike\`:

${json(githubTrust('repo:ORG/REPO:ref:refs/tags/v*').Statement[0]?.Condition)}

In repositories that GitHub gives immutable subjects, ids stand beside the names: the OIDC page of the repository's settings
shows the prefix to write instead of \`repo:ORG/REPO\`.

\`\`\`yaml
permissions: { contents: read, id-token: write }
jobs:
  publish:
    needs: build
    runs-on: ubuntu-24.04
    environment: production
    steps:
      - uses: org/ecr-multiarch@v1
        with:
          mode: stitch
          repository: REPOSITORY
          regions: us-east-1, eu-central-1
          platforms: linux/amd64, linux/arm64
          tags: \${{ github.sha }}
          role-to-assume: ${ROLE}
\`\`\`

The build jobs want the same \`environment\` and \`role-to-assume\`.

With aws-actions/configure-aws-credentials before it, \`role-to-assume\` can be left out here.

## Roles in other accounts

A line of \`destinations\` may name a role of its own. It is assumed from \`role-to-assume\`, or from the job's
credentials, and lasts an hour at most; it is assumed again before that is over.

\`\`\`yaml
role-to-assume: ${ROLE}
destinations: |
  us-east-1
  eu-west-1 role=${OTHER_ROLE} external-id=ID
\`\`\`

The first role has to be allowed to assume the other one:

${json(policyFor(['roles'], ARNS))}

The other one has the policy for its mode, and trusts the first:

${json(accountTrust())}

Without a role there, the first role needs the actions on the repository's ARN in the other account, and the repository's
own policy has to allow them to it; the token is always that of its own account. The repository has to exist:
\`create-repository\` needs a role of that account.

## Amazon ECR Public

${json(policyFor(['public', 'public-create'], ARNS))}

\`ecr-public:CreateRepository\` is for \`create-repository\` alone.

## China, GovCloud, and other partitions

An ARN begins with the partition of its region, and a role, its identity provider and its credentials are good in their
own partition alone: use a job, or a role, for each.

| Region | A repository's ARN |
| --- | --- |
${['us-east-1', 'us-gov-west-1', 'cn-north-1', 'eusc-de-east-1'].map(partitionRow).join('\n')}

In China the audience is usually \`sts.amazonaws.com.cn\`: set \`audience\` to it, in the provider and in the trust
policy too.

## Every action

| Actions | On | What for | Required for | Optional for |
| --- | --- | --- | --- | --- |
${[...Map.groupBy(PERMISSIONS, ({ action: _, ...alike }) => JSON.stringify(alike)).values()].map(actionRow).join('\n')}
`;
}

function json(value: unknown): string {
  return `\`\`\`json\n${JSON.stringify(value, undefined, 2)}\n\`\`\``;
}

function githubTrust(subject = 'repo:ORG/REPO:environment:production') {
  const audience = { [`${PROVIDER}:aud`]: 'sts.amazonaws.com' };
  return trust(
    { Federated: `arn:aws:iam::ACCOUNT:oidc-provider/${PROVIDER}` },
    'sts:AssumeRoleWithWebIdentity',
    subject.includes('*')
      ? { StringEquals: audience, StringLike: { [`${PROVIDER}:sub`]: subject } }
      : { StringEquals: { ...audience, [`${PROVIDER}:sub`]: subject } },
  );
}

function accountTrust(): unknown {
  return trust({ AWS: ROLE }, 'sts:AssumeRole', { StringEquals: { 'sts:ExternalId': 'ID' } });
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-idp_oidc.html */
type Condition = Readonly<Record<string, Readonly<Record<string, string>>>>;

function trust(principal: Readonly<Record<string, string>>, action: string, condition: Condition) {
  return {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: principal, Action: action, Condition: condition }],
  };
}

function partitionRow(region: string): string {
  return `| \`${region}\` (\`${partitionId(region)}\`) | \`${repositoryArn('ACCOUNT', region, 'REPOSITORY')}\` |`;
}

/** A row for actions that are alike in all but their names. */
function actionRow(alike: readonly Permission[]): string {
  const [{ on, why, needs } = { on: 'all', why: '', needs: {} } as const] = alike;
  const required: string[] = [];
  const optional = new Map<string, string[]>();
  for (const [purpose, need] of Object.entries(needs)) {
    const name = Object.entries(PURPOSES).find(([each]) => each === purpose)?.[1] ?? purpose;
    if (need === 'required') required.push(name);
    else optional.set(need.without, [...(optional.get(need.without) ?? []), name]);
  }
  const losses = [...optional].map(([without, names]) => `${names.join(', ')}. Without it, ${without}`);
  const actions = alike.map(({ action }) => `\`${action}\``);
  return `| ${actions.join(', ')} | ${NAMES[on]} | ${why} | ${required.join(', ')} | ${losses.join('. ')} |`;
}
