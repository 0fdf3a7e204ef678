import * as z from 'zod/mini';

/** What is good for a while, from an API of ECR's. */
interface Authorization {
  /** User and password in base64. */
  readonly token: string;
  /** In milliseconds since 1970. */
  readonly expiresAt: number;
}

/** How long a token is good that does not say it itself, in milliseconds, as ECR has it. */
const LIFETIME = 12 * 3600 * 1000;

/** What the SDK has as text is whatever the answer has there. */
const tokenSchema = z.looseObject({
  // It goes into a header.
  authorizationToken: z.string().check(z.regex(/^[\x21-\x7e]+$/)),
  expiresAt: z.optional(z.date()),
});
const endpointSchema = z.looseObject({
  proxyEndpoint: z.string().check(z.refine((text) => URL.canParse(text))),
});

/**
 * Reads the token that an API has answered with.
 * @param call which one it was, for errors
 * @throws SyntaxError for an answer that is not the API's, without the token
 */
export function readAuthorization(data: unknown, call: string): Authorization {
  const parsed = z.safeParse(tokenSchema, data);
  if (!parsed.success) throw new SyntaxError(`${call}: the answer has no token that can be used`);
  const { authorizationToken, expiresAt } = parsed.data;
  return { token: authorizationToken, expiresAt: expiresAt?.getTime() ?? Date.now() + LIFETIME };
}

/** Reads the address of the registry that a token is for; see {@link readAuthorization}. */
export function readProxyEndpoint(data: unknown, call: string): string {
  const parsed = z.safeParse(endpointSchema, data);
  if (!parsed.success) throw new SyntaxError(`${call}: the answer has no address of the registry`);
  return parsed.data.proxyEndpoint;
}
