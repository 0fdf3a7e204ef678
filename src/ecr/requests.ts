import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';

/** Proxies as the environment names them: HTTP_PROXY, HTTPS_PROXY, NO_PROXY, in either case. */
export type ProxyEnvironment = Readonly<Record<string, string | undefined>>;

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
  proxyEnv: ProxyEnvironment,
  { connect, answer }: CallLimits = CALL_LIMITS,
): RequestHandling {
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
