import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Proxies } from '../distribution/proxies.ts';

/** How the SDK's clients send their requests. Times are in milliseconds. */
export interface RequestHandling {
  readonly connectionTimeout: number;
  readonly requestTimeout: number;
  readonly socketTimeout: number;
  readonly throwOnRequestTimeout: boolean;
  readonly httpAgent: HttpAgent;
  readonly httpsAgent: HttpsAgent;
}

/** How often a call is made before it has failed, unless told otherwise. */
export const ATTEMPTS = 6;

/** How long the parts of a call may take, in milliseconds. */
export interface CallLimits {
  /** Until a connection is open. */
  readonly connect: number;
  /** Until the answer has come: all calls are small. */
  readonly answer: number;
}

const CALL_LIMITS: CallLimits = { connect: 10_000, answer: 15_000 };

/**
 * How all of the SDK's clients of a job send their requests, STS's too. By default the SDK waits for ever, and knows nothing of
 * proxies.
 */
export function requestHandling(
  { http, https, no }: Proxies,
  { connect, answer }: CallLimits = CALL_LIMITS,
): RequestHandling {
  const proxyEnv = { HTTP_PROXY: http, HTTPS_PROXY: https, NO_PROXY: no };
  const options = { keepAlive: true, maxSockets: 50, proxyEnv };
  return {
    connectionTimeout: connect,
    requestTimeout: answer,
    // An answer that stops in the middle is not late for the SDK.
    socketTimeout: answer,
    throwOnRequestTimeout: true,
    httpAgent: new HttpAgent(options),
    httpsAgent: new HttpsAgent(options),
  };
}
