import type { ECRClient } from '@aws-sdk/client-ecr';
import { afterEach, beforeEach, expect } from '@jest/globals';
import type { Behaviour } from '../../../emulator/behaviour.ts';
import { type Emulator, startEmulator } from '../../../emulator/emulator.ts';
import type { Digest } from '../../../src/image/digest.ts';
import { ecrClient, imageOf, indexOf, logIn } from '../support.ts';

export const now = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
export const amd64 = imageOf('amd64');
export const arm64 = imageOf('arm64');
export const index = indexOf(amd64, arm64);
export const absent: Digest = `sha256:${'0'.repeat(64)}`;
export const repositoryName = 'app';

/** An emulator for each test, with one repository, and the SDK's client of its first region. */
export let emulator: Emulator;
export let ecr: ECRClient;

/** Starts the emulator anew, with another behaviour. */
export async function restart(behaviour: Partial<Behaviour>): Promise<void> {
  await stop();
  await start(behaviour);
}

async function start(behaviour: Partial<Behaviour>): Promise<void> {
  emulator = await startEmulator({ regions: ['us-east-1', 'cn-north-1'], behaviour, now: () => now });
  emulator.createRepository(repositoryName);
  ecr = ecrClient(emulator, 'us-east-1');
}

async function stop(): Promise<void> {
  ecr.destroy();
  await emulator.close();
}

beforeEach(() => start({}));
afterEach(stop);

/** Pushes both images and their index, the latter under a tag. */
export async function pushAll(tag = 'v1'): Promise<void> {
  const registry = await logIn(emulator, 'us-east-1');
  await registry.pushImage(repositoryName, amd64);
  await registry.pushImage(repositoryName, arm64);
  const response = await registry.pushManifest(repositoryName, tag, index);
  expect(response.status).toBe(201);
}
