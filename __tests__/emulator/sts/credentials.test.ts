import { DescribeRegistryCommand, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr';
import { describe, expect, test } from '@jest/globals';
import { type Emulator, startEmulator } from '../../../emulator/emulator.ts';
import { atEnd } from '../../support/ends.ts';
import { type Credentials, ecrClient, logIn, registryWith } from '../support.ts';
import { ACCOUNT, assume, clock, ROLE, start } from './setup.ts';

const HOUR = 3_600_000;

describe('temporary credentials', () => {
  const describeRegistry = (emulator: Emulator, who: Credentials, region = 'us-east-1') =>
    ecrClient(emulator, region, who).send(new DescribeRegistryCommand({}));

  test('end when their time has come, and not before', async () => {
    const emulator = await start();
    const credentials = await assume(emulator);
    const { token } = await logIn(emulator, 'us-east-1', credentials);
    clock.now += HOUR - 1_000;
    await describeRegistry(emulator, credentials);
    clock.now += 1_000;
    const message = 'The security token included in the request is expired';
    await expect(describeRegistry(emulator, credentials)).rejects.toMatchObject({
      name: 'ExpiredTokenException',
      message,
      $metadata: { httpStatusCode: 400 },
    });
    await expect(assume(emulator, credentials)).rejects.toMatchObject({ name: 'ExpiredToken', message });
    // An authorization token outlives the credentials that it was had for.
    const registry = registryWith(emulator.url('us-east-1'), token);
    expect((await registry.call('GET', '/v2/app/tags/list')).status).toBe(200);
  });

  test.each<[string, (credentials: Credentials) => Credentials]>([
    ['without their token', ({ sessionToken: _, ...rest }) => rest],
    ['with another token', (credentials) => ({ ...credentials, sessionToken: 'made-up' })],
    ['of a key that nobody has', (credentials) => ({ ...credentials, accessKeyId: 'ASIANOBODY' })],
  ])('are refused %s', async (_, change) => {
    const emulator = await start();
    const changed = change(await assume(emulator));
    const message = 'The security token included in the request is invalid.';
    await expect(describeRegistry(emulator, changed)).rejects.toMatchObject({
      name: 'UnrecognizedClientException',
      message,
    });
    await expect(assume(emulator, changed)).rejects.toMatchObject({ name: 'InvalidClientTokenId', message });
  });

  test('that nobody gave out are refused even where any access key is taken', async () => {
    const emulator = await startEmulator({ regions: ['us-east-1'] });
    atEnd(() => emulator.close());
    const made = { accessKeyId: 'ASIAMADE', secretAccessKey: 's', sessionToken: 'made-up' };
    await expect(describeRegistry(emulator, made)).rejects.toMatchObject({
      name: 'UnrecognizedClientException',
    });
  });

  test('are good in no other partition than their role’s', async () => {
    const emulator = await start();
    await expect(describeRegistry(emulator, await assume(emulator), 'cn-north-1')).rejects.toMatchObject({
      name: 'UnrecognizedClientException',
    });
    const china = ROLE.replace('aws', 'aws-cn');
    const there = await start({ [china]: { trust: [{ principals: [ACCOUNT] }] } });
    const credentials = await assume(there, 'AKIDCI', { role: china, region: 'cn-north-1' });
    expect((await describeRegistry(there, credentials, 'cn-north-1')).registryId).toBe(ACCOUNT);
  });
});

test('an access key is good in its partition alone, if it has one', async () => {
  const principals = { AKIDCHINA: { account: ACCOUNT, partition: 'aws-cn' } };
  const emulator = await start({}, { principals });
  const send = (region: string) =>
    ecrClient(emulator, region, 'AKIDCHINA').send(new GetAuthorizationTokenCommand({}));
  expect((await send('cn-north-1')).authorizationData).toHaveLength(1);
  await expect(send('us-east-1')).rejects.toMatchObject({ name: 'UnrecognizedClientException' });
});

test.each(['push', `arn:aws:iam::${ACCOUNT}:user/push`, 'arn:aws:iam::12:role/push'])(
  'the emulator does not start with a role called %s',
  async (arn) => {
    const starting = startEmulator({ regions: ['us-east-1'], roles: { [arn]: { trust: [] } } });
    await expect(starting).rejects.toThrow(`"${arn}" is not the ARN of a role`);
  },
);
