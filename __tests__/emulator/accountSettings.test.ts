import { GetAccountSettingCommand, PutAccountSettingCommand } from '@aws-sdk/client-ecr';
import { describe, expect, test } from '@jest/globals';
import { startEmulator } from '../../emulator/emulator.ts';
import { atEnd } from '../support/ends.ts';
import { ecr, emulator, restart } from './api/setup.ts';
import { ecrClient } from './support.ts';

const read = async (name: string, client = ecr) =>
  (await client.send(new GetAccountSettingCommand({ name }))).value;

describe('an account’s setting', () => {
  test.each([
    ['BASIC_SCAN_TYPE_VERSION', 'AWS_NATIVE'],
    ['REGISTRY_POLICY_SCOPE', 'V2'],
    ['BLOB_MOUNTING', 'DISABLED'],
  ])('%s is %s at first', async (name, value) => {
    expect(await ecr.send(new GetAccountSettingCommand({ name }))).toMatchObject({ name, value });
  });

  test('BLOB_MOUNTING is at first what the behaviour says', async () => {
    await restart({ blobMounting: true });
    expect(await read('BLOB_MOUNTING')).toBe('ENABLED');
  });

  test('is kept as it was put, until it is put anew', async () => {
    for (const value of ['ENABLED', 'DISABLED']) {
      const put = await ecr.send(new PutAccountSettingCommand({ name: 'BLOB_MOUNTING', value }));
      expect(put).toMatchObject({ name: 'BLOB_MOUNTING', value });
      expect(await read('BLOB_MOUNTING')).toBe(value);
    }
  });

  test('is one for each region', async () => {
    await ecr.send(new PutAccountSettingCommand({ name: 'BLOB_MOUNTING', value: 'ENABLED' }));
    expect(await read('BLOB_MOUNTING', ecrClient(emulator, 'cn-north-1'))).toBe('DISABLED');
  });

  test('is each account’s own', async () => {
    const [one, other] = ['123456789012', '210987654321'];
    const principals = { AKIDONE: { account: one }, AKIDOTHER: { account: other } };
    const both = await startEmulator({ regions: ['us-east-1'], accounts: [one, other], principals });
    atEnd(() => both.close());
    const client = ecrClient(both, 'us-east-1', 'AKIDONE');
    await client.send(new PutAccountSettingCommand({ name: 'BLOB_MOUNTING', value: 'ENABLED' }));
    expect(await read('BLOB_MOUNTING', ecrClient(both, 'us-east-1', 'AKIDOTHER'))).toBe('DISABLED');
    expect(await read('BLOB_MOUNTING', client)).toBe('ENABLED');
  });

  test.each([
    ['BLOB_MOUNTS', 'ENABLED', 'name'],
    ['BLOB_MOUNTING', 'true', 'value'],
    ['BASIC_SCAN_TYPE_VERSION', 'ENABLED', 'value'],
  ])('%s is not put as %s', async (name, value, field) => {
    await expect(ecr.send(new PutAccountSettingCommand({ name, value }))).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message: expect.stringContaining(`'${field}'`),
    });
  });

  test('of no such name is not read', async () => {
    await expect(read('blob_mounting')).rejects.toMatchObject({ name: 'InvalidParameterException' });
  });
});
