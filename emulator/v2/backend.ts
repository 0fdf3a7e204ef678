import type { IncomingMessage } from 'node:http';
import type { Backend, Quirks, RepositoryBackend } from '../../src/distribution/server/backend.ts';
import { Refusal } from '../../src/distribution/server/refusal.ts';
import type { Digest } from '../../src/image/digest.ts';
import type { Access, Caller } from '../access.ts';
import { addressed } from '../addresses.ts';
import type { Behaviour } from '../behaviour.ts';
import type { Principals } from '../iam/principals.ts';
import { operationsOf } from '../operations.ts';
import type { Cloud, Registry } from '../state/cloud.ts';
import type { Tokens } from '../tokens.ts';
import { quirksOf } from './quirks.ts';
import { EcrRepository } from './repository.ts';

/** Where a blob of an account's registry in a region can be had. */
export type Presign = (digest: Digest, registry: { account: string; region: string }) => string;

/** What one region's port serves under /v2/. */
export class EcrBackend implements Backend {
  readonly quirks: Quirks;
  readonly #region: string;
  readonly #cloud: Cloud;
  readonly #principals: Principals;
  readonly #access: Access;
  readonly #tokens: Tokens;
  readonly #behaviour: Behaviour;
  readonly #presign: Presign;

  constructor(
    region: string,
    shared: {
      cloud: Cloud;
      principals: Principals;
      access: Access;
      tokens: Tokens;
      behaviour: Behaviour;
      presign: Presign;
    },
  ) {
    this.quirks = quirksOf(shared.behaviour);
    this.#region = region;
    this.#cloud = shared.cloud;
    this.#principals = shared.principals;
    this.#access = shared.access;
    this.#tokens = shared.tokens;
    this.#behaviour = shared.behaviour;
    this.#presign = shared.presign;
  }

  authenticate(request: IncomingMessage): void {
    this.#caller(request);
  }

  /** Whose registry a request is for, and who asks. */
  #caller(request: IncomingMessage): Caller & { registry: Registry } {
    const { account, region } = addressed(request, this.#region);
    const host = request.headers.host ?? '';
    const grant = this.#tokens.check(request.headers.authorization, { region, host });
    const owner = account ?? grant.account;
    const registry = this.#cloud.registry(owner, region);
    if (!registry) {
      throw new Refusal(404, 'NAME_UNKNOWN', `The registry with id '${owner}' does not exist`);
    }
    return { registry, principal: this.#principals.of(grant.accessKey) };
  }

  async repository(name: string, request: IncomingMessage): Promise<RepositoryBackend> {
    const caller = this.#caller(request);
    const { registry } = caller;
    const template = isPush(request) && !registry.has(name) ? registry.templates.forPush(name) : undefined;
    const creation = { service: 'ecr', name: 'CreateRepository', repository: name } as const;
    const asCreator = template && this.#behaviour.createOnPushNeedsPermission;
    this.#access.admit(request, [...operationsOf(request), ...(asCreator ? [creation] : [])], caller);
    if (template) registry.create(name, template.settings);
    const mayMount = (from: string) => this.#mayMount(from, caller);
    return new EcrRepository(registry.repository(name), registry, { presign: this.#presign, mayMount });
  }

  #mayMount(repository: string, caller: Caller): boolean {
    const operation = { service: 'ecr', name: 'GetDownloadUrlForLayer', repository } as const;
    const denial = this.#access.denial(operation, caller);
    if (denial && this.#behaviour.unreadableMount === 'refused') throw denial;
    return !denial;
  }
}

/** Whether a request is one that brings something, by which ECR may create what is missing. */
function isPush({ method }: IncomingMessage): boolean {
  return method === 'POST' || method === 'PUT';
}
