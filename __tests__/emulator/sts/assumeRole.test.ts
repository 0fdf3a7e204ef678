import { PutImageCommand } from '@aws-sdk/client-ecr';
import { describe, expect, test } from '@jest/globals';
import type { RoleOptions } from '../../../emulator/iam/roles.ts';
import { ecrClient, imageOf, logIn } from '../support.ts';
import { ACCOUNT, type Asked, assume, call, clock, OTHER, ROLE, start, USER, whoAmI } from './setup.ts';

describe('AssumeRole', () => {
  test('gives temporary credentials, which ECR takes for the role’s', async () => {
    const policy = [{ effect: 'Allow', actions: ['ecr:GetAuthorizationToken'], resources: ['*'] }] as const;
    const emulator = await start({ [ROLE]: { trust: [{ principals: [ACCOUNT] }], policy } });
    const credentials = await assume(emulator);
    expect(credentials).toMatchObject({
      accessKeyId: expect.stringMatching(/^ASIA[A-Z0-9]{16}$/),
      expiration: new Date(Date.UTC(2026, 0, 2, 4, 4, 5)),
    });
    expect(emulator.requests[0]).toMatchObject({
      operation: 'AssumeRole',
      needed: [{ action: 'sts:AssumeRole', resource: ROLE }],
    });
    const registry = await logIn(emulator, 'us-east-1', credentials);
    const refused = await registry.call('GET', '/v2/app/tags/list');
    expect([refused.status, await refused.text()]).toEqual([
      403,
      expect.stringContaining(`User: arn:aws:sts::${ACCOUNT}:assumed-role/push/session is not authorized`),
    ]);
    const put = new PutImageCommand({ repositoryName: 'app', imageManifest: imageOf('amd64').text });
    await expect(ecrClient(emulator, 'us-east-1', credentials).send(put)).rejects.toMatchObject({
      name: 'AccessDeniedException',
    });
  });

  test.each<[string, RoleOptions['trust'], string, string]>([
    ['an account, by its number', [{ principals: [OTHER] }], 'AKIDOTHER', ROLE],
    ['an account, by its root', [{ principals: [`arn:aws:iam::${OTHER}:root`] }], 'AKIDOTHER', ROLE],
    ['a user', [{ principals: [`arn:aws:iam::${OTHER}:user/ops`] }], 'AKIDOTHER', ROLE],
    [
      'a user of its own whose policy is silent',
      [{ principals: [USER.replace('ci', 'poor')] }],
      'AKIDPOOR',
      ROLE,
    ],
    ['one of several', [{ principals: ['111111111111'] }, { principals: [USER] }], 'AKIDCI', ROLE],
  ])('is granted to %s that the role trusts', async (_, trust, who, role) => {
    const emulator = await start({ [ROLE]: { trust } });
    expect((await assume(emulator, who, { role })).sessionToken).toBeTruthy();
  });

  test.each<[string, RoleOptions['trust'], string, Asked]>([
    ['whom the role does not trust', [{ principals: [USER] }], 'AKIDOTHER', {}],
    ['who is trusted by account and whose policy is silent', [{ principals: [ACCOUNT] }], 'AKIDPOOR', {}],
    ['whose policy denies it', [{ principals: [`arn:aws:iam::${ACCOUNT}:user/barred`] }], 'AKIDBARRED', {}],
    ['who names no role that there is', [{ principals: [ACCOUNT] }], 'AKIDCI', { role: `${ROLE}2` }],
    ['who asks another partition', [{ principals: [ACCOUNT] }], 'AKIDCI', { region: 'cn-north-1' }],
    ['who gives no external id', [{ principals: [ACCOUNT], externalId: 'x1' }], 'AKIDCI', {}],
    [
      'who gives another external id',
      [{ principals: [ACCOUNT], externalId: 'x1' }],
      'AKIDCI',
      { externalId: 'x2' },
    ],
    ['whom only a web identity would help', [{ audience: 'a', subject: '*' }], 'AKIDCI', {}],
  ])('is refused to one %s', async (_, trust, who, asked) => {
    const emulator = await start({ [ROLE]: { trust } });
    await expect(assume(emulator, who, asked)).rejects.toMatchObject({
      name: 'AccessDenied',
      $metadata: { httpStatusCode: 403 },
      message: expect.stringMatching(
        /^User: arn:aws(-cn)?:iam::\d+:user\/\w+ is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::123456789012:role\/ci\/push2?$/,
      ),
    });
    expect(emulator.requests).toMatchObject([{ needed: [{ action: 'sts:AssumeRole' }], status: 403 }]);
  });

  test('wants an external id where the role does, and takes one where it does not', async () => {
    const emulator = await start({ [ROLE]: { trust: [{ principals: [ACCOUNT], externalId: 'x1' }] } });
    expect((await assume(emulator, 'AKIDCI', { externalId: 'x1' })).sessionToken).toBeTruthy();
    expect((await assume(await start(), 'AKIDCI', { externalId: 'x1' })).sessionToken).toBeTruthy();
  });

  test.each([
    [
      899,
      "1 validation error detected: Value '899' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900",
    ],
    [
      43_201,
      "1 validation error detected: Value '43201' at 'durationSeconds' failed to satisfy constraint: Member must have value less than or equal to 43200",
    ],
    [7_201, 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.'],
  ])('is not given for %d seconds', async (seconds, message) => {
    const emulator = await start({
      [ROLE]: { trust: [{ principals: [ACCOUNT] }], maxSessionDuration: 7_200 },
    });
    await expect(assume(emulator, 'AKIDCI', { seconds })).rejects.toMatchObject({
      name: 'ValidationError',
      message,
      $metadata: { httpStatusCode: 400 },
    });
  });

  test.each([900, 7_200])('is given for %d seconds', async (seconds) => {
    const emulator = await start({
      [ROLE]: { trust: [{ principals: [ACCOUNT] }], maxSessionDuration: 7_200 },
    });
    const { expiration } = await assume(emulator, 'AKIDCI', { seconds });
    expect(expiration?.getTime()).toBe(Math.floor(clock.now / 1_000) * 1_000 + seconds * 1_000);
  });

  test.each([
    [{ RoleSessionName: 'a session' }, /at 'roleSessionName' .+ pattern: \[\\w\+=,\.@-\]\*$/],
    [{ RoleSessionName: 'x' }, /at 'roleSessionName' .+ length greater than or equal to 2$/],
    [{ RoleArn: 'push' }, /at 'roleArn' .+ length greater than or equal to 20$/],
    [{ RoleArn: `arn:aws:iam::${ACCOUNT}:user/push` }, /^arn:aws:iam::\d+:user\/push is invalid$/],
    [{ DurationSeconds: 'soon' }, /Value 'soon' at 'durationSeconds'/],
    [{ RoleArn: 'x', RoleSessionName: 'y' }, /^2 validation errors detected: .+roleArn.+; .+roleSessionName/],
    [{ Policy: '{}' }, /no session policies/],
    [{ 'PolicyArns.member.1.arn': 'arn' }, /no session policies/],
  ])('is refused with %j', async (wrong, message) => {
    const parameters = { Action: 'AssumeRole', RoleArn: ROLE, RoleSessionName: 'session', ...wrong };
    expect(await call(await start(), parameters)).toMatchObject({
      status: 400,
      Code: 'ValidationError',
      Message: expect.stringMatching(message),
    });
  });

  test('is refused with nothing', async () => {
    const { Message } = await call(await start(), { Action: 'AssumeRole' });
    expect(Message).toMatch(/^2 validation errors detected: Value null at 'roleArn' .+ must not be null; /);
  });
});

describe('a chain of roles', () => {
  const NEXT = `arn:aws:iam::${OTHER}:role/deploy`;
  const roles = (principal: string): Record<string, RoleOptions> => ({
    [ROLE]: { trust: [{ principals: [ACCOUNT] }], maxSessionDuration: 43_200 },
    [NEXT]: { trust: [{ principals: [principal] }], maxSessionDuration: 43_200 },
  });

  test.each([
    ['role', ROLE],
    ['session', `arn:aws:sts::${ACCOUNT}:assumed-role/push/session`],
    ['account', ACCOUNT],
  ])('is one that the next role lets in by the %s before', async (_, principal) => {
    const emulator = await start(roles(principal));
    const first = await assume(emulator, 'AKIDCI', { seconds: 43_200 });
    const second = await assume(emulator, first, { role: NEXT });
    expect(
      await call(emulator, whoAmI, { key: second.accessKeyId, token: second.sessionToken ?? '' }),
    ).toMatchObject({ Arn: `arn:aws:sts::${OTHER}:assumed-role/deploy/session` });
  });

  test('does not let in who has not gone the way before', async () => {
    const emulator = await start(roles(ROLE));
    await expect(assume(emulator, 'AKIDCI', { role: NEXT })).rejects.toMatchObject({ name: 'AccessDenied' });
  });

  test('lasts an hour at the most', async () => {
    const emulator = await start(roles(ROLE));
    const first = await assume(emulator, 'AKIDCI', { seconds: 43_200 });
    await expect(assume(emulator, first, { role: NEXT, seconds: 3_601 })).rejects.toMatchObject({
      name: 'ValidationError',
      message:
        'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining',
    });
    expect((await assume(emulator, first, { role: NEXT, seconds: 3_600 })).sessionToken).toBeTruthy();
  });
});
