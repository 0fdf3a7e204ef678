import type { IncomingMessage, ServerResponse } from 'node:http';
import * as z from 'zod/mini';
import { answerError, answerJson } from '../../src/distribution/server/answers.ts';
import { methodRefused, type Refusal } from '../../src/distribution/server/refusal.ts';
import type { Behaviour } from '../behaviour.ts';
import { Sealer } from '../sealer.ts';
import { type Tokens, unauthorized } from '../tokens.ts';
import { PUBLIC_REGION } from './aliases.ts';

/** Whose a bearer token is; nobody's in particular without an access key. */
const bearerSchema = z.object({
  accessKey: z.optional(z.string()),
  /** Epoch milliseconds. */
  expires: z.number(),
});
type Bearer = z.infer<typeof bearerSchema>;

/** The tokens with which one reads and writes ECR Public, and the service that gives them out. */
export class Bearers {
  readonly #sealer = new Sealer(bearerSchema);
  readonly #tokens: Tokens;
  readonly #behaviour: Behaviour;
  readonly #now: () => number;

  /**
   * @param tokens those of GetAuthorizationToken, with which one comes for another that may write
   * @param now the clock, in epoch milliseconds
   */
  constructor(tokens: Tokens, behaviour: Behaviour, now: () => number) {
    this.#tokens = tokens;
    this.#behaviour = behaviour;
    this.#now = now;
  }

  /**
   * Answers a request for a token, which everybody gets.
   * https://distribution.github.io/distribution/spec/auth/token/
   */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const exchange = { request, response };
    try {
      if (request.method !== 'GET') throw methodRefused(['GET']);
      await answerJson(exchange, 200, {}, { token: this.#sealer.seal(this.#bearerFor(request)) });
    } catch (error) {
      await answerError(exchange, error);
    }
  }

  #bearerFor({ headers }: IncomingMessage): Bearer {
    const { authorization, host = '' } = headers;
    if (authorization === undefined) return { expires: this.#now() + this.#behaviour.tokenLifetime * 1_000 };
    const { accessKey, expires } = this.#tokens.check(authorization, { region: PUBLIC_REGION, host });
    return { accessKey, expires };
  }

  /**
   * Reads the Authorization header of a request to the registry.
   * @returns the access key of whoever asks, if it is somebody
   * @throws Refusal 401 without a token that is good
   */
  check({ headers }: IncomingMessage): string | undefined {
    const token = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
    const bearer = this.#sealer.open(token ?? '');
    if (!bearer || bearer.expires <= this.#now()) throw this.#challenge(headers.host ?? '');
    return bearer.accessKey;
  }

  #challenge(host: string): Refusal {
    const challenge = `Bearer realm="http://${host}/token/",service="public.ecr.aws",scope="aws"`;
    return unauthorized(challenge, this.#behaviour);
  }
}
