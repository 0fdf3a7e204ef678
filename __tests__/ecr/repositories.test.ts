import type { ECRClient } from '@aws-sdk/client-ecr';
import { describe, expect, test } from '@jest/globals';
import type { Emulator } from '../../emulator/emulator.ts';
import { explainFailure } from '../../src/ecr/explain.ts';
import {
  createRepository,
  describeRepository,
  readSettings,
  UnfinishedRepositoryError,
} from '../../src/ecr/repositories.ts';
import { parseRepositorySettings, type RepositorySettings } from '../../src/ecr/repositorySettings.ts';
import { settingsDifferences } from '../../src/ecr/settingsDifferences.ts';
import { APIS, countOf, emulate } from '../support/emulated.ts';

const PLACE = { account: '123456789012', region: 'eu-west-1' };
const ID = { name: 'team/new', account: PLACE.account };
const DENIED = { status: 400, code: 'AccessDeniedException', message: 'not authorized' };

const SETTINGS = await parseRepositorySettings(
  `
  tag-mutability: IMMUTABLE_WITH_EXCLUSION
  tag-mutability-exclusions: [latest, "dev-*"]
  scan-on-push: true
  encryption: { type: KMS, kms-key: { eu-west-1: alias/ecr } }
  lifecycle-policy:
    rules:
      - rulePriority: 1
        selection: { tagStatus: untagged, countType: sinceImagePushed, countUnit: days, countNumber: 14 }
        action: { type: expire }
  repository-policy:
    Statement: { Effect: Allow, Principal: "*", Action: "ecr:BatchGetImage" }
  tags: { team: web }
  `,
  async () => '',
);

function client(): ECRClient {
  return APIS.createApi({ region: PLACE.region, role: undefined, fips: false, dualStack: false }).client;
}

/** The operations that came, other than those that only look. */
function writesOf({ requests }: Emulator): string[] {
  return requests.flatMap(({ operation = '', status }) =>
    /^(?:Create|Put|Set)/.test(operation) && status === 200 ? [operation] : [],
  );
}

/** What is found of the repository, as far as the settings state it. */
async function findSettings(wanted: RepositorySettings) {
  const ecr = client();
  const description = await describeRepository(ecr, ID);
  if (!description) throw new Error('it is missing');
  return readSettings(ecr, ID, description, wanted);
}

describe('a repository that is looked for', () => {
  test('is nothing when it is missing', async () => {
    await emulate();
    expect(await describeRepository(client(), ID)).toBeUndefined();
  });

  test('is described when it is there', async () => {
    await emulate({ repositories: [ID.name] });
    expect(await describeRepository(client(), ID)).toMatchObject({
      repositoryName: ID.name,
      registryId: PLACE.account,
      repositoryArn: `arn:aws:ecr:eu-west-1:${PLACE.account}:repository/${ID.name}`,
    });
  });

  test('is a failure when the role may not look', async () => {
    await emulate({ fault: ({ operation }) => (operation === 'DescribeRepositories' ? DENIED : undefined) });
    await expect(describeRepository(client(), ID)).rejects.toMatchObject({ name: 'AccessDeniedException' });
  });
});

describe('a repository that is created', () => {
  test('is what the settings state, in all that can be read', async () => {
    const emulator = await emulate();
    expect(await createRepository(client(), ID, SETTINGS, PLACE)).toBe('created');
    expect(writesOf(emulator).toSorted()).toEqual([
      'CreateRepository',
      'PutLifecyclePolicy',
      'SetRepositoryPolicy',
    ]);
    const found = await findSettings(SETTINGS);
    expect(found).toMatchObject({
      description: {
        imageTagMutability: 'IMMUTABLE_WITH_EXCLUSION',
        imageScanningConfiguration: { scanOnPush: true },
        encryptionConfiguration: { encryptionType: 'KMS' },
      },
      lifecyclePolicy: { value: SETTINGS.lifecyclePolicy },
      repositoryPolicy: { value: SETTINGS.repositoryPolicy },
      tags: { value: new Map([['team', 'web']]) },
    });
    expect(settingsDifferences(SETTINGS, found, PLACE)).toEqual([]);
  });

  test("is ECR's own where the settings state nothing", async () => {
    const emulator = await emulate();
    expect(await createRepository(client(), ID, {}, PLACE)).toBe('created');
    expect(writesOf(emulator)).toEqual(['CreateRepository']);
    const found = await findSettings(SETTINGS);
    expect(found.lifecyclePolicy).toEqual({ value: undefined });
    expect(settingsDifferences(SETTINGS, found, PLACE)).toHaveLength(7);
  });

  test('by two jobs at once is created, and given its policies, by one of them', async () => {
    const emulator = await emulate();
    const outcomes = await Promise.all([1, 2].map(() => createRepository(client(), ID, SETTINGS, PLACE)));
    expect(outcomes.toSorted()).toEqual(['created', 'there']);
    expect(countOf(emulator.requests, 'CreateRepository')).toBe(2);
    expect(writesOf(emulator).toSorted()).toEqual([
      'CreateRepository',
      'PutLifecyclePolicy',
      'SetRepositoryPolicy',
    ]);
  });

  test('by a call whose answer was lost is given its policies, too', async () => {
    let lost = 0;
    const emulator = await emulate({
      fault: ({ operation }) => {
        if (operation !== 'CreateRepository' || lost > 0) return undefined;
        lost += 1;
        emulator.createRepository(ID.name, {}, [PLACE.region]);
        return { status: 500, code: 'ServerException', message: 'lost' };
      },
    });
    expect(await createRepository(client(), ID, SETTINGS, PLACE)).toBe('created');
    expect(writesOf(emulator).toSorted()).toEqual(['PutLifecyclePolicy', 'SetRepositoryPolicy']);
  });

  test('without a policy is told to be so, and has the other one', async () => {
    const message = "Invalid parameter at 'lifecyclePolicyText' failed to satisfy constraint: 'none'";
    const emulator = await emulate({
      fault: ({ operation }) =>
        operation === 'PutLifecyclePolicy'
          ? { status: 400, code: 'InvalidParameterException', message }
          : undefined,
    });
    const error: unknown = await createRepository(client(), ID, SETTINGS, PLACE).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(UnfinishedRepositoryError);
    expect(explainFailure(error, { name: 'eu-west-1', repository: ID.name })).toBe(
      `eu-west-1: team/new: the repository "team/new" was created, but its lifecycle policy was not put (PutLifecyclePolicy at ${emulator.endpoint}/: InvalidParameterException: ${message}): put it by hand, or remove the repository and run the job again (correct that setting in "repository-settings")`,
    );
    expect(writesOf(emulator).toSorted()).toEqual(['CreateRepository', 'SetRepositoryPolicy']);
  });

  test('without both policies is told of both', async () => {
    await emulate({
      fault: ({ operation = '' }) => (/^(?:Put|Set).*Policy$/.test(operation) ? DENIED : undefined),
    });
    await expect(createRepository(client(), ID, SETTINGS, PLACE)).rejects.toThrow(
      /its lifecycle policy was not put \(PutLifecyclePolicy at \S+: AccessDeniedException: not authorized\), and its repository policy was not put \(/,
    );
  });

  test('cannot be when ECR refuses it', async () => {
    await emulate({ fault: ({ operation }) => (operation === 'CreateRepository' ? DENIED : undefined) });
    await expect(createRepository(client(), ID, SETTINGS, PLACE)).rejects.toMatchObject({
      name: 'AccessDeniedException',
    });
  });
});

describe('the settings of a repository that is there', () => {
  test('are not asked for when nothing is stated of them', async () => {
    const emulator = await emulate({ repositories: [ID.name] });
    expect(await findSettings({ scanOnPush: true })).toMatchObject({
      lifecyclePolicy: 'unknown',
      repositoryPolicy: 'unknown',
      tags: 'unknown',
    });
    expect(emulator.requests.map(({ operation }) => operation)).toEqual(['DescribeRepositories']);
  });

  test('are unknown when the role may not read them', async () => {
    await emulate({
      repositories: [ID.name],
      fault: ({ operation = '' }) => (/^Get.*Policy$|^ListTags/.test(operation) ? DENIED : undefined),
    });
    const found = await findSettings(SETTINGS);
    expect([found.lifecyclePolicy, found.repositoryPolicy, found.tags]).toEqual([
      'unknown',
      'unknown',
      'unknown',
    ]);
  });

  test('that cannot be read for another reason are a failure', async () => {
    await emulate({
      repositories: [ID.name],
      fault: ({ operation }) =>
        operation === 'ListTagsForResource' ? { ...DENIED, code: 'InvalidParameterException' } : undefined,
    });
    await expect(findSettings(SETTINGS)).rejects.toMatchObject({ name: 'InvalidParameterException' });
  });
});
