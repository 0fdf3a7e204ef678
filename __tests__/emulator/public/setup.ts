import { ECRPUBLICClient, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr-public';
import { afterEach, beforeEach } from '@jest/globals';
import type { Behaviour } from '../../../emulator/behaviour.ts';
import { type Emulator, type EmulatorOptions, startEmulator } from '../../../emulator/emulator.ts';
import { digestOf } from '../../../src/image/digest.ts';
import type { TestImage, TestManifest } from '../support.ts';

export const ACCOUNT = '123456789012';
export const OTHER = '210987654321';
export const now = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

/** An emulator for each test, with an ECR Public whose first account has the alias `acme`. */
export let emulator: Emulator;
/** The address of its ECR Public. */
export let origin: string;
/** What is added to the clock, in milliseconds. */
let elapsed: number;

/** Lets time pass, in milliseconds. */
export function pass(milliseconds: number): void {
  elapsed += milliseconds;
}

/** Starts the emulator anew, with other options. */
export async function restart(options: Partial<EmulatorOptions>): Promise<void> {
  await emulator.close();
  await start(options);
}

async function start({
  behaviour = {},
  ...options
}: Partial<EmulatorOptions> & { behaviour?: Partial<Behaviour> }) {
  elapsed = 0;
  emulator = await startEmulator({
    regions: ['us-east-1', 'eu-west-1'],
    accounts: [ACCOUNT, OTHER],
    principals: { AKIDEMULATOR: { account: ACCOUNT }, AKIDOTHER: { account: OTHER } },
    public: { aliases: { [ACCOUNT]: 'acme' } },
    behaviour,
    now: () => now + elapsed,
    ...options,
  });
  origin = emulator.publicUrl ?? '';
}

beforeEach(() => start({}));
afterEach(() => emulator.close());

/** The SDK's client, as a user's own tools make it. */
export function publicClient(accessKeyId = 'AKIDEMULATOR', region = 'us-east-1'): ECRPUBLICClient {
  return new ECRPUBLICClient({
    endpoint: origin,
    region,
    credentials: { accessKeyId, secretAccessKey: 'secret' },
    maxAttempts: 1,
  });
}

/** What GetAuthorizationToken gives. */
export async function authorizationToken(accessKeyId?: string): Promise<string> {
  const { authorizationData } = await publicClient(accessKeyId).send(new GetAuthorizationTokenCommand({}));
  return authorizationData?.authorizationToken ?? '';
}

/** Asks for a bearer token, as nobody unless a token of GetAuthorizationToken goes along. */
export function askForBearer(token?: string): Promise<Response> {
  return fetch(new URL('/token/?service=public.ecr.aws&scope=aws', origin), {
    headers: token === undefined ? {} : { Authorization: `Basic ${token}` },
  });
}

/** What the tests do over /v2/ with a bearer token. */
export interface PublicRegistry {
  call(method: string, path: string, init?: RequestInit): Promise<Response>;
  pushBlob(repository: string, content: Buffer): Promise<Response>;
  pushManifest(repository: string, reference: string, manifest: TestManifest): Promise<Response>;
  pushImage(repository: string, image: TestImage, tag: string): Promise<Response>;
}

/** Logs in as an access key's owner, or as nobody. */
export async function enter(accessKeyId?: string): Promise<PublicRegistry> {
  const login = accessKeyId === undefined ? undefined : await authorizationToken(accessKeyId);
  const { token } = JSON.parse(await (await askForBearer(login)).text());
  const call: PublicRegistry['call'] = (method, path, { headers, ...init } = {}) =>
    fetch(new URL(path, origin), {
      method,
      redirect: 'manual',
      headers: { Authorization: `Bearer ${token}`, ...Object.fromEntries(new Headers(headers)) },
      ...init,
    });
  const pushBlob: PublicRegistry['pushBlob'] = async (repository, content) => {
    const started = await call('POST', `/v2/${repository}/blobs/uploads/`);
    if (started.status !== 202) return started;
    const location = `${started.headers.get('location')}?digest=${digestOf(content)}`;
    return call('PUT', location, { body: new Uint8Array(content) });
  };
  const pushManifest: PublicRegistry['pushManifest'] = (repository, reference, { text, mediaType }) =>
    call('PUT', `/v2/${repository}/manifests/${reference}`, {
      body: text,
      headers: { 'Content-Type': mediaType },
    });
  const pushImage: PublicRegistry['pushImage'] = async (repository, image, tag) => {
    for (const blob of [image.config, image.layer]) await pushBlob(repository, blob);
    return pushManifest(repository, tag, image);
  };
  return { call, pushBlob, pushManifest, pushImage };
}
