import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BlobStore } from '../../src/distribution/server/blobStore.ts';
import { createRegistryHandler } from '../../src/distribution/server/handler.ts';
import type { Access } from '../access.ts';
import { isV2, targetOf } from '../addresses.ts';
import { createApiHandler } from '../api/handler.ts';
import type { Behaviour } from '../behaviour.ts';
import type { Principals } from '../iam/principals.ts';
import { Cloud, type Registry } from '../state/cloud.ts';
import { Tokens } from '../tokens.ts';
import type { RequestFacts } from '../traffic.ts';
import type { Presign } from '../v2/backend.ts';
import { quirksOf } from '../v2/quirks.ts';
import { Aliases, PUBLIC_REGION, type PublicOptions } from './aliases.ts';
import { PublicBackend } from './backend.ts';
import { Bearers } from './bearers.ts';
import { publicApi } from './operations.ts';

/** What stands for a region in what is told of ECR Public. */
export const PUBLIC = 'public';

/** What ECR Public shares with the private registries. */
export interface Shared {
  readonly accounts: readonly string[];
  readonly behaviour: Behaviour;
  readonly store: BlobStore;
  readonly principals: Principals;
  readonly access: Access;
  readonly presign: Presign;
  /** The clock, in epoch milliseconds. */
  readonly now: () => number;
}

/** ECR Public, as one port has it. */
export interface Public {
  /** Handles all that there is: its JSON API, its registry under /v2/, and /token/. */
  readonly handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  /** That of the first account. */
  readonly registry: Registry | undefined;
}

export function createPublic(shared: Shared, options: PublicOptions): Public {
  const { accounts, behaviour, store, now } = shared;
  const aliases = new Aliases(accounts, options);
  // Public registries have neither templates nor the accounts' settings for private ones.
  const world = { behaviour: { ...behaviour, blobMounting: false, createOnPush: false }, now, store };
  const cloud = new Cloud({ accounts, regions: [PUBLIC_REGION] }, world);
  const tokens = new Tokens(behaviour, now);
  const bearers = new Bearers(tokens, behaviour, now);
  const { tokenLifetime } = behaviour;
  const addressOf = () => 'https://public.ecr.aws';
  const handleApi = createApiHandler(
    { ...shared, cloud, tokens, tokenLifetime, addressOf },
    publicApi(aliases),
  );
  const quirks = quirksOf(behaviour);
  const handleV2 = createRegistryHandler(new PublicBackend({ ...shared, quirks, aliases, bearers, cloud }));
  return {
    handle(request, response) {
      if (isV2(request)) return handleV2(request, response);
      const isToken = /^\/token\/?(?:\?|$)/.test(request.url ?? '');
      return isToken ? bearers.handle(request, response) : handleApi(request, response);
    },
    registry: cloud.registry(accounts[0] ?? '', PUBLIC_REGION),
  };
}

/** What the log and the faults are told of a request to ECR Public. */
export function publicFacts(request: IncomingMessage): RequestFacts {
  const { method = '', url: path = '' } = request;
  const operation = isV2(request) ? undefined : targetOf(request)?.operation;
  return { region: PUBLIC, method, path, ...(operation !== undefined && { operation }) };
}
