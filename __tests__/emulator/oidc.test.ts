import * as core from '@actions/core';
import { fromWebToken } from '@aws-sdk/credential-providers';
import { describe, expect, test } from '@jest/globals';
import * as z from 'zod/mini';
import { startEmulator } from '../../emulator/emulator.ts';
import { type OidcOptions, type OidcService, startOidcService } from '../../emulator/github/oidcService.ts';
import { atEnd } from '../support/ends.ts';
import { setEnvironment } from '../support/environment.ts';
import { silenceOutput } from '../support/silence.ts';

const SUBJECT = 'repo:octo-org/octo-repo:ref:refs/heads/main';
const now = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

/** Starts the service until the test has ended, and puts a job's variables into the environment. */
async function start(options: Partial<OidcOptions> = {}): Promise<OidcService> {
  const service = await startOidcService({ subject: SUBJECT, now: () => now, ...options });
  atEnd(() => service.close());
  setEnvironment({
    ACTIONS_ID_TOKEN_REQUEST_URL: service.url,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: service.requestToken,
  });
  silenceOutput();
  return service;
}

function claimsIn(token: string): unknown {
  const [, payload = ''] = token.split('.');
  return JSON.parse(Buffer.from(payload, 'base64url').toString());
}

describe('the OIDC service', () => {
  test('gives a job’s toolkit a token for the audience that it names', async () => {
    await start();
    const seconds = Math.floor(now / 1_000);
    expect(claimsIn(await core.getIDToken('sts.amazonaws.com'))).toEqual({
      jti: expect.any(String),
      iss: 'https://token.actions.githubusercontent.com',
      aud: 'sts.amazonaws.com',
      sub: SUBJECT,
      iat: seconds,
      exp: seconds + 300,
    });
  });

  test('gives one for the repository’s owner where no audience is named', async () => {
    await start();
    expect(claimsIn(await core.getIDToken())).toMatchObject({ aud: 'https://github.com/octo-org' });
  });

  test('tells of whom and for how long it is told to', async () => {
    await start({ issuer: 'https://ghe.example', subject: 'repo:a/b:environment:prod', lifetime: 60 });
    const claims = claimsIn(await core.getIDToken('x'));
    const { iat, exp } = z.parse(z.object({ iat: z.number(), exp: z.number() }), claims);
    expect(claims).toMatchObject({ iss: 'https://ghe.example', sub: 'repo:a/b:environment:prod' });
    expect(exp - iat).toBe(60);
  });

  test('gives nothing to who has not the job’s request token', async () => {
    const { url } = await start();
    setEnvironment({ ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'guessed' });
    await expect(core.getIDToken('x')).rejects.toThrow('401');
    expect((await fetch(url)).status).toBe(401);
  });

  test('has nothing else', async () => {
    const { url, requestToken } = await start();
    const headers = { Authorization: `Bearer ${requestToken}` };
    expect((await fetch(new URL('/other', url), { headers })).status).toBe(404);
    expect((await fetch(url, { method: 'POST', headers })).status).toBe(404);
  });

  test('listens on loopback, under an address that has a query', async () => {
    const { url } = await start();
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\w+\?[\w.=-]+$/);
  });

  test('lets a job assume a role that trusts its repository', async () => {
    await start({ now: Date.now });
    const roleArn = 'arn:aws:iam::123456789012:role/push';
    const trust = [{ audience: 'sts.amazonaws.com', subject: 'repo:octo-org/*' }];
    const emulator = await startEmulator({ regions: ['us-east-1'], roles: { [roleArn]: { trust } } });
    atEnd(() => emulator.close());
    const clientConfig = { region: 'us-east-1', endpoint: emulator.endpoint };
    const webIdentityToken = await core.getIDToken('sts.amazonaws.com');
    const credentials = await fromWebToken({ webIdentityToken, roleArn, clientConfig })();
    expect(credentials.accessKeyId).toMatch(/^ASIA/);
  });
});
