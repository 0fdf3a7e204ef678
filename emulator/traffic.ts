import { randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { answer } from '../src/distribution/server/answers.ts';

/** A request as a fault or a reader of the log sees it. */
export interface RequestFacts {
  readonly region: string;
  readonly method: string;
  /** With the query. */
  readonly path: string;
  /** The operation of the JSON API; none of the distribution API's requests has one. */
  readonly operation?: string;
}

/** A request that came, and what became of it: told when its answer has ended, just after the client has it. */
export interface RecordedRequest extends RequestFacts {
  /** 0 while there is no answer, and for good when the connection was cut before there was one. */
  status: number;
  /** Bytes of the request's body that came. */
  received: number;
  /** Bytes of the answer's body, if it was sent to its end. */
  sent: number;
}

/** An answer in place of the emulator's own. */
export interface FaultAnswer {
  readonly status: number;
  /** The error's code: an exception's name in the JSON API. */
  readonly code: string;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Decides, before a request is looked at, whether it fails: with this answer, or by its connection being cut. It
 * may take its time to answer nothing, which makes the request slow.
 */
export type Fault = (request: RequestFacts) => FaultOutcome | Promise<FaultOutcome>;
export type FaultOutcome = undefined | FaultAnswer | 'reset';

/**
 * Puts the log and the faults in front of a handler.
 * @param describe what a request is about
 */
export function watched(
  { log, fault }: { log: RecordedRequest[]; fault: Fault | undefined },
  describe: (request: IncomingMessage) => RequestFacts,
  handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): RequestListener {
  const respond = async (request: IncomingMessage, response: ServerResponse) => {
    const facts = describe(request);
    log.push(record(facts, request, response));
    const outcome = await fault?.(facts);
    if (outcome === 'reset') request.socket.resetAndDestroy();
    else if (outcome) await answerFault({ request, response }, facts, outcome);
    else await handle(request, response);
  };
  return (request, response) => {
    respond(request, response).catch(() => response.destroy());
  };
}

function record(facts: RequestFacts, request: IncomingMessage, response: ServerResponse): RecordedRequest {
  const entry: RecordedRequest = { ...facts, status: 0, received: 0, sent: 0 };
  // To listen for the data would set it flowing before a handler wants it, so it is counted where it comes in.
  const push = request.push.bind(request);
  request.push = (chunk: unknown, encoding?: BufferEncoding) => {
    if (Buffer.isBuffer(chunk)) entry.received += chunk.length;
    return push(chunk, encoding);
  };
  // Node keeps the headers that writeHead is given, for getHeader, only beside one that was set before.
  response.setHeader('x-amzn-RequestId', randomUUID());
  const settle = () => {
    if (response.headersSent) entry.status = response.statusCode;
    if (response.writableFinished && request.method !== 'HEAD')
      entry.sent = Number(response.getHeader('content-length') ?? 0);
  };
  response.once('finish', settle).once('close', settle);
  return entry;
}

function answerFault(
  exchange: { request: IncomingMessage; response: ServerResponse },
  { operation }: RequestFacts,
  { status, code, message, headers }: FaultAnswer,
): Promise<void> {
  const body = operation === undefined ? { errors: [{ code, message }] } : { __type: code, message };
  const type = operation === undefined ? 'application/json' : 'application/x-amz-json-1.1';
  return answer(exchange, status, { 'Content-Type': type, ...headers }, JSON.stringify(body));
}
