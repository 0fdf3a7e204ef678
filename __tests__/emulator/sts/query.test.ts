import { describe, expect, test } from '@jest/globals';
import { startEmulator } from '../../../emulator/emulator.ts';
import type { Fault } from '../../../emulator/traffic.ts';
import { atEnd } from '../../support/ends.ts';
import { ACCOUNT, assume, call, start, USER, whoAmI } from './setup.ts';

describe('GetCallerIdentity', () => {
  test('tells who signed the request', async () => {
    const emulator = await start();
    expect(await call(emulator, whoAmI)).toMatchObject({ status: 200, Arn: USER, Account: ACCOUNT });
    expect(emulator.requests).toMatchObject([{ operation: 'GetCallerIdentity', needed: [], status: 200 }]);
  });

  test('takes any key for the first account’s root where no principals are named', async () => {
    const emulator = await startEmulator({ regions: ['us-east-1'] });
    atEnd(() => emulator.close());
    const arn = `arn:aws:iam::${ACCOUNT}:root`;
    expect(await call(emulator, whoAmI, { key: 'any' })).toMatchObject({ Arn: arn, UserId: ACCOUNT });
  });

  test('tells the session of who has assumed a role', async () => {
    const emulator = await start();
    const { accessKeyId: key, sessionToken } = await assume(emulator);
    expect(await call(emulator, whoAmI, { key, token: sessionToken ?? '' })).toMatchObject({
      Arn: `arn:aws:sts::${ACCOUNT}:assumed-role/push/session`,
      UserId: expect.stringMatching(/^AROA[A-Z0-9]{17}:session$/),
      Account: ACCOUNT,
    });
  });

  test.each([
    ['an unknown key', { key: 'AKIDNOBODY' }, 'InvalidClientTokenId'],
    ['a key with another’s session token', { token: 'made-up' }, 'InvalidClientTokenId'],
    ['no signature', { key: null }, 'MissingAuthenticationToken'],
    ['a signature for ECR', { service: 'ecr' }, 'SignatureDoesNotMatch'],
  ])('refuses %s', async (_, signer, code) => {
    expect(await call(await start(), whoAmI, signer)).toMatchObject({
      status: 403,
      Code: code,
      Type: 'Sender',
    });
  });
});

describe('the query protocol', () => {
  test.each([
    [{ Action: 'GetSessionToken' }, 'Could not find operation GetSessionToken for version 2011-06-15'],
    [
      { ...whoAmI, Version: '2010-05-08' },
      'Could not find operation GetCallerIdentity for version 2010-05-08',
    ],
  ])('has no %j', async (parameters, message) => {
    expect(await call(await start(), parameters)).toMatchObject({
      status: 400,
      Code: 'InvalidAction',
      Message: message,
    });
  });

  test('writes what XML has signs for as it should', async () => {
    const { Message } = await call(await start(), {
      Action: 'AssumeRole',
      RoleArn: 'a<b>&c',
      RoleSessionName: 'ab',
    });
    expect(Message).toContain("Value 'a&lt;b&gt;&amp;c' at 'roleArn'");
  });

  test('leaves a call with a target to the JSON API, though it calls its body a form', async () => {
    const { endpoint } = await start();
    const credential = 'AKIDCI/20260102/us-east-1/ecr/aws4_request';
    const response = await fetch(endpoint, {
      method: 'POST',
      body: '{}',
      headers: {
        'Content-Type': 'application/x-www-form-urlencoded',
        'X-Amz-Target': 'AmazonEC2ContainerRegistry_V20150921.DescribeRegistry',
        Authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host, Signature=00`,
      },
    });
    expect(await response.json()).toMatchObject({ registryId: ACCOUNT });
  });

  test('does not read a body without end', async () => {
    const answer = await call(await start(), { ...whoAmI, Padding: 'x'.repeat(300_000) });
    expect(answer).toMatchObject({ status: 400, Code: 'MalformedInput' });
  });

  test('answers a fault in its own manner', async () => {
    const fault: Fault = ({ path }) =>
      path === '/' ? { status: 400, code: 'Throttling', message: 'Rate exceeded' } : undefined;
    const emulator = await start(undefined, { fault });
    await expect(assume(emulator)).rejects.toMatchObject({ name: 'Throttling', message: 'Rate exceeded' });
  });
});
