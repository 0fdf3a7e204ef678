import { pipeline } from 'node:stream/promises';
import type { Digest } from '../../image/digest.ts';
import { answer, type Exchange } from './answers.ts';
import type { BlobContent, RepositoryBackend } from './backend.ts';
import { parseRange } from './ranges.ts';
import { methodRefused, Refusal } from './refusal.ts';

const OCTETS = 'application/octet-stream';

/**
 * Answers a request about one blob.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-blobs
 */
export async function handleBlob(
  exchange: Exchange,
  repository: RepositoryBackend,
  digest: Digest,
): Promise<void> {
  switch (exchange.request.method) {
    case 'HEAD':
      return answerHead(exchange, await repository.statBlob(digest), digest);
    case 'GET':
      return answerGet(exchange, repository, digest);
    default:
      throw methodRefused(['GET', 'HEAD']);
  }
}

async function answerHead(exchange: Exchange, size: number | undefined, digest: Digest): Promise<void> {
  if (size === undefined) throw unknownBlob(digest);
  await answer(exchange, 200, { ...headersOf(digest), 'Content-Length': size });
}

async function answerGet(exchange: Exchange, repository: RepositoryBackend, digest: Digest): Promise<void> {
  const blob = await repository.readBlob(digest);
  if (!blob) throw unknownBlob(digest);
  if (blob.kind === 'elsewhere') {
    await answer(exchange, 307, { Location: blob.location, 'Docker-Content-Digest': digest });
    return;
  }
  await sendContent(exchange, blob, headersOf(digest));
}

function headersOf(digest: Digest): Record<string, string> {
  return { 'Content-Type': OCTETS, 'Docker-Content-Digest': digest, 'Accept-Ranges': 'bytes' };
}

function unknownBlob(digest: Digest): Refusal {
  return new Refusal(404, 'BLOB_UNKNOWN', `there is no blob ${digest}`);
}

/** Sends content, or the range of it that the request asks for. */
export async function sendContent(
  { request, response }: Pick<Exchange, 'request' | 'response'>,
  content: BlobContent,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const range = parseRange(request.headers.range, content.size);
  if (range) {
    response.writeHead(206, {
      ...headers,
      'Content-Length': range.end - range.start + 1,
      'Content-Range': `bytes ${range.start}-${range.end}/${content.size}`,
    });
  } else {
    response.writeHead(200, { ...headers, 'Content-Length': content.size });
  }
  // A client that hangs up in the middle ends the pipeline with an error and closes the file.
  await pipeline(content.open(range), response);
}
