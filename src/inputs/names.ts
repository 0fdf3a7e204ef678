import { PUBLIC_HOST } from '../ecr/places.ts';
import {
  ImageReferenceError,
  isRepositoryName,
  isTag,
  parseReference,
  type Reference,
} from '../image/reference.ts';
import type { InputReader } from './reader.ts';

/** A repository and the tags to write in it. */
export interface Names {
  readonly repository: string;
  readonly tags: readonly string[];
}

/**
 * Reads `repository` and `tags`. Tags are bare names or full references, as docker/metadata-action puts them out; full
 * references name the repository too, and have to agree with it, or with one that a destination names itself.
 * @param own the repository that each destination names itself; where all do, the first one is what `repository` is by default
 */
export function readNames(reader: InputReader, own: readonly (string | undefined)[]): Names {
  const entries = reader.list('tags').map((entry) => readTag(reader, entry));
  const stated = reader.text('repository');
  const named = [...new Set(entries.flatMap(({ repository }) => repository ?? []))];
  const fallback = own.includes(undefined) ? undefined : own[0];
  const repository = stated || fallback || named.find((name) => !own.includes(name)) || named[0] || '';
  // What is wrong with a destination's own is told of the destination.
  if (stated || !fallback) checkRepository(reader, repository);
  for (const other of named.filter((name) => name !== repository && !own.includes(name))) {
    reader.refuse(
      'tags',
      other,
      `the tags are of the repository "${other}", but "repository" is "${repository}"`,
    );
  }
  return { repository, tags: [...new Set(entries.map(({ tag }) => tag))] };
}

function checkRepository(reader: InputReader, repository: string): void {
  if (repository === '') {
    reader.problems.push(
      'input "repository" is missing: write the name of the ECR repository, such as "team/app"',
    );
  } else if (/\.dkr[.-]|:/.test(repository)) {
    reader.refuse(
      'repository',
      repository,
      'write the repository alone, without its registry and tag: those are inputs of their own',
    );
    // ECR takes one of these between letters, where other registries take several.
  } else if (!isRepositoryName(repository) || /__|--/.test(repository)) {
    reader.refuse(
      'repository',
      repository,
      'write lower case letters and digits, separated by "/", "-", "_" or ".", 2 to 256 in all',
    );
  }
}

function readTag(reader: InputReader, entry: string): { tag: string; repository?: string } {
  if (!/[/:@]/.test(entry)) {
    if (!isTag(entry))
      reader.refuse(
        'tags',
        entry,
        'a tag has letters, digits, "_", "." and "-", at most 128, and starts with none of ".-"',
      );
    return { tag: entry };
  }
  if (!/[:@]/.test(entry)) {
    reader.refuse(
      'tags',
      entry,
      'a tag cannot have "/": write another character in its place, such as "-" (docker/metadata-action does that for branches), or a whole reference, "registry/repository:tag"',
    );
    return { tag: entry };
  }
  const reference = tryReference(reader, 'tags', entry);
  if (!reference?.tag || reference.digest) {
    if (reference) reader.refuse('tags', entry, 'write a tag, or a reference with a tag and no digest');
    return { tag: entry };
  }
  return { tag: reference.tag, repository: repositoryIn(entry, reference) };
}

function repositoryIn(entry: string, { registry, repository }: Reference): string {
  // A name of one part is Docker Hub's "library/name" to container tools, but here it is ECR's.
  if (!entry.includes('/')) return entry.slice(0, entry.indexOf(':'));
  // A public registry's alias comes before the name of the repository.
  return registry === PUBLIC_HOST ? repository.slice(repository.indexOf('/') + 1) : repository;
}

/** Parses a reference, or notes what is wrong with it. */
export function tryReference(reader: InputReader, name: string, text: string): Reference | undefined {
  try {
    return parseReference(text);
  } catch (error) {
    if (!(error instanceof ImageReferenceError)) throw error;
    reader.problems.push(`input "${name}": ${error.message}`);
    return undefined;
  }
}
