import { PutAccountSettingCommand } from '@aws-sdk/client-ecr';
import { describe, expect, test } from '@jest/globals';
import type { Behaviour } from '../../emulator/behaviour.ts';
import { type Emulator, startEmulator } from '../../emulator/emulator.ts';
import type { RepositorySettings } from '../../emulator/state/settings.ts';
import { digestOf } from '../../src/image/digest.ts';
import { atEnd } from '../support/ends.ts';
import { ecrClient, imageOf, logIn, type Registry } from './support.ts';

const amd64 = imageOf('amd64');
const layer = digestOf(amd64.layer);
const KEY = 'arn:aws:kms:us-east-1:123456789012:key/1';

interface Scene {
  readonly behaviour?: Partial<Behaviour>;
  readonly source?: Partial<RepositorySettings>;
  readonly target?: Partial<RepositorySettings>;
}

/** An emulator with an image in one repository, and another repository beside it. */
async function start({ behaviour, source, target }: Scene = {}): Promise<[Emulator, Registry]> {
  const emulator = await startEmulator({
    regions: ['us-east-1', 'eu-west-1'],
    behaviour: { blobMounting: true, ...behaviour },
  });
  atEnd(() => emulator.close());
  emulator.createRepository('base', source);
  emulator.createRepository('app', target);
  const registry = await logIn(emulator, 'us-east-1');
  await registry.pushImage('base', amd64);
  return [emulator, registry];
}

const mount = ({ call }: Registry, digest: string = layer, from = 'base') =>
  call('POST', `/v2/app/blobs/uploads/?mount=${digest}&from=${from}`);

describe('a layer is mounted', () => {
  const kms = { encryptionConfiguration: { encryptionType: 'KMS', kmsKey: KEY } } as const;

  test.each<[string, Scene]>([
    ['where the registry allows it', {}],
    ['between repositories under the same key', { source: kms, target: kms }],
  ])('%s', async (_, scene) => {
    const [, registry] = await start(scene);
    const mounted = await mount(registry);
    expect([mounted.status, mounted.headers.get('docker-content-digest')]).toEqual([201, layer]);
    expect((await registry.call('HEAD', `/v2/app/blobs/${layer}`)).status).toBe(200);
  });

  test('as soon as the account’s setting allows it, and no longer than that', async () => {
    const [emulator, registry] = await start({ behaviour: { blobMounting: false } });
    const set = (value: string) =>
      ecrClient(emulator, 'us-east-1').send(new PutAccountSettingCommand({ name: 'BLOB_MOUNTING', value }));
    expect((await mount(registry)).status).toBe(202);
    await set('ENABLED');
    expect((await mount(registry)).status).toBe(201);
    await set('DISABLED');
    expect((await mount(registry, digestOf(amd64.config))).status).toBe(202);
    expect((await registry.call('HEAD', `/v2/app/blobs/${layer}`)).status).toBe(200);
  });

  test('without a manifest that refers to it, where none is needed', async () => {
    const [, registry] = await start({ behaviour: { mountNeedsManifest: false } });
    await registry.pushBlob('base', Buffer.from('alone'));
    expect((await mount(registry, digestOf(Buffer.from('alone')))).status).toBe(201);
  });
});

describe('an ordinary upload begins instead', () => {
  const aes = { encryptionConfiguration: { encryptionType: 'AES256' } } as const;
  const kms = { encryptionConfiguration: { encryptionType: 'KMS', kmsKey: KEY } } as const;
  const dsse = { encryptionConfiguration: { encryptionType: 'KMS_DSSE', kmsKey: KEY } } as const;
  const otherKey = { encryptionConfiguration: { encryptionType: 'KMS', kmsKey: `${KEY}2` } } as const;

  test.each<[string, Scene]>([
    ['where the registry does not allow mounts', { behaviour: { blobMounting: false } }],
    ['between repositories that are encrypted in other ways', { source: kms, target: aes }],
    ['between repositories under one key, one of them twice', { source: kms, target: dsse }],
    ['between repositories under other keys', { source: kms, target: otherKey }],
  ])('%s', async (_, scene) => {
    const [, registry] = await start(scene);
    const started = await mount(registry);
    expect(started.status).toBe(202);
    const end = `${started.headers.get('location')}?digest=${layer}`;
    const ended = await registry.call('PUT', end, { body: new Uint8Array(amd64.layer) });
    expect(ended.status).toBe(201);
  });

  test('where no manifest over there refers to the layer', async () => {
    const [, registry] = await start();
    await registry.pushBlob('base', Buffer.from('alone'));
    expect((await mount(registry, digestOf(Buffer.from('alone')))).status).toBe(202);
  });

  test('where the layer is not there, or its repository is not', async () => {
    const [, registry] = await start();
    expect((await mount(registry, digestOf(Buffer.from('none')))).status).toBe(202);
    expect((await mount(registry, layer, 'nowhere')).status).toBe(202);
  });

  test('where the layer is in another region', async () => {
    const [emulator] = await start();
    expect((await mount(await logIn(emulator, 'eu-west-1'))).status).toBe(202);
  });
});
