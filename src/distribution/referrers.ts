import type { Descriptor } from '../image/descriptor.ts';
import { type Digest, hexOf } from '../image/digest.ts';
import { type ManifestContent, ManifestError, parseManifest } from '../image/manifest.ts';
import { leadsTo } from './location.ts';

/** The most that may refer to one manifest, and the most pages in which a registry may say so. */
const MAX_REFERRERS = 500;
const MAX_PAGES = 50;

/** One page of what a registry lists, with the header that names the next one. */
export interface ReferrersPage {
  readonly bytes: Uint8Array;
  readonly contentType: string | undefined;
  readonly link: string | undefined;
}

/**
 * Reads what refers to a manifest: by the referrers API or, where there is none, in the list that clients keep under a tag
 * instead. Whether any of it is true is for the reader to find out.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-referrers and #referrers-tag-schema
 * @param first the address of the list's first page
 * @param get gets a page, or nothing where the registry has no such API
 * @param tagged gives what a tag shows
 * @throws ManifestError when the list is none, or has no end
 */
export async function readReferrers(
  subject: Digest,
  first: URL,
  get: (page: URL) => Promise<ReferrersPage | undefined>,
  tagged: (tag: string) => Promise<ManifestContent | undefined>,
): Promise<readonly Descriptor[]> {
  const listed = await readPages(first, get);
  if (listed) return listed;
  const kept = await tagged(`sha256-${hexOf(subject)}`);
  return kept ? parseReferrers(kept.bytes, kept.mediaType) : [];
}

/** @returns nothing where the registry has no such API */
async function readPages(
  first: URL,
  get: (page: URL) => Promise<ReferrersPage | undefined>,
): Promise<Descriptor[] | undefined> {
  const listed: Descriptor[] = [];
  let next: URL | undefined = first;
  for (let pages = 0; next; pages += 1) {
    if (pages === MAX_PAGES)
      throw new ManifestError(`the list of referrers has more than ${MAX_PAGES} pages`);
    const page: ReferrersPage | undefined = await get(next);
    if (!page && pages === 0) return undefined;
    if (!page) throw new ManifestError('the list of referrers breaks off after a page');
    listed.push(...parseReferrers(page.bytes, page.contentType));
    if (listed.length > MAX_REFERRERS) {
      throw new ManifestError(`more than ${MAX_REFERRERS} manifests refer to one`);
    }
    next = nextPage(page.link, next);
  }
  return listed;
}

/**
 * The manifests that a page lists, with nothing of what the page says about them.
 * @throws ManifestError when it is no index
 */
export function parseReferrers(bytes: Uint8Array, contentType?: string): Descriptor[] {
  const list = parseManifest(bytes, contentType);
  if (list.kind !== 'index') throw new ManifestError('a list of referrers has to be an index');
  return list.manifests.map(({ mediaType, digest, size }) => ({ mediaType, digest, size }));
}

/**
 * Where the next page is, by a Link header (RFC 8288).
 * @returns nothing when this page is the last one
 * @throws ManifestError when it is on another origin, where this registry's credentials are no business of anybody
 */
export function nextPage(link: string | undefined, page: URL): URL | undefined {
  const [, address] = /^\s*<([^<>]*)>[^,]*;\s*rel="?next"?\s*(?:[;,]|$)/i.exec(link ?? '') ?? [];
  if (address === undefined) return undefined;
  const target = leadsTo(address, page);
  if (target?.origin === page.origin) return target;
  throw new ManifestError('the list of referrers goes on in another registry');
}
