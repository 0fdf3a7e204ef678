import { fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import { type Emulator, type EmulatorOptions, startEmulator } from '../../../emulator/emulator.ts';
import type { RoleOptions } from '../../../emulator/iam/roles.ts';
import { atEnd } from '../../support/ends.ts';
import type { Credentials, Who } from '../support.ts';

export const ACCOUNT = '123456789012';
export const OTHER = '210987654321';
export const ROLE = `arn:aws:iam::${ACCOUNT}:role/ci/push`;
export const USER = `arn:aws:iam::${ACCOUNT}:user/ci`;

/** The emulators' clock, in epoch milliseconds, which stands still unless it is set. */
export const clock = { now: Date.UTC(2026, 0, 2, 3, 4, 5, 678) };

/** Starts an emulator with these roles and some users until the test has ended. */
export async function start(
  roles: Record<string, RoleOptions> = { [ROLE]: { trust: [{ principals: [ACCOUNT] }] } },
  options: Partial<EmulatorOptions> = {},
): Promise<Emulator> {
  const emulator = await startEmulator({
    regions: ['us-east-1', 'cn-north-1'],
    accounts: [ACCOUNT, OTHER],
    principals: {
      AKIDCI: { account: ACCOUNT, name: 'ci' },
      AKIDOTHER: { account: OTHER, name: 'ops' },
      AKIDPOOR: { account: ACCOUNT, name: 'poor', policy: [] },
      AKIDBARRED: {
        account: ACCOUNT,
        name: 'barred',
        policy: [{ effect: 'Deny', actions: ['sts:*'], resources: ['*'] }],
      },
    },
    repositories: ['app'],
    roles,
    now: () => clock.now,
    ...options,
  });
  atEnd(() => emulator.close());
  return emulator;
}

/** What is asked for when a role is assumed. */
export interface Asked {
  readonly role?: string;
  readonly session?: string;
  readonly seconds?: number;
  readonly externalId?: string;
  readonly region?: string;
}

/** Assumes a role with the SDK, as who has these credentials. */
export function assume(
  emulator: Emulator,
  who: Who = 'AKIDCI',
  { role = ROLE, session = 'session', seconds, externalId, region = 'us-east-1' }: Asked = {},
): Promise<Credentials> {
  const masterCredentials = typeof who === 'string' ? { accessKeyId: who, secretAccessKey: 's' } : who;
  return fromTemporaryCredentials({
    masterCredentials,
    clientConfig: { region, endpoint: emulator.endpoint, maxAttempts: 1 },
    params: {
      RoleArn: role,
      RoleSessionName: session,
      ...(seconds !== undefined && { DurationSeconds: seconds }),
      ...(externalId !== undefined && { ExternalId: externalId }),
    },
  })();
}

/** Sends a call to STS whose signature names a key, and tells its status and what its answer's elements say. */
export async function call(
  emulator: Emulator,
  parameters: Record<string, string>,
  { key = 'AKIDCI', token, service = 'sts' }: { key?: string | null; token?: string; service?: string } = {},
) {
  const scope = `${key}/20260102/us-east-1/${service}/aws4_request`;
  const response = await fetch(emulator.endpoint, {
    method: 'POST',
    body: new URLSearchParams({ Version: '2011-06-15', ...parameters }),
    headers: {
      ...(key !== null && {
        Authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=00`,
      }),
      ...(token !== undefined && { 'X-Amz-Security-Token': token }),
    },
  });
  const xml = await response.text();
  const found = [...xml.matchAll(/<(\w+)>([^<]*)<\/\1>/g)].map(([, name = '', text = '']) => [name, text]);
  return { status: response.status, ...Object.fromEntries(found) };
}

export const whoAmI = { Action: 'GetCallerIdentity' };
