import { DescribeRegistryCommand } from '@aws-sdk/client-ecr';
import { fromWebToken } from '@aws-sdk/credential-providers';
import { describe, expect, test } from '@jest/globals';
import type { Emulator } from '../../../emulator/emulator.ts';
import { ecrClient } from '../support.ts';
import { ACCOUNT, assume, call, clock, OTHER, ROLE, start } from './setup.ts';

const ISSUER = 'https://token.actions.githubusercontent.com';
const HEAD = Buffer.from('{"typ":"JWT","alg":"RS256"}').toString('base64url');

describe('AssumeRoleWithWebIdentity', () => {
  const claims = { iss: ISSUER, aud: 'sts.amazonaws.com', sub: 'repo:octo/app:ref:refs/heads/main' };
  const trust = { audience: 'sts.amazonaws.com', subject: 'repo:octo/app:*' };
  const roles = { [ROLE]: { trust: [trust] } };

  function jwt(changed: Record<string, unknown> = {}): string {
    const payload = { ...claims, exp: Math.floor(clock.now / 1_000) + 300, ...changed };
    return `${HEAD}.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.c2ln`;
  }

  /** Assumes the role with the SDK, by a token and without any credentials. */
  function assumeBy(emulator: Emulator, webIdentityToken: string, roleArn = ROLE, durationSeconds = 900) {
    const clientConfig = { region: 'us-east-1', endpoint: emulator.endpoint, maxAttempts: 1 };
    const roleSessionName = 'session';
    return fromWebToken({ webIdentityToken, roleArn, roleSessionName, durationSeconds, clientConfig })();
  }

  test('gives temporary credentials for a token, without any others', async () => {
    const emulator = await start(roles);
    const credentials = await assumeBy(emulator, jwt());
    expect(credentials.expiration?.getTime()).toBe(Math.floor(clock.now / 1_000) * 1_000 + 900_000);
    expect(emulator.requests[0]).toMatchObject({
      operation: 'AssumeRoleWithWebIdentity',
      needed: [{ action: 'sts:AssumeRoleWithWebIdentity', resource: ROLE }],
    });
    const client = ecrClient(emulator, 'us-east-1', credentials);
    expect((await client.send(new DescribeRegistryCommand({}))).registryId).toBe(ACCOUNT);
  });

  test('tells what it has read in the token', async () => {
    const parameters = {
      Action: 'AssumeRoleWithWebIdentity',
      RoleArn: ROLE,
      RoleSessionName: 'session',
      WebIdentityToken: jwt({ aud: ['other', 'sts.amazonaws.com'] }),
    };
    expect(await call(await start(roles), parameters, { key: null })).toMatchObject({
      status: 200,
      SubjectFromWebIdentityToken: claims.sub,
      Audience: 'sts.amazonaws.com',
      Provider: `arn:aws:iam::${ACCOUNT}:oidc-provider/token.actions.githubusercontent.com`,
      Arn: `arn:aws:sts::${ACCOUNT}:assumed-role/push/session`,
    });
  });

  const notAuthorized = [
    'AccessDenied',
    'Not authorized to perform sts:AssumeRoleWithWebIdentity',
    403,
  ] as const;
  const notJwt = ['InvalidIdentityTokenException', /is not a valid JWT/, 400] as const;

  test.each<[string, () => string, readonly [string, string | RegExp, number]]>([
    ['of another repository', () => jwt({ sub: 'repo:octo/other:ref:refs/heads/main' }), notAuthorized],
    ['for another role’s audience', () => jwt({ aud: 'internal' }), notAuthorized],
    [
      'for an audience that the provider does not know',
      () => jwt({ aud: 'https://github.com/octo' }),
      ['InvalidIdentityTokenException', 'Incorrect token audience', 400],
    ],
    [
      'of an issuer that is no provider of the account',
      () => jwt({ iss: 'https://gitlab.com' }),
      [
        'InvalidIdentityTokenException',
        'No OpenIDConnect provider found in your account for https://gitlab.com',
        400,
      ],
    ],
    [
      'that has expired',
      () => jwt({ exp: Math.floor(clock.now / 1_000) }),
      ['ExpiredTokenException', /^Token expired: /, 400],
    ],
    ['without a subject', () => jwt({ sub: undefined }), notJwt],
    ['that is not signed', () => jwt().replace(/[^.]+$/, ''), notJwt],
    ['that is something else', () => 'ghs_token', notJwt],
    ['whose claims are no JSON', () => `${HEAD}.bm8.c2ln`, notJwt],
  ])('refuses a token %s', async (_, token, [name, message, httpStatusCode]) => {
    const internal = { trust: [{ audience: 'internal', subject: '*' }] };
    const emulator = await start({ ...roles, [`${ROLE}2`]: internal });
    await expect(assumeBy(emulator, token())).rejects.toMatchObject({
      name,
      message: typeof message === 'string' ? message : expect.stringMatching(message),
      $metadata: { httpStatusCode },
    });
  });

  test('refuses a role that is not there, that trusts no token, or for too long', async () => {
    const emulator = await start({ ...roles, [`${ROLE}2`]: { trust: [{ principals: [ACCOUNT] }] } });
    for (const role of [`${ROLE}2`, `${ROLE}3`]) {
      await expect(assumeBy(emulator, jwt(), role)).rejects.toMatchObject({ name: 'AccessDenied' });
    }
    await expect(assumeBy(emulator, jwt(), ROLE, 3_601)).rejects.toMatchObject({ name: 'ValidationError' });
    const elsewhere = ROLE.replace(ACCOUNT, OTHER);
    await expect(assumeBy(emulator, jwt(), elsewhere)).rejects.toThrow('No OpenIDConnect provider found');
  });

  test('takes another issuer’s tokens where a role trusts them', async () => {
    const emulator = await start({ [ROLE]: { trust: [{ ...trust, issuer: 'https://gitlab.com' }] } });
    expect((await assumeBy(emulator, jwt({ iss: 'https://gitlab.com' }))).sessionToken).toBeTruthy();
    await expect(assumeBy(emulator, jwt())).rejects.toThrow(
      `No OpenIDConnect provider found in your account for ${ISSUER}`,
    );
  });

  test('names a provider whose issuer has a path', async () => {
    const issuer = 'https://ghe.example/_services/token';
    const emulator = await start({ [ROLE]: { trust: [{ ...trust, issuer }] } });
    const parameters = {
      Action: 'AssumeRoleWithWebIdentity',
      RoleArn: ROLE,
      RoleSessionName: 'session',
      WebIdentityToken: jwt({ iss: issuer }),
    };
    expect(await call(emulator, parameters, { key: null })).toMatchObject({
      Provider: `arn:aws:iam::${ACCOUNT}:oidc-provider/ghe.example/_services/token`,
    });
  });

  test('starts a chain, whose next session lasts an hour at the most', async () => {
    const next = `arn:aws:iam::${OTHER}:role/deploy`;
    const emulator = await start({
      ...roles,
      [next]: { trust: [{ principals: [ROLE] }], maxSessionDuration: 7_200 },
    });
    const first = await assumeBy(emulator, jwt());
    await expect(assume(emulator, first, { role: next, seconds: 7_200 })).rejects.toThrow('role chaining');
    expect((await assume(emulator, first, { role: next })).sessionToken).toBeTruthy();
  });
});
