import { describe, expect, test } from '@jest/globals';
import * as z from 'zod/mini';
import { startOidcService } from '../../emulator/github/oidcService.ts';
import type { RoleOptions } from '../../emulator/iam/roles.ts';
import type { RecordedRequest } from '../../emulator/traffic.ts';
import { type ApisOptions, createApis } from '../../src/ecr/apis.ts';
import type { Role } from '../../src/ecr/places.ts';
import { emulate } from '../support/emulated.ts';
import { atEnd } from '../support/ends.ts';
import { setEnvironment } from '../support/environment.ts';

const HUB = 'arn:aws:iam::123456789012:role/ci';
const OTHER = 'arn:aws:iam::210987654321:role/publish';
const SUBJECT = 'repo:octo-org/octo-repo:environment:production';
const AUDIENCE = 'sts.amazonaws.com';
const MINUTE = 60 * 1000;

const ROLES: Readonly<Record<string, RoleOptions>> = {
  [HUB]: {
    trust: [{ principals: ['123456789012'] }, { audience: AUDIENCE, subject: 'repo:octo-org/octo-repo:*' }],
  },
  [OTHER]: { trust: [{ principals: [HUB], externalId: 'octo' }] },
};

const NO_KEYS = {
  AWS_ACCESS_KEY_ID: undefined,
  AWS_SECRET_ACCESS_KEY: undefined,
  AWS_EC2_METADATA_DISABLED: 'true',
};

/** ECR's APIs, called from a job that may ask GitHub for tokens. */
async function startCloud(options: Partial<ApisOptions> = {}, now: () => number = Date.now) {
  const emulator = await emulate({ accounts: ['123456789012', '210987654321'], roles: ROLES, now });
  const oidc = await startOidcService({ subject: SUBJECT, now });
  atEnd(() => oidc.close());
  const masked: string[] = [];
  const oidcToken = async (audience: string) => {
    const headers = { authorization: `Bearer ${oidc.requestToken}` };
    const answer = await fetch(`${oidc.url}&audience=${audience}`, { headers });
    return z.parse(z.object({ value: z.string() }), await answer.json()).value;
  };
  const apis = createApis({
    role: undefined,
    sessionName: 'session-of-this-job',
    duration: undefined,
    audience: AUDIENCE,
    oidcToken,
    proxy: {},
    environment: process.env,
    userAgent: 'test',
    mask: (secret) => masked.push(secret),
    now,
    ...options,
  });
  /** Asks for a token of a region; the emulator's record says as whom. */
  const authorize = async (role?: Role, region = 'us-east-1') => {
    const api = apis.createApi({ region, role, fips: false, dualStack: false });
    return (await api.authorize()).token;
  };
  const assumed = () => emulator.requests.filter(({ path }) => path === '/').flatMap(actionOf);
  return { authorize, oidcToken, assumed, masked };
}

function actionOf({ needed }: RecordedRequest): string[] {
  return needed
    .filter(({ action }) => action.startsWith('sts:Assume'))
    .map(({ action, resource }) => `${action} ${resource}`);
}

describe('a role', () => {
  test('is assumed with the credentials that the job has', async () => {
    const { authorize, assumed } = await startCloud({ role: { arn: HUB } });
    await authorize();
    expect(assumed()).toEqual([`sts:AssumeRole ${HUB}`]);
  });

  test("is assumed with GitHub's token where the job has no credentials", async () => {
    const { authorize, assumed } = await startCloud({ role: { arn: HUB } });
    setEnvironment(NO_KEYS);
    await authorize();
    expect(assumed()).toEqual([`sts:AssumeRoleWithWebIdentity ${HUB}`]);
  });

  test('of a destination is assumed from the one before it, with its external id', async () => {
    const { authorize, assumed } = await startCloud({ role: { arn: HUB } });
    setEnvironment(NO_KEYS);
    await authorize({ arn: OTHER, externalId: 'octo' });
    expect(assumed()).toEqual([`sts:AssumeRoleWithWebIdentity ${HUB}`, `sts:AssumeRole ${OTHER}`]);
  });

  test('is assumed once for all regions, and its secrets are masked before they are used', async () => {
    const { authorize, assumed, masked } = await startCloud({ role: { arn: HUB } });
    await Promise.all([authorize(), authorize(undefined, 'eu-west-1'), authorize(undefined, 'sa-east-1')]);
    expect(assumed()).toHaveLength(1);
    expect(masked).toHaveLength(2);
    expect(masked.every((secret) => secret.length > 20)).toBe(true);
  });

  test('is assumed again before it ends', async () => {
    const clock = { now: Date.now() };
    const { authorize, assumed } = await startCloud({ role: { arn: HUB }, duration: 900 }, () => clock.now);
    await authorize();
    clock.now += 9 * MINUTE;
    await authorize();
    expect(assumed()).toHaveLength(1);
    clock.now += 2 * MINUTE;
    await authorize(undefined, 'eu-west-1');
    expect(assumed()).toHaveLength(2);
  });

  test('is assumed again before the shortest time is over where it seems to have ended when it was given', async () => {
    const clock = { now: Date.now() };
    const ahead = { role: { arn: HUB }, now: () => clock.now + 180 * MINUTE };
    const { authorize, assumed } = await startCloud(ahead, () => clock.now);
    await authorize();
    clock.now += 9 * MINUTE;
    await authorize(undefined, 'eu-west-1');
    expect(assumed()).toHaveLength(1);
    clock.now += 2 * MINUTE;
    await authorize();
    expect(assumed()).toHaveLength(2);
  });

  test('of a destination is assumed again, by the one before it as it is then', async () => {
    const clock = { now: Date.now() };
    const { authorize, assumed } = await startCloud({ role: { arn: HUB }, duration: 900 }, () => clock.now);
    const other = { arn: OTHER, externalId: 'octo' };
    await authorize(other);
    clock.now += 20 * MINUTE;
    await authorize(other, 'eu-west-1');
    const chain = [`sts:AssumeRole ${HUB}`, `sts:AssumeRole ${OTHER}`];
    expect(assumed()).toEqual([...chain, ...chain]);
    clock.now += 20 * MINUTE;
    await authorize(other);
    expect(assumed()).toEqual([...chain, ...chain, ...chain]);
  });

  test('that may not be assumed is an error that names it', async () => {
    const { authorize } = await startCloud({ role: { arn: HUB } });
    await expect(authorize({ arn: OTHER, externalId: 'wrong' })).rejects.toMatchObject({
      name: 'AccessDenied',
      message: expect.stringMatching(
        /^arn:aws:iam::210987654321:role\/publish could not be assumed: AssumeRole at http:\/\/.*sts:AssumeRole/,
      ),
    });
  });

  test('for whom nobody vouches is an error that says that there are no credentials', async () => {
    const { authorize } = await startCloud({ role: { arn: HUB }, oidcToken: undefined });
    setEnvironment(NO_KEYS);
    await expect(authorize()).rejects.toMatchObject({ name: 'CredentialsProviderError' });
  });

  test('is told of GitHub refusing a token', async () => {
    const oidcToken = () => Promise.reject(new Error('Error Code: 403'));
    const { authorize } = await startCloud({ role: { arn: HUB }, oidcToken });
    setEnvironment(NO_KEYS);
    await expect(authorize()).rejects.toThrow(
      `${HUB}: GitHub gave no OIDC token for the audience "sts.amazonaws.com": Error Code: 403`,
    );
  });

  test('that could not be assumed is asked for again by the next', async () => {
    let tries = 0;
    const { authorize, oidcToken, assumed } = await startCloud({
      role: { arn: HUB },
      oidcToken: async (audience) => {
        tries += 1;
        if (tries === 1) throw new Error('busy');
        return oidcToken(audience);
      },
    });
    setEnvironment(NO_KEYS);
    await expect(authorize()).rejects.toThrow('busy');
    expect(assumed()).toEqual([]);
    await authorize();
    expect(assumed()).toEqual([`sts:AssumeRoleWithWebIdentity ${HUB}`]);
  });
});

test('without a role the credentials of the job are used as they are', async () => {
  const { authorize, assumed, masked } = await startCloud();
  await authorize();
  expect(assumed()).toEqual([]);
  expect(masked).toEqual([]);
});
