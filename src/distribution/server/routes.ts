import { type Digest, isDigest } from '../../image/digest.ts';
import { isRepositoryName, isTag } from '../../image/reference.ts';
import { Refusal } from './refusal.ts';

/**
 * What an address of the distribution API names.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#endpoints
 */
export type Route =
  | { readonly kind: 'ping' }
  | { readonly kind: 'blob'; readonly name: string; readonly digest: Digest }
  | { readonly kind: 'uploads'; readonly name: string }
  | { readonly kind: 'upload'; readonly name: string; readonly id: string }
  | { readonly kind: 'manifest'; readonly name: string; readonly reference: string }
  | { readonly kind: 'tags'; readonly name: string }
  | { readonly kind: 'referrers'; readonly name: string; readonly digest: Digest };

// A repository may be called a/blobs/b: what counts is the end of the path, so the name is matched greedily.
const PATTERN =
  /^\/v2\/(?<name>.+)\/(?:blobs\/uploads\/?(?<id>(?<=\/)[^/]+)?|blobs\/(?<blob>[^/]+)|manifests\/(?<reference>[^/]+)|(?<tags>tags\/list)|referrers\/(?<subject>[^/]+))$/;

/**
 * Reads the path of a request.
 * @param path percent-encoded, without the query
 * @throws Refusal when it is no address of the API, or names no repository, tag or digest that can exist
 */
export function parseRoute(path: string): Route {
  if (path === '/v2/' || path === '/v2') return { kind: 'ping' };
  const parts = PATTERN.exec(decode(path))?.groups;
  if (!parts) throw new Refusal(404, 'UNSUPPORTED', 'there is nothing at this address');
  const name = parseName(parts.name ?? '');
  if (parts.tags) return { kind: 'tags', name };
  if (parts.blob) return { kind: 'blob', name, digest: parseDigest(parts.blob) };
  if (parts.subject) return { kind: 'referrers', name, digest: parseDigest(parts.subject) };
  if (parts.reference) return { kind: 'manifest', name, reference: parseTagOrDigest(parts.reference) };
  return parts.id ? { kind: 'upload', name, id: parts.id } : { kind: 'uploads', name };
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new Refusal(400, 'NAME_INVALID', 'the path is not a percent-encoded text');
  }
}

function parseName(name: string): string {
  if (!isRepositoryName(name)) throw new Refusal(400, 'NAME_INVALID', `invalid repository name '${name}'`);
  return name;
}

/**
 * Reads a digest from an address or a query.
 * @throws Refusal (DIGEST_INVALID)
 */
export function parseDigest(text: string): Digest {
  if (!isDigest(text)) throw new Refusal(400, 'DIGEST_INVALID', `'${text}' is not a SHA-256 digest`);
  return text;
}

function parseTagOrDigest(reference: string): string {
  if (reference.includes(':')) return parseDigest(reference);
  if (!isTag(reference)) throw new Refusal(400, 'TAG_INVALID', `'${reference}' is not a tag`);
  return reference;
}
