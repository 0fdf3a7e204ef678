import { type Digest, isDigest } from './digest.ts';

/** An image reference in full: where, what, and which. */
export interface Reference {
  /** Host and port, such as `public.ecr.aws` or `127.0.0.1:5000`. */
  readonly registry: string;
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: Digest | undefined;
}

/** A name, tag or reference that no registry accepts; the message says what to write instead. */
export class ImageReferenceError extends Error {
  override readonly name = 'ImageReferenceError';
}

const COMPONENT = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const REPOSITORY = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
/** A host name, an IPv4 address, or an IPv6 address in brackets, with or without a port. */
const REGISTRY = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*|\\[[a-fA-F0-9:]+\\])(?::\\d{1,5})?$`);
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;

/** Whether this is a tag by the grammar of the distribution specification, "Pulling manifests". */
export function isTag(text: string): boolean {
  return TAG.test(text);
}

/** Whether this is a repository name by the distribution specification and within ECR's 2 to 256 characters. */
export function isRepositoryName(text: string): boolean {
  return text.length >= 2 && text.length <= 256 && REPOSITORY.test(text);
}

/**
 * Parses a reference as container tools do: without a registry it is Docker Hub's, without tag and digest it is
 * `latest`.
 * @throws ImageReferenceError naming the part that is wrong
 */
export function parseReference(text: string): Reference {
  const [beforeDigest = '', digest, ...more] = text.trim().split('@');
  if (more.length > 0) throw new ImageReferenceError(`"${text}" is not a reference: it has more than one @`);
  if (digest !== undefined && !isDigest(digest)) {
    throw new ImageReferenceError(`"${text}" is not a reference: after @ comes sha256: and 64 hex digits`);
  }
  const colon = beforeDigest.indexOf(':', beforeDigest.lastIndexOf('/') + 1);
  const tag = colon < 0 ? undefined : beforeDigest.slice(colon + 1);
  if (tag !== undefined && !isTag(tag)) {
    throw new ImageReferenceError(
      `"${text}" is not a reference: "${tag}" is not a tag (letters, digits, "_", "." and "-", at most 128)`,
    );
  }
  const { registry, repository } = splitName(colon < 0 ? beforeDigest : beforeDigest.slice(0, colon));
  if (!REGISTRY.test(registry) || !URL.canParse(`https://${registry}`)) {
    throw new ImageReferenceError(
      `"${text}" is not a reference: "${registry}" is not a registry (a host name, and a port if need be)`,
    );
  }
  if (!REPOSITORY.test(repository)) {
    throw new ImageReferenceError(
      `"${text}" is not a reference: "${repository}" is not a repository name (lower case letters and digits, separated by "/", "-", "_" or ".")`,
    );
  }
  return { registry, repository, tag: tag ?? (digest ? undefined : 'latest'), digest };
}

function splitName(name: string): { registry: string; repository: string } {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  // The rule that every container tool shares: a first part with a dot or a port, or localhost, is a host.
  const isHost = first === 'localhost' || /[.:]/.test(first);
  const registry = isHost ? first : 'docker.io';
  const repository = isHost ? name.slice(slash + 1) : name;
  if (registry === 'docker.io' || registry === 'index.docker.io') {
    return {
      registry: 'registry-1.docker.io',
      repository: repository.includes('/') ? repository : `library/${repository}`,
    };
  }
  return { registry, repository };
}

/** A reference as text, with its tag and its digest where it has them. */
export function formatReference({ registry, repository, tag, digest }: Reference): string {
  return `${registry}/${repository}${tag ? `:${tag}` : ''}${digest ? `@${digest}` : ''}`;
}
