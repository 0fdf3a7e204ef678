import type { IncomingMessage } from 'node:http';
import type { Backend, Quirks, RepositoryBackend } from '../../src/distribution/server/backend.ts';
import type { Access } from '../access.ts';
import { EcrError, repositoryNotFound } from '../errors.ts';
import { arnOfPrincipal, type Principals } from '../iam/principals.ts';
import { type EcrOperation, operationsOf, permissionOf } from '../operations.ts';
import type { Cloud, Registry } from '../state/cloud.ts';
import type { Presign } from '../v2/backend.ts';
import { EcrRepository } from '../v2/repository.ts';
import { type Aliases, PUBLIC_REGION } from './aliases.ts';
import type { Bearers } from './bearers.ts';

/** What the backend works on. */
export interface PublicShared {
  readonly quirks: Quirks;
  readonly aliases: Aliases;
  readonly bearers: Bearers;
  /** The public registries. */
  readonly cloud: Cloud;
  readonly principals: Principals;
  readonly access: Access;
  readonly presign: Presign;
}

/** What ECR Public serves under /v2/: repositories called `ALIAS/NAME`, which everybody may read. */
export class PublicBackend implements Backend {
  readonly quirks: Quirks;
  readonly #shared: PublicShared;

  constructor(shared: PublicShared) {
    this.quirks = shared.quirks;
    this.#shared = shared;
  }

  authenticate(request: IncomingMessage): void {
    this.#shared.bearers.check(request);
  }

  async repository(name: string, request: IncomingMessage): Promise<RepositoryBackend> {
    const { aliases, cloud, presign } = this.#shared;
    const slash = name.indexOf('/');
    const [alias, own] = slash < 0 ? [name, ''] : [name.slice(0, slash), name.slice(slash + 1)];
    const account = aliases.accountOf(alias);
    const registry = account === undefined ? undefined : cloud.registry(account, PUBLIC_REGION);
    if (!registry) throw repositoryNotFound({ name: own, account: alias });
    if (request.method !== 'GET' && request.method !== 'HEAD') this.#admit(request, registry, own);
    if (!registry.has(own)) throw repositoryNotFound({ name: own, account: alias });
    return new EcrRepository(registry.repository(own), registry, { presign, mayMount: () => false });
  }

  /** Lets those write to whose account the registry belongs, as far as their policies allow it. */
  #admit(request: IncomingMessage, registry: Registry, repository: string): void {
    const { bearers, principals, access } = this.#shared;
    const accessKey = bearers.check(request);
    if (accessKey === undefined) throw new EcrError('AccessDeniedException', 'Not Authorized');
    const principal = principals.of(accessKey);
    const operations = operationsOf(request).flatMap((each): EcrOperation[] =>
      // A repository to mount from is not looked at.
      each.optional ? [] : [{ ...each, service: 'ecr-public', repository }],
    );
    const [first] = operations;
    if (principal.account !== registry.account && first) {
      const { action, resource } = permissionOf(first, registry);
      const user = arnOfPrincipal(principal, registry.region);
      throw new EcrError(
        'AccessDeniedException',
        `User: ${user} is not authorized to perform: ${action} on resource: ${resource}`,
      );
    }
    access.admit(request, operations, { principal, registry });
  }
}
