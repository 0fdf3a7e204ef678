import type { IncomingMessage } from 'node:http';
import type { Digest } from '../../image/digest.ts';
import { isRepositoryName } from '../../image/reference.ts';
import { answer, type Exchange } from './answers.ts';
import type { Quirks, RepositoryBackend, Upload } from './backend.ts';
import { parseContentRange } from './ranges.ts';
import { methodRefused, Refusal } from './refusal.ts';
import { parseDigest } from './routes.ts';

/** Uploads that a request is writing to: a second one at once would mix two bodies. */
const busy = new WeakSet<Upload>();

interface Target {
  readonly name: string;
  readonly repository: RepositoryBackend;
  readonly quirks: Quirks;
}

/**
 * Answers a POST that starts an upload, mounts a blob, or brings a whole one.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-blobs
 */
export async function handleUploads(exchange: Exchange, target: Target): Promise<void> {
  if (exchange.request.method !== 'POST') throw methodRefused(['POST']);
  const { query } = exchange;
  const [mount, from, whole] = [query.get('mount'), query.get('from'), query.get('digest')];
  if (mount !== null && from !== null && isRepositoryName(from)) {
    const digest = parseDigest(mount);
    if (await target.repository.mountBlob(digest, from)) return answerCreated(exchange, target.name, digest);
  }
  const digest = whole === null ? undefined : parseDigest(whole);
  const upload = await target.repository.beginUpload();
  if (!digest) return answerProgress(exchange, target, upload, 202);
  await finish(exchange, upload, digest);
  await answerCreated(exchange, target.name, digest);
}

/** Answers a request about an upload that has started: its next bytes, its end, its state, or its end in vain. */
export async function handleUpload(exchange: Exchange, target: Target, id: string): Promise<void> {
  const upload = target.repository.upload(id);
  if (!upload) throw new Refusal(404, 'BLOB_UPLOAD_UNKNOWN', `there is no upload ${id}`);
  switch (exchange.request.method) {
    case 'PATCH':
      await writing(upload, () => appendTo(exchange, target, upload));
      return answerProgress(exchange, target, upload, target.quirks.patchStatus);
    case 'PUT': {
      const digest = parseDigest(exchange.query.get('digest') ?? '');
      assertInOrder(exchange.request, target, upload);
      await writing(upload, () => finish(exchange, upload, digest));
      return answerCreated(exchange, target.name, digest);
    }
    case 'GET':
      if (!target.quirks.uploadStatus)
        throw new Refusal(404, 'BLOB_UPLOAD_UNKNOWN', `there is no upload ${id}`);
      return answerProgress(exchange, target, upload, 204);
    case 'DELETE':
      await upload.abort();
      return answer(exchange, 204);
    default:
      throw methodRefused(['GET', 'PATCH', 'PUT', 'DELETE']);
  }
}

async function writing(upload: Upload, write: () => Promise<void>): Promise<void> {
  if (busy.has(upload)) {
    throw new Refusal(409, 'BLOB_UPLOAD_INVALID', 'another request is writing to this upload');
  }
  busy.add(upload);
  try {
    await write();
  } finally {
    busy.delete(upload);
  }
}

async function appendTo({ request }: Exchange, target: Target, upload: Upload): Promise<void> {
  assertInOrder(request, target, upload);
  await orAbort(upload, () => upload.append(request));
}

/** Takes what the last request brings, be it nothing or the whole blob, and ends the upload. */
async function finish({ request }: Exchange, upload: Upload, digest: Digest): Promise<void> {
  const size = lengthOf(request);
  await orAbort(upload, async () => {
    if (upload.received === 0 && size !== undefined && size > 0)
      await upload.append(request, { digest, size });
    else if (size !== 0) await upload.append(request);
    await upload.commit(digest);
  });
}

/** A failed upload is not kept: no client that pushes to a registry of ours resumes one. */
async function orAbort(upload: Upload, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    await upload.abort().catch(() => {});
    throw error;
  }
}

/** The length of the body in bytes; nothing when it is told in chunks. No length header at all means no body. */
function lengthOf({ headers }: IncomingMessage): number | undefined {
  return headers['transfer-encoding'] ? undefined : Number(headers['content-length'] ?? 0);
}

function assertInOrder(request: IncomingMessage, target: Target, upload: Upload): void {
  const range = parseContentRange(request.headers['content-range']);
  if (!range) return;
  if (range.start !== upload.received) {
    throw new Refusal(
      416,
      'BLOB_UPLOAD_INVALID',
      `the upload goes on at ${upload.received}, not at ${range.start}`,
      {
        headers: progressHeaders(request, target, upload),
      },
    );
  }
  const length = lengthOf(request);
  if (length !== undefined && length !== range.end - range.start + 1) {
    throw new Refusal(400, 'SIZE_INVALID', `the body has ${length} bytes, not what Content-Range says`);
  }
}

async function answerProgress(
  exchange: Exchange,
  target: Target,
  upload: Upload,
  status: number,
): Promise<void> {
  await answer(exchange, status, progressHeaders(exchange.request, target, upload));
}

function progressHeaders(
  request: IncomingMessage,
  { name, quirks }: Target,
  upload: Upload,
): Record<string, string> {
  const { received } = upload;
  const told = quirks.firstPart === undefined ? received : Math.min(received, quirks.firstPart);
  const host = request.headers.host;
  return {
    // A path is the safe form: only the client knows by which scheme, host and port it came here.
    Location: `${quirks.absoluteLocation && host ? `http://${host}` : ''}/v2/${name}/blobs/uploads/${upload.id}`,
    Range: `0-${Math.max(0, told - 1)}`,
    'Docker-Upload-UUID': upload.id,
  };
}

async function answerCreated(exchange: Exchange, name: string, digest: Digest): Promise<void> {
  await answer(exchange, 201, { Location: `/v2/${name}/blobs/${digest}`, 'Docker-Content-Digest': digest });
}
