import type { IncomingMessage } from 'node:http';
import * as z from 'zod/mini';
import { digestOf, digestSchema, isDigest } from '../../image/digest.ts';
import { MAX_MANIFEST_BYTES, type ManifestContent } from '../../image/manifest.ts';
import { answer, type Exchange } from './answers.ts';
import type { Quirks, RepositoryBackend } from './backend.ts';
import { methodRefused, Refusal } from './refusal.ts';

/** The little that the protocol itself needs of a manifest; whether it is a good one, the backend says. */
const manifestSchema = z.object({
  mediaType: z.catch(z.optional(z.string()), undefined),
  subject: z.catch(z.optional(z.object({ digest: digestSchema })), undefined),
});

/**
 * Answers a request about one manifest.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
 */
export async function handleManifest(
  exchange: Exchange,
  target: { name: string; repository: RepositoryBackend; quirks: Quirks },
  reference: string,
): Promise<void> {
  switch (exchange.request.method) {
    case 'HEAD':
    case 'GET':
      return answerManifest(exchange, target, reference);
    case 'PUT':
      return putManifest(exchange, target, reference);
    case 'DELETE':
      if (!(await target.repository.deleteManifest(reference))) throw unknownManifest(reference);
      return answer(exchange, 202);
    default:
      throw methodRefused(['GET', 'HEAD', 'PUT', 'DELETE']);
  }
}

async function answerManifest(
  exchange: Exchange,
  { repository, quirks }: { repository: RepositoryBackend; quirks: Quirks },
  reference: string,
): Promise<void> {
  const { request } = exchange;
  const content = await repository.readManifest(reference, acceptedTypes(request));
  if (!content) throw unknownManifest(reference);
  const headers = {
    'Content-Type': content.mediaType,
    ...((request.method === 'HEAD' || quirks.digestOnGet) && { 'Docker-Content-Digest': content.digest }),
  };
  await answer(exchange, 200, headers, content.bytes);
}

/** The media types of an Accept header, which may come in one line or in many, without their parameters. */
function acceptedTypes({ headers }: IncomingMessage): string[] {
  const types = (headers.accept ?? '').split(',').map((each) => each.split(';')[0]?.trim() ?? '');
  return types.filter((type) => type !== '');
}

async function putManifest(
  exchange: Exchange,
  { name, repository }: { name: string; repository: RepositoryBackend },
  reference: string,
): Promise<void> {
  const bytes = await readBody(exchange.request);
  const { mediaType, subject } = peek(bytes);
  const content = contentOf(bytes, exchange.request.headers['content-type'] ?? mediaType);
  if (isDigest(reference) && reference !== content.digest) {
    throw new Refusal(
      400,
      'DIGEST_INVALID',
      `the manifest has the digest ${content.digest}, not ${reference}`,
    );
  }
  await repository.writeManifest(reference, content);
  await answer(exchange, 201, {
    Location: `/v2/${name}/manifests/${content.digest}`,
    'Docker-Content-Digest': content.digest,
    ...(subject && { 'OCI-Subject': subject.digest }),
  });
}

function contentOf(bytes: Uint8Array, type: string | undefined): ManifestContent {
  const mediaType = type?.split(';')[0]?.trim();
  if (!mediaType) throw new Refusal(400, 'MANIFEST_INVALID', 'the manifest comes without a Content-Type');
  return { mediaType, digest: digestOf(bytes), bytes };
}

function peek(bytes: Uint8Array): z.infer<typeof manifestSchema> {
  try {
    return z.parse(manifestSchema, JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    return { mediaType: undefined, subject: undefined };
  }
}

async function readBody(request: IncomingMessage): Promise<Uint8Array> {
  const tooLarge = new Refusal(413, 'SIZE_INVALID', `a manifest has at most ${MAX_MANIFEST_BYTES} bytes`);
  if (Number(request.headers['content-length'] ?? 0) > MAX_MANIFEST_BYTES) throw tooLarge;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > MAX_MANIFEST_BYTES) throw tooLarge;
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

function unknownManifest(reference: string): Refusal {
  return new Refusal(404, 'MANIFEST_UNKNOWN', `there is no manifest ${reference}`);
}
