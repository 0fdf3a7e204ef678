import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Refusal } from './refusal.ts';

/** One request and its answer. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The query of the request's address. */
  readonly query: URLSearchParams;
}

/** What of a refused body is read to the end, so that its connection can go on, in bytes. */
const SMALL_BODY = 256 * 1024;

/** How long a refused client may go on sending before its connection is closed, in milliseconds. */
const LINGER = 2_000;

/** Answers with headers and, if there is one, a body of text. A HEAD request gets the headers alone. */
export async function answer(
  { request, response }: Pick<Exchange, 'request' | 'response'>,
  status: number,
  headers: OutgoingHttpHeaders = {},
  body: string | Uint8Array = '',
): Promise<void> {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  const keepAlive = request.complete || bodyLength(request) <= SMALL_BODY;
  response.writeHead(status, {
    // A HEAD request's answer tells the length of the body that it leaves out.
    ...(status !== 204 && status !== 304 && { 'Content-Length': bytes.byteLength }),
    ...headers,
    ...(!keepAlive && { Connection: 'close' }),
  });
  if (request.method !== 'HEAD' && bytes.byteLength > 0) response.write(bytes);
  else response.flushHeaders();
  if (!keepAlive) await drain(request);
  response.end();
}

/** Answers with JSON. */
export function answerJson(
  exchange: Pick<Exchange, 'request' | 'response'>,
  status: number,
  headers: OutgoingHttpHeaders,
  body: unknown,
): Promise<void> {
  return answer(exchange, status, { 'Content-Type': 'application/json', ...headers }, JSON.stringify(body));
}

/**
 * Answers with an error, as the specification words it. What is not a Refusal is an internal error, of which the
 * client learns nothing. When the answer is under way already, the connection is cut: a short body must not look
 * like a whole one.
 */
export async function answerError(
  exchange: Pick<Exchange, 'request' | 'response'>,
  error: unknown,
): Promise<void> {
  const { request, response } = exchange;
  if (response.headersSent || request.socket.destroyed) {
    response.destroy();
    return;
  }
  const refusal =
    error instanceof Refusal
      ? error
      : new Refusal(500, 'UNKNOWN', 'the registry failed to handle the request');
  if (refusal.plain) {
    await answer(
      exchange,
      refusal.status,
      { 'Content-Type': 'text/plain; charset=utf-8', ...refusal.headers },
      refusal.message,
    );
    return;
  }
  const body = { errors: [{ code: refusal.code, message: refusal.message }] };
  await answerJson(exchange, refusal.status, refusal.headers, body);
}

function bodyLength({ headers }: IncomingMessage): number {
  if (headers['transfer-encoding']) return Number.POSITIVE_INFINITY;
  return Number(headers['content-length'] ?? 0);
}

/**
 * Reads and drops what a client still sends, for a moment: closing a connection on unread data resets it, and the
 * client may lose the answer before it has read it.
 */
async function drain(request: IncomingMessage): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  request.once('close', resolve).once('end', resolve).once('error', resolve).resume();
  const patience = new AbortController();
  await Promise.race([promise, sleep(LINGER, undefined, { signal: patience.signal }).catch(() => {})]);
  patience.abort();
}
