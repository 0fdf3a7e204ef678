import { describe, expect, test } from '@jest/globals';
import { startOidcService } from '../../emulator/github/oidcService.ts';
import { atEnd } from '../support/ends.ts';
import { REPOSITORY, startCloud } from './cloud.ts';
import { releaseInputs } from './layouts.ts';
import { each, statesOf } from './results.ts';
import { runStep } from './step.ts';

const [OURS, THEIRS] = ['123456789012', '210987654321'];
const CI = `arn:aws:iam::${OURS}:role/ci`;
const PUBLISH = `arn:aws:iam::${THEIRS}:role/publish`;
const SUBJECT = 'repo:octo-org/octo-repo:ref:refs/heads/main';

/** Two accounts in a job that has no AWS credentials, but may ask GitHub for a token. */
async function startAccounts() {
  const cloud = await startCloud({
    accounts: [OURS, THEIRS],
    roles: {
      [CI]: { trust: [{ audience: 'sts.amazonaws.com', subject: 'repo:octo-org/octo-repo:*' }] },
      [PUBLISH]: { trust: [{ principals: [CI], externalId: 'octo' }] },
    },
  });
  const oidc = await startOidcService({ subject: SUBJECT });
  atEnd(() => oidc.close());
  const environment = {
    AWS_ACCESS_KEY_ID: undefined,
    AWS_SECRET_ACCESS_KEY: undefined,
    ACTIONS_ID_TOKEN_REQUEST_URL: oidc.url,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: oidc.requestToken,
  };
  return { cloud, environment };
}

const NAMES = [`${OURS}/us-east-1`, `${OURS}/eu-west-1`, `${THEIRS}/us-east-1`, `${THEIRS}/sa-east-1`];
const DESTINATIONS = `us-east-1
  eu-west-1
  ${THEIRS}.dkr.ecr.us-east-1.amazonaws.com role=${PUBLISH} external-id=octo
  sa-east-1 role=${PUBLISH} external-id=octo`;

describe('destinations in two accounts', () => {
  test("are published to with a role each, told apart, from GitHub's token alone", async () => {
    const { cloud, environment } = await startAccounts();
    const inputs = {
      ...(await releaseInputs()),
      regions: '',
      destinations: DESTINATIONS,
      'role-to-assume': CI,
      'create-repository': 'true',
    };
    const { errors, outputs, log, masked } = await runStep(inputs, environment);
    expect(errors).toEqual([]);
    expect(statesOf(outputs.get('results'))).toEqual(each(NAMES, 'published'));
    const owners = cloud.emulator.requests.flatMap(({ needed }) =>
      needed.filter(({ action }) => action === 'ecr:PutImage').map(({ resource }) => resource.split(':')[4]),
    );
    expect(new Set(owners)).toEqual(new Set([OURS, THEIRS]));
    const tokens = cloud.emulator.requests.filter(({ operation }) => operation === 'GetAuthorizationToken');
    expect(tokens).toHaveLength(4);
    for (const secret of masked) expect(log).not.toContain(secret);
  });

  test('of which one role may not be assumed are not pushed to at all', async () => {
    const { cloud, environment } = await startAccounts();
    const inputs = {
      ...(await releaseInputs()),
      regions: '',
      destinations: DESTINATIONS.replaceAll('octo', 'other'),
      'role-to-assume': CI,
    };
    const { errors } = await runStep(inputs, environment);
    expect(errors.join()).toContain(`${PUBLISH} could not be assumed`);
    expect(errors.join()).toContain(REPOSITORY);
    expect(cloud.writes()).toEqual([]);
  });
});
