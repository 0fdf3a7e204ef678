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
 * references name the repository too, and have to agree on it.
 */
export function readNames(reader: InputReader): Names {
  const entries = reader.list('tags').map((entry) => readTag(reader, entry));
  const stated = reader.text('repository');
  const named = [...new Set(entries.flatMap(({ repository }) => repository ?? []))];
  const repository = stated || named[0] || '';
  checkRepository(reader, stated, repository);
  for (const other of named.filter((name) => name !== repository)) {
    reader.refuse(
      'tags',
      other,
      `the tags are of the repository "${other}", but "repository" is "${repository}"`,
    );
  }
  return { repository, tags: [...new Set(entries.map(({ tag }) => tag))] };
}

function checkRepository(reader: InputReader, stated: string, repository: string): void {
  if (repository === '') {
    reader.problems.push(
      'input "repository" is missing: write the name of the ECR repository, such as "team/app"',
    );
  } else if (repository.includes('.dkr.') || repository.includes(':')) {
    reader.refuse(
      'repository',
      stated,
      'write the repository alone, without its registry and tag: those are inputs of their own',
    );
  } else if (!isRepositoryName(repository)) {
    reader.refuse(
      'repository',
      stated,
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
  const reference = tryReference(reader, 'tags', entry);
  if (!reference?.tag || reference.digest) {
    if (reference) reader.refuse('tags', entry, 'write a tag, or a reference with a tag and no digest');
    return { tag: entry };
  }
  // A name of one part is Docker Hub's "library/name" to container tools, but here it is ECR's.
  const repository = entry.includes('/') ? reference.repository : entry.slice(0, entry.indexOf(':'));
  return { tag: reference.tag, repository };
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
