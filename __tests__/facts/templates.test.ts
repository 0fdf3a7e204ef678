import {
  CreateRepositoryCommand,
  CreateRepositoryCreationTemplateCommand,
  type RCTAppliedFor,
} from '@aws-sdk/client-ecr';
import { expect } from '@jest/globals';
import { ecrClient } from '../emulator/support.ts';
import { emulate, REGIONS } from '../support/emulated.ts';
import { imageOf, indexOf } from '../support/images.ts';
import { everywhere, mirror, problemsOf, shown, statusesOf } from './act.ts';
import { bothWays, fact } from './fact.ts';

const index = indexOf([imageOf('linux/amd64'), imageOf('linux/arm64')]);
const ACCOUNT = '123456789012';
const REGION = 'us-east-1';

bothWays(
  '19',
  'createOnPush',
  'a missing repository is created by the push, or missed before it',
  async (on, behaviour) => {
    const emulator = await emulate({ behaviour, repositories: [] });
    if (on) {
      expect((await mirror(index)).states).toEqual(everywhere('published'));
      expect(await shown(emulator)).toEqual(everywhere(index.root.digest));
      expect(statusesOf(emulator, 'CreateRepository')).toEqual([]);
    } else {
      const problems = await problemsOf(mirror(index));
      expect(problems).toEqual(
        REGIONS.map((region) =>
          expect.stringContaining(`${region}: the repository "team/app" does not exist`),
        ),
      );
      expect(emulator.requests.filter(({ path }) => path.startsWith('/v2/'))).toEqual([]);
    }
  },
);

/** A template of a registry, for repositories whose names begin like this. */
function template(prefix: string, isForPushes: boolean): CreateRepositoryCreationTemplateCommand {
  const appliedFor: RCTAppliedFor[] = [isForPushes ? 'CREATE_ON_PUSH' : 'REPLICATION'];
  return new CreateRepositoryCreationTemplateCommand({ prefix, appliedFor });
}

for (const [what, templates, isCreated] of [
  ['the root alone', [['ROOT', true]], true],
  [
    'the root, but not a prefix',
    [
      ['ROOT', true],
      ['team', false],
    ],
    false,
  ],
  [
    'a prefix, but not the root',
    [
      ['ROOT', false],
      ['team', true],
    ],
    true,
  ],
  [
    'a prefix with a slash',
    [
      ['ROOT', false],
      ['team/', true],
    ],
    true,
  ],
  [
    'the longer prefix',
    [
      ['team', false],
      ['team/app', true],
    ],
    true,
  ],
  [
    'the shorter prefix',
    [
      ['team', true],
      ['team/app', false],
    ],
    false,
  ],
  [
    'another prefix',
    [
      ['tea', true],
      ['team/ap', true],
      ['other', true],
    ],
    false,
  ],
] as const) {
  fact(
    '19a',
    `a template of ${what} ${isCreated ? 'creates' : 'does not create'} the repository`,
    async () => {
      const emulator = await emulate({ repositories: [], regions: [REGION] });
      const client = ecrClient(emulator, REGION);
      for (const [prefix, isForPushes] of templates) await client.send(template(prefix, isForPushes));
      const acting = mirror(index, { regions: REGION, repository: 'team/app/web' });
      if (isCreated) expect((await acting).states).toEqual(['published']);
      else expect(await problemsOf(acting)).toEqual([expect.stringContaining('does not exist')]);
    },
  );
}

fact('19a', 'the template that decides is found behind a page of others', async () => {
  const emulator = await emulate({ repositories: [], regions: [REGION] });
  const client = ecrClient(emulator, REGION);
  for (let each = 0; each < 120; each += 1) await client.send(template(`a${each}`, true));
  await client.send(template('team', true));
  expect((await mirror(index, { regions: REGION })).states).toEqual(['published']);
  expect(statusesOf(emulator, 'DescribeRepositoryCreationTemplates')).toEqual([200, 200]);
});

fact('19', 'a repository that another client has created meanwhile is as good', async () => {
  const emulator = await emulate({ repositories: [], behaviour: { createOnPush: true } });
  const creating = ecrClient(emulator, REGION).send(
    new CreateRepositoryCommand({ repositoryName: 'team/app' }),
  );
  const [{ states }] = await Promise.all([mirror(index), creating]);
  expect(states).toEqual(everywhere('published'));
});

const PUSHING = [
  'BatchCheckLayerAvailability',
  'InitiateLayerUpload',
  'UploadLayerPart',
  'CompleteLayerUpload',
];

bothWays(
  '19b',
  'createOnPushNeedsPermission',
  'a role that may not create gets through where it need not, and is told what it lacks where it has to',
  async (needed, behaviour) => {
    const actions = [
      ...[...PUSHING, 'PutImage', 'BatchGetImage', 'DescribeRepositories'].map((name) => `ecr:${name}`),
      ...['ecr:GetAuthorizationToken', 'ecr:DescribeRepositoryCreationTemplates'],
    ];
    await emulate({
      repositories: [],
      behaviour: { ...behaviour, createOnPush: true },
      principals: {
        AKIDTEST: { account: ACCOUNT, policy: [{ effect: 'Allow', actions, resources: ['*'] }] },
      },
    });
    const acting = mirror(index);
    if (needed) {
      const problems = await problemsOf(acting);
      expect(problems).toEqual(
        REGIONS.map((region) => expect.stringMatching(`^${region}: .*\\(allow ecr:CreateRepository on`)),
      );
    } else expect((await acting).states).toEqual(everywhere('published'));
  },
);
