import { randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { answer } from '../src/distribution/server/answers.ts';
import { isQueryCall } from './addresses.ts';
import type { Permission } from './iam/policy.ts';
import { queryError } from './sts/xml.ts';
import { holdBody, spoil, type WireFault } from './wire.ts';

/** A request as a fault or a reader of the log sees it. */
export interface RequestFacts {
  /** `public` for ECR Public. */
  readonly region: string;
  readonly method: string;
  /** With the query. */
  readonly path: string;
  /**
   * The operation of the JSON API; none of the distribution API's requests has one. That of STS is in a call's body,
   * so that a fault does not see it.
   */
  readonly operation?: string;
}

/** A request that came, and what became of it: told when its answer has ended, just after the client has it. */
export interface RecordedRequest extends RequestFacts {
  operation?: string;
  /**
   * The permissions that it needed, whether it had them or not. Nothing for one that got no further than to its
   * credentials, or to a fault.
   */
  needed: readonly Permission[];
  /** 0 while there is no answer, and for good when the connection was cut before there was one. */
  status: number;
  /** Bytes of the request's body that came. */
  received: number;
  /** Bytes of the answer's body, if it was sent to its end. */
  sent: number;
  /** Whether it carried credentials. */
  readonly authorized: boolean;
}

/** Every request since the start, in the order in which they came. */
export class TrafficLog {
  readonly requests: RecordedRequest[] = [];
  readonly #entries = new WeakMap<IncomingMessage, RecordedRequest>();

  add(request: IncomingMessage, entry: RecordedRequest): void {
    this.requests.push(entry);
    this.#entries.set(request, entry);
  }

  /** Tells what a request has turned out to be. */
  tell(request: IncomingMessage, found: Partial<Pick<RecordedRequest, 'operation' | 'needed'>>): void {
    const entry = this.#entries.get(request);
    if (entry) Object.assign(entry, found);
  }
}

/** An answer in place of the emulator's own. */
export interface FaultAnswer {
  readonly status: number;
  /** The error's code: an exception's name in the JSON API. */
  readonly code: string;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** What is answered in place of the error. */
  readonly body?: string;
}

/**
 * Decides, before a request is looked at, whether it fails: with this answer, or by its connection being cut, at once
 * (`reset`) or when all was done that it asks for, in place of the answer (`lost`), or by what goes wrong on the way. It may
 * take its time to answer nothing, which makes the request slow.
 */
export type Fault = (request: RequestFacts) => FaultOutcome | Promise<FaultOutcome>;
export type FaultOutcome = undefined | FaultAnswer | 'reset' | 'lost' | WireFault;

/**
 * Puts the log and the faults in front of a handler.
 * @param describe what a request is about
 */
export function watched(
  { log, fault }: { log: TrafficLog; fault: Fault | undefined },
  describe: (request: IncomingMessage) => RequestFacts,
  handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): RequestListener {
  const respond = async (request: IncomingMessage, response: ServerResponse) => {
    const facts = describe(request);
    log.add(request, record(facts, request, response));
    if (!fault) return handle(request, response);
    const letIn = holdBody(request);
    const outcome = await fault(facts);
    if (outcome === 'reset') return void request.socket.resetAndDestroy();
    if (outcome === undefined || outcome === 'lost' || typeof outcome === 'object') letIn();
    else if (!spoil(outcome, { request, response, letIn })) return;
    if (outcome === 'lost') loseAnswer(request, response);
    if (typeof outcome === 'object') return answerFault({ request, response }, facts, outcome);
    await handle(request, response);
  };
  return (request, response) => {
    respond(request, response).catch(() => response.destroy());
  };
}

/** Cuts the connection where the answer would begin. */
function loseAnswer(request: IncomingMessage, response: ServerResponse): void {
  response.writeHead = () => {
    request.socket.resetAndDestroy();
    return response;
  };
}

function record(facts: RequestFacts, request: IncomingMessage, response: ServerResponse): RecordedRequest {
  const authorized = request.headers.authorization !== undefined;
  const entry: RecordedRequest = { ...facts, needed: [], status: 0, received: 0, sent: 0, authorized };
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
  { status, code, message, headers, body: given }: FaultAnswer,
): Promise<void> {
  const [type, body] = isQueryCall(exchange.request)
    ? ['text/xml', queryError({ status, code, message, id: requestId(exchange.response) })]
    : operation === undefined
      ? ['application/json', JSON.stringify({ errors: [{ code, message }] })]
      : ['application/x-amz-json-1.1', JSON.stringify({ __type: code, message })];
  return answer(exchange, status, { 'Content-Type': type, ...headers }, given ?? body);
}

/** The id that a request was given when it came in. */
export function requestId(response: ServerResponse): string {
  return String(response.getHeader('x-amzn-RequestId') ?? '');
}
