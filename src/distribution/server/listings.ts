import type { Digest } from '../../image/digest.ts';
import { OCI_INDEX } from '../../image/mediaTypes.ts';
import { answerJson, type Exchange } from './answers.ts';
import type { Quirks, RepositoryBackend } from './backend.ts';
import { methodRefused, Refusal } from './refusal.ts';

/**
 * Answers with one page of a repository's tags, and with a Link to the next one.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-tags
 */
export async function handleTags(
  exchange: Exchange,
  { name, repository, quirks }: { name: string; repository: RepositoryBackend; quirks: Quirks },
): Promise<void> {
  if (exchange.request.method !== 'GET') throw methodRefused(['GET']);
  const length = pageLength(exchange.query.get('n'), quirks);
  const after = readCursor(exchange.query.get('last'), quirks);
  const rest = (await repository.tags()).filter((tag) => tag > after);
  const tags = rest.slice(0, length);
  const last = tags.at(-1);
  const query = new URLSearchParams({ last: writeCursor(last ?? '', quirks), n: String(length) });
  const more = last !== undefined && rest.length > tags.length;
  const headers = more ? { Link: `</v2/${name}/tags/list?${query}>; rel="next"` } : {};
  await answerJson(exchange, 200, headers, { name, tags });
}

function pageLength(n: string | null, { defaultTagPage, maxTagPage }: Quirks): number {
  if (n === null) return defaultTagPage;
  if (!/^\d{1,9}$/.test(n))
    throw new Refusal(400, 'PAGINATION_NUMBER_INVALID', `'${n}' is not a number of tags`);
  if (Number(n) > maxTagPage) {
    throw new Refusal(405, 'UNSUPPORTED', `a page has at most ${maxTagPage} tags, not ${n}`);
  }
  return Number(n);
}

/** Marks a cursor as ours: a tag never starts with it. */
const CURSOR_MARK = '~';

function writeCursor(tag: string, { opaqueTagCursor }: Quirks): string {
  return opaqueTagCursor ? CURSOR_MARK + Buffer.from(tag).toString('base64url') : tag;
}

function readCursor(last: string | null, { opaqueTagCursor }: Quirks): string {
  if (last === null || !opaqueTagCursor) return last ?? '';
  if (!last.startsWith(CURSOR_MARK))
    throw new Refusal(405, 'UNSUPPORTED', `'${last}' is not a cursor; follow the Link`);
  return Buffer.from(last.slice(CURSOR_MARK.length), 'base64url').toString();
}

/**
 * Answers with one page of the manifests that refer to a digest as their subject, as an index, and with a Link to the next.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-referrers
 */
export async function handleReferrers(
  exchange: Exchange,
  { name, repository, quirks }: { name: string; repository: RepositoryBackend; quirks: Quirks },
  digest: Digest,
): Promise<void> {
  const { request, query } = exchange;
  if (request.method !== 'GET') throw methodRefused(['GET']);
  const wanted = query.get('artifactType');
  const all = await repository.referrers(digest);
  const matching = wanted === null ? all : all.filter(({ artifactType }) => artifactType === wanted);
  const start = Number(query.get('from') ?? 0) || 0;
  const end = start + quirks.referrersPage;
  const onward = new URLSearchParams({ ...(wanted !== null && { artifactType: wanted }), from: String(end) });
  const headers = {
    'Content-Type': OCI_INDEX,
    ...(wanted !== null && { 'OCI-Filters-Applied': 'artifactType' }),
    ...(end < matching.length && { Link: `</v2/${name}/referrers/${digest}?${onward}>; rel="next"` }),
  };
  const manifests = matching.slice(start, end);
  await answerJson(exchange, 200, headers, { schemaVersion: 2, mediaType: OCI_INDEX, manifests });
}
