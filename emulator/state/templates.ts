import { EcrError } from '../errors.ts';
import type { RepositorySettings } from './settings.ts';

/** For what ECR creates repositories by a template. */
export type AppliedFor = 'CREATE_ON_PUSH' | 'PULL_THROUGH_CACHE' | 'REPLICATION';

/** What repositories get that ECR itself creates. */
export interface Template {
  /** What the names of its repositories begin with, up to a slash; `ROOT` is for all that no other template is for. */
  readonly prefix: string;
  readonly description: string | undefined;
  readonly appliedFor: readonly AppliedFor[];
  readonly customRoleArn: string | undefined;
  readonly settings: RepositorySettings;
  /** Epoch milliseconds. */
  readonly createdAt: number;
}

/**
 * The creation templates of one registry.
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-creation-templates.html
 */
export class Templates {
  readonly #account: string;
  readonly #templates = new Map<string, Template>();

  /** @param account whose registry it is */
  constructor(account: string) {
    this.#account = account;
  }

  /** All of them, by their prefixes. */
  list(): Template[] {
    return [...this.#templates.values()].toSorted((one, other) => (one.prefix < other.prefix ? -1 : 1));
  }

  /** @throws EcrError (TemplateAlreadyExistsException) */
  add(template: Template): void {
    const { prefix } = template;
    if (this.#templates.has(prefix)) {
      throw new EcrError(
        'TemplateAlreadyExistsException',
        `The repository creation template with prefix '${prefix}' already exists in the registry with id '${this.#account}'`,
      );
    }
    this.#templates.set(prefix, template);
  }

  /** @throws EcrError (TemplateNotFoundException) */
  remove(prefix: string): Template {
    const template = this.#templates.get(prefix);
    if (!template) {
      throw new EcrError(
        'TemplateNotFoundException',
        `The repository creation template with prefix '${prefix}' does not exist in the registry with id '${this.#account}'`,
      );
    }
    this.#templates.delete(prefix);
    return template;
  }

  /** The template by which a push creates a repository of this name: the nearest, if it is for pushes. */
  forPush(name: string): Template | undefined {
    const [nearest] = this.list()
      .filter(({ prefix }) => prefix === 'ROOT' || name.startsWith(`${prefix.replace(/\/$/, '')}/`))
      .toSorted((one, other) => lengthOf(other) - lengthOf(one));
    return nearest?.appliedFor.includes('CREATE_ON_PUSH') ? nearest : undefined;
  }
}

function lengthOf({ prefix }: Template): number {
  return prefix === 'ROOT' ? 0 : prefix.length;
}
