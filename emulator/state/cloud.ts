import { EcrError, invalidParameter, repositoryNotFound } from '../errors.ts';
import { AccountSettings } from './accountSettings.ts';
import { Repository, type World } from './repository.ts';
import { ECR_SETTINGS, isEcrName, NAME_RULE, type RepositorySettings } from './settings.ts';
import { type Template, Templates } from './templates.ts';

/** One account's registry in one region, which knows nothing of the others. */
export class Registry {
  readonly account: string;
  readonly region: string;
  /** What the account has set for it. */
  readonly accountSettings = new AccountSettings();
  readonly templates: Templates;
  readonly #world: World;
  readonly #repositories = new Map<string, Repository>();

  constructor(account: string, region: string, world: World) {
    this.account = account;
    this.region = region;
    this.#world = world;
    this.templates = new Templates(account);
    const { blobMounting, createOnPush } = world.behaviour;
    if (blobMounting) this.accountSettings.set('BLOB_MOUNTING', 'ENABLED');
    if (createOnPush) this.templates.add(forEveryPush(world.now()));
  }

  /** All repositories, by name. */
  repositories(): Repository[] {
    return [...this.#repositories.values()].toSorted((one, other) => (one.name < other.name ? -1 : 1));
  }

  has(name: string): boolean {
    return this.#repositories.has(name);
  }

  /** @throws EcrError (RepositoryNotFoundException) */
  repository(name: string): Repository {
    const found = this.#repositories.get(name);
    if (!found) throw repositoryNotFound({ name, account: this.account });
    return found;
  }

  /** @throws EcrError when the name is taken, or none that ECR allows */
  create(name: string, settings: Partial<RepositorySettings> = {}): Repository {
    if (!isEcrName(name)) throw invalidParameter('repositoryName', NAME_RULE);
    if (this.#repositories.has(name)) {
      throw new EcrError(
        'RepositoryAlreadyExistsException',
        `The repository with name '${name}' already exists in the registry with id '${this.account}'`,
      );
    }
    const repository = new Repository(
      { name, account: this.account, region: this.region },
      this.#world,
      settings,
    );
    this.#repositories.set(name, repository);
    return repository;
  }

  /** @throws EcrError when there is none, or it holds images and is not removed by force */
  remove(name: string, { force }: { force: boolean }): Repository {
    const repository = this.repository(name);
    if (!force && repository.images.size > 0) {
      throw new EcrError(
        'RepositoryNotEmptyException',
        `The repository with name '${name}' in registry with id '${this.account}' cannot be deleted because it still contains images`,
      );
    }
    this.#repositories.delete(name);
    return repository;
  }
}

function forEveryPush(createdAt: number): Template {
  return {
    prefix: 'ROOT',
    description: undefined,
    appliedFor: ['CREATE_ON_PUSH'],
    customRoleArn: undefined,
    settings: ECR_SETTINGS,
    createdAt,
  };
}

/** All registries of an emulator: every account that it knows, in every region that it was asked for. */
export class Cloud {
  readonly accounts: readonly string[];
  readonly regions: readonly string[];
  readonly #registries: ReadonlyMap<string, Registry>;

  constructor(
    { accounts, regions }: { accounts: readonly string[]; regions: readonly string[] },
    world: World,
  ) {
    this.accounts = accounts;
    this.regions = regions;
    const all = accounts.flatMap((account) => regions.map((region) => new Registry(account, region, world)));
    this.#registries = new Map(all.map((registry) => [`${registry.account} ${registry.region}`, registry]));
  }

  /** The registry, unless the account or the region is none of the emulator's. */
  registry(account: string, region: string): Registry | undefined {
    return this.#registries.get(`${account} ${region}`);
  }
}
