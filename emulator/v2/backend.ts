import type { IncomingMessage } from 'node:http';
import type { Backend, Quirks, RepositoryBackend } from '../../src/distribution/server/backend.ts';
import { Refusal } from '../../src/distribution/server/refusal.ts';
import type { Digest } from '../../src/image/digest.ts';
import { addressed } from '../addresses.ts';
import { type Behaviour, PART_SIZE } from '../behaviour.ts';
import type { Cloud, Registry } from '../state/cloud.ts';
import type { Tokens } from '../tokens.ts';
import { EcrRepository } from './repository.ts';

const ECR_QUIRKS: Quirks = {
  patchStatus: 201,
  digestOnGet: false,
  uploadStatus: false,
  maxTagPage: 1_000,
  defaultTagPage: 100,
  opaqueTagCursor: true,
  absoluteLocation: true,
  firstPart: PART_SIZE,
};

/** Where a blob of an account's registry in a region can be had. */
export type Presign = (digest: Digest, registry: { account: string; region: string }) => string;

/** What one region's port serves under /v2/. */
export class EcrBackend implements Backend {
  readonly quirks = ECR_QUIRKS;
  readonly #region: string;
  readonly #cloud: Cloud;
  readonly #tokens: Tokens;
  readonly #behaviour: Behaviour;
  readonly #presign: Presign;

  constructor(
    region: string,
    shared: { cloud: Cloud; tokens: Tokens; behaviour: Behaviour; presign: Presign },
  ) {
    this.#region = region;
    this.#cloud = shared.cloud;
    this.#tokens = shared.tokens;
    this.#behaviour = shared.behaviour;
    this.#presign = shared.presign;
  }

  authenticate(request: IncomingMessage): void {
    this.#caller(request);
  }

  /** Whose registry a request is for, and who asks. */
  #caller(request: IncomingMessage): { registry: Registry; caller: string } {
    const { account, region } = addressed(request, this.#region);
    const host = request.headers.host ?? '';
    const { account: caller } = this.#tokens.check(request.headers.authorization, { region, host });
    const registry = this.#cloud.registry(account ?? caller, region);
    if (!registry) {
      throw new Refusal(404, 'NAME_UNKNOWN', `The registry with id '${account ?? caller}' does not exist`);
    }
    return { registry, caller };
  }

  async repository(name: string, request: IncomingMessage): Promise<RepositoryBackend> {
    const { registry, caller } = this.#caller(request);
    const pushes = request.method !== 'GET' && request.method !== 'HEAD';
    if (this.#behaviour.createOnPush && pushes && !registry.has(name)) registry.create(name);
    const repository = registry.repository(name);
    // What a repository's policy says is not read: that there is one opens it to the other accounts.
    if (caller !== registry.account && repository.settings.repositoryPolicy === undefined) {
      throw new Refusal(
        403,
        'DENIED',
        `User: arn:aws:iam::${caller}:root is not authorized to perform: ecr:${pushes ? 'InitiateLayerUpload' : 'BatchGetImage'} on resource: ${repository.name} because no resource-based policy allows it`,
      );
    }
    return new EcrRepository(repository, registry, this.#presign);
  }
}
