import { Readable } from 'node:stream';
import type { Authorizer, Scope } from './auth.ts';
import { RegistryError, redactUrl, wordsOf } from './errors.ts';
import { leadsTo } from './location.ts';
import type { HttpRequest, HttpResponse, Transport } from './transport.ts';

/** How much of a refusal's body is read, in bytes: one that names each of several hundred layers is this long. */
const MAX_REFUSAL = 64 * 1024;
const MAX_REDIRECTS = 5;

/** Requests to one registry: with its credentials, which never leave its origin. */
export interface Session {
  /** Sends a request; a body that is a stream is opened anew when the request has to be sent again. */
  send(request: SessionRequest): Promise<HttpResponse>;
  /** Opens one connection more for a request that may soon be sent. */
  prepare(): void;
}

export interface SessionRequest extends Omit<HttpRequest, 'body'> {
  readonly scope: Scope;
  /** The statuses that are an answer; any other is thrown as a RegistryError. */
  readonly expect: readonly number[];
  readonly body?: () => Promise<HttpRequest['body']>;
}

/**
 * @param origin the registry's own origin, the only one that is sent its credentials
 */
export function createSession(origin: string, transport: Transport, authorizer: Authorizer): Session {
  const once = async (request: SessionRequest, authorization: string | undefined): Promise<HttpResponse> => {
    const body = await request.body?.();
    try {
      return await transport.send({
        method: request.method,
        url: request.url,
        headers: { ...request.headers, ...(authorization && { authorization }) },
        ...(body !== undefined && { body }),
        ...(request.signal && { signal: request.signal }),
      });
    } catch (error) {
      // One that was not sent at all would keep its file open.
      if (body instanceof Readable) body.destroy();
      throw new Error(`${request.method} ${redactUrl(request.url)}: ${wordsOf(error)}`, { cause: error });
    }
  };

  /** What came of a renewal after a 403 that had no words. */
  let renewed: string | undefined;

  const authorized = async (request: SessionRequest): Promise<HttpResponse> => {
    if (request.url.origin !== origin) return once(request, undefined);
    const sent = await authorizer.header(request.scope);
    const answer = await once(request, sent);
    // The answer to a HEAD does not say whether it was the token: that is found out once, with another one.
    const isWordless = answer.status === 403 && request.method === 'HEAD' && sent !== renewed;
    if (answer.status === 403 && !isWordless) await throwUnlessExpired(request, answer);
    else if (answer.status !== 401 && !isWordless) return answer;
    const another = await authorizer.challenged(answer.header('www-authenticate'), request.scope, sent);
    if (!another) return answer;
    await answer.drain();
    const header = await authorizer.header(request.scope);
    if (isWordless) renewed = header;
    return once(request, header);
  };

  return {
    prepare: () => transport.prepare(new URL(origin)),

    async send(request) {
      let current = request;
      let isFresh = false;
      for (let hops = 0; ; hops += 1) {
        const answer = await authorized(current);
        if (request.expect.includes(answer.status)) return answer;
        // An address that was signed may have run out on the way to it: the registry gives another one.
        if (current !== request && answer.status === 403 && !isFresh) {
          await answer.drain();
          isFresh = true;
          current = request;
          continue;
        }
        const target = redirectTarget(current, answer);
        if (!target) throw await toError(current, answer);
        await answer.drain();
        if (hops === MAX_REDIRECTS)
          throw new Error(`${redactUrl(request.url)} redirects more than ${hops} times`);
        current = { ...request, url: target };
      }
    },
  };
}

/** ECR answers 403 to a token that has run out, where others answer 401; any other 403 is final. */
async function throwUnlessExpired(request: SessionRequest, answer: HttpResponse): Promise<void> {
  const error = await toError(request, answer);
  if (!/authorization token has expired/i.test(error.said)) throw error;
}

/** Only reads follow redirects: ECR answers the GET of a blob with a presigned URL elsewhere. */
function redirectTarget({ method, url }: SessionRequest, answer: HttpResponse): URL | undefined {
  const follows = method === 'GET' && [301, 302, 303, 307, 308].includes(answer.status);
  return follows ? leadsTo(answer.header('location'), url) : undefined;
}

async function toError({ method, url }: SessionRequest, answer: HttpResponse): Promise<RegistryError> {
  const body = await answer
    .bytes(MAX_REFUSAL)
    .then((bytes) => bytes.toString())
    .catch(() => '');
  const retryAfter = answer.header('retry-after');
  return new RegistryError(
    { method, url },
    { status: answer.status, body, ...(retryAfter && { retryAfter }) },
  );
}
