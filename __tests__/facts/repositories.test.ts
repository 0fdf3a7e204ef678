import {
  DescribeRepositoriesCommand,
  GetLifecyclePolicyCommand,
  GetRepositoryPolicyCommand,
  ListTagsForResourceCommand,
} from '@aws-sdk/client-ecr';
import { expect } from '@jest/globals';
import type { Emulator } from '../../emulator/emulator.ts';
import { ecrClient } from '../emulator/support.ts';
import { emulate, REGIONS } from '../support/emulated.ts';
import { imageOf, indexOf } from '../support/images.ts';
import { everywhere, type Given, mirror, problemsOf, shown, statusesOf } from './act.ts';
import { fact } from './fact.ts';

const [amd64, arm64] = [imageOf('linux/amd64'), imageOf('linux/arm64')];
const index = indexOf([amd64, arm64]);

const SETTINGS = `
tag-mutability: IMMUTABLE_WITH_EXCLUSION
tag-mutability-exclusions: [latest, "dev-*"]
scan-on-push: true
encryption: { type: KMS }
tags: { team: web, cost: "7" }
lifecycle-policy:
  rules:
    - rulePriority: 1
      selection: { tagStatus: untagged, countType: sinceImagePushed, countUnit: days, countNumber: 14 }
      action: { type: expire }
repository-policy:
  Version: "2012-10-17"
  Statement: [{ Sid: lambda, Effect: Allow, Principal: { Service: lambda.amazonaws.com }, Action: [ecr:BatchGetImage] }]
`;
const CREATED: Given = { 'create-repository': 'true', 'repository-settings': SETTINGS };

/** What the registry says of the repository in each region. */
async function described(emulator: Emulator) {
  return Promise.all(
    REGIONS.map(async (region) => {
      const client = ecrClient(emulator, region);
      const { repositories } = await client.send(
        new DescribeRepositoriesCommand({ repositoryNames: ['team/app'] }),
      );
      const { tags } = await client.send(
        new ListTagsForResourceCommand({ resourceArn: repositories?.[0]?.repositoryArn }),
      );
      return { repository: repositories?.[0], tags };
    }),
  );
}

fact('r-create', 'a missing repository is created with all that is stated, in every region', async () => {
  const emulator = await emulate({ repositories: [] });
  expect((await mirror(index, CREATED)).states).toEqual(everywhere('published'));
  expect(await described(emulator)).toEqual(
    everywhere({
      repository: expect.objectContaining({
        imageTagMutability: 'IMMUTABLE_WITH_EXCLUSION',
        imageTagMutabilityExclusionFilters: [
          { filterType: 'WILDCARD', filter: 'latest' },
          { filterType: 'WILDCARD', filter: 'dev-*' },
        ],
        imageScanningConfiguration: { scanOnPush: true },
        encryptionConfiguration: expect.objectContaining({ encryptionType: 'KMS' }),
      }),
      tags: [
        { Key: 'team', Value: 'web' },
        { Key: 'cost', Value: '7' },
      ],
    }),
  );
});

fact('r-create', 'a repository that is there is neither created again nor changed', async () => {
  const emulator = await emulate();
  const before = await described(emulator);
  expect((await mirror(index, CREATED)).states).toEqual(everywhere('published'));
  expect(await described(emulator)).toEqual(before);
  expect(statusesOf(emulator, 'CreateRepository')).toEqual([]);
});

for (const [what, settings, words] of [
  ['more than 50 tags', `tags: {${Array.from({ length: 51 }, (_, at) => `k${at}: v`).join(', ')}}`, /50/],
  [
    'more than 5 filters',
    'tag-mutability: IMMUTABLE_WITH_EXCLUSION\ntag-mutability-exclusions: [a, b, c, d, e, f]',
    /5/,
  ],
] as const) {
  fact('r-create', `${what} are refused before anything is asked`, async () => {
    const emulator = await emulate({ repositories: [] });
    const problems = await problemsOf(mirror(index, { ...CREATED, 'repository-settings': settings }));
    expect(problems).toEqual([expect.stringMatching(words)]);
    expect(emulator.requests).toEqual([]);
  });
}

fact('r-policies', 'policies are put by calls of their own, to the repository that was created', async () => {
  const emulator = await emulate({ repositories: [] });
  await mirror(index, CREATED);
  for (const region of REGIONS) {
    const client = ecrClient(emulator, region);
    const repositoryName = 'team/app';
    const lifecycle = await client.send(new GetLifecyclePolicyCommand({ repositoryName }));
    expect(JSON.parse(lifecycle.lifecyclePolicyText ?? '')).toMatchObject({ rules: [{ rulePriority: 1 }] });
    const own = await client.send(new GetRepositoryPolicyCommand({ repositoryName }));
    expect(JSON.parse(own.policyText ?? '')).toMatchObject({ Statement: [{ Sid: 'lambda' }] });
  }
});

fact(
  'r-policies',
  'a policy that is refused is told of, with the repository that is there without it',
  async () => {
    const emulator = await emulate({
      repositories: [],
      fault: ({ operation, region }) =>
        operation === 'PutLifecyclePolicy' && region === 'eu-west-1'
          ? {
              status: 400,
              code: 'InvalidParameterException',
              message: "Invalid parameter at 'lifecyclePolicyText'",
            }
          : undefined,
    });
    const problems = await problemsOf(mirror(index, CREATED));
    expect(problems).toEqual([
      expect.stringMatching(
        /^eu-west-1: team\/app: .*"team\/app" was created, but its lifecycle policy was not put/,
      ),
    ]);
    expect(statusesOf(emulator, 'POST uploads')).toEqual([]);
  },
);

fact('r-kept', 'a tag that is taken back leaves the index and all of its images, as they were', async () => {
  const emulator = await emulate({
    fault: ({ region, method, path }) =>
      region === 'sa-east-1' && method === 'PUT' && path.endsWith('/manifests/v1')
        ? { status: 403, code: 'DENIED', message: 'not today' }
        : undefined,
  });
  expect((await mirror(index)).states).toEqual(['held back', 'held back', 'failed']);
  expect(await shown(emulator)).toEqual(everywhere(null));
  for (const { digest } of [index.root, amd64.root, arm64.root]) {
    expect(await shown(emulator, digest)).toEqual(everywhere(digest));
  }
  expect(statusesOf(emulator, 'BatchDeleteImage')).toEqual([200, 200]);
});

for (const length of [2, 256]) {
  fact('9c', `a name of ${length} characters is published to`, async () => {
    const repository = 'a'.repeat(length);
    const emulator = await emulate();
    const { states } = await mirror(index, { repository, 'create-repository': 'true' });
    expect(states).toEqual(everywhere('published'));
    expect(await shown(emulator, 'v1', { repository })).toEqual(everywhere(index.root.digest));
  });
}

for (const repository of ['a', 'a'.repeat(257), 'Team/App', 'team//app', '-app']) {
  fact('9c', `"${repository.slice(0, 20)}" is refused before anything is asked`, async () => {
    const emulator = await emulate();
    const problems = await problemsOf(mirror(index, { repository, 'create-repository': 'true' }));
    expect(problems).toEqual([expect.stringMatching(/^input "repository": .*lower case letters.*2 to 256/)]);
    expect(emulator.requests).toEqual([]);
  });
}

for (const repository of ['team/a__b', 'team/a--b']) {
  fact('9c', `"${repository}", which other registries take, is refused with what to write`, async () => {
    const emulator = await emulate();
    const problems = await problemsOf(mirror(index, { repository, 'create-repository': 'true' }));
    expect(problems.length).toBeGreaterThan(0);
    for (const problem of problems) expect(problem).toMatch(/"repository".*lower case letters/);
    expect(emulator.requests.filter(({ path }) => path.startsWith('/v2/'))).toEqual([]);
  });
}
