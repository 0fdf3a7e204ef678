import type { ECRClient } from '@aws-sdk/client-ecr';
import * as z from 'zod/mini';
import { plain } from '../words.ts';

/** What is known of a call of AWS's API that failed. */
export interface FailedCall {
  /** Such as `DescribeImages`. */
  readonly operation: string;
  /** In the words of the API, or of what kept it from being asked. */
  readonly said: string;
  /** The status of an answer that was not in the API's form. */
  readonly status: number | undefined;
}

/** The most that is kept of what was said, in characters. */
const MOST_WORDS = 4_000;

const failed = new WeakMap<Error, FailedCall>();

/** What an error says of a call, if it is of one. */
export function failedCall(error: unknown): FailedCall | undefined {
  if (!(error instanceof Error)) return undefined;
  return failed.get(error) ?? failedCall(error.cause);
}

/** The part of a client's middleware that is used here, whichever service it is of. */
type Client = { readonly middlewareStack: Pick<ECRClient['middlewareStack'], 'add'> };

/**
 * Has the failures of a client's calls tell which call it was and where it was made, in words for users. An answer that is
 * cut short is worth another try, which the SDK does not know.
 */
export function tellCalls({ middlewareStack }: Client): void {
  middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        try {
          return await next(args);
        } catch (error) {
          if (error instanceof Error) tell(error, operationOf(commandName), addressOf(args.request));
          throw error;
        }
      },
    // Around the SDK's own reading of answers, once for each try.
    { step: 'deserialize', priority: 'high', name: 'tellCalls', override: true },
  );
}

function operationOf(commandName: string | undefined): string {
  return (commandName ?? 'a call').replace(/Command$/, '');
}

const requestSchema = z.looseObject({
  protocol: z.string(),
  hostname: z.string(),
  port: z.optional(z.number()),
});

function addressOf(request: unknown): string {
  const { data } = z.safeParse(requestSchema, request);
  return data ? `${data.protocol}//${data.hostname}${data.port ? `:${data.port}` : ''}/` : 'the API';
}

function tell(error: Error, operation: string, address: string): void {
  const status = statusOf(error);
  const form = garbled(error);
  // What has no form at all has no name for the SDK.
  const isUnformed =
    form !== undefined || error.name === 'Unknown' || (status !== undefined && status >= 300 && status < 400);
  const said = form
    ? `the answer${status === undefined ? '' : `, ${status},`} is no ${form}`
    : wordsIn(error);
  if (form) Object.assign(error, { name: 'SyntaxError', $retryable: {} });
  failed.set(error, { operation, said, status: isUnformed ? status : undefined });
  error.message = `${operation} at ${address}: ${'$fault' in error ? `${error.name}: ` : ''}${said}`;
}

/** What an answer should have been that could not be read. The SDK reads JSON, of STS XML, and has no other word for it. */
function garbled({ name, message }: Error): 'JSON' | 'XML' | undefined {
  if (name === 'SyntaxError') return 'JSON';
  return message.startsWith('@aws-sdk XML parse error') ? 'XML' : undefined;
}

function wordsIn({ name, message }: Error): string {
  // The SDK gives that name to connections that were cut, too.
  if (name === 'TimeoutError' && /time/i.test(message)) return 'no answer came in time';
  // What follows is about the SDK's own objects.
  return plain(message.split('\n  Deserialization error:')[0] ?? '', MOST_WORDS);
}

const answeredSchema = z.looseObject({
  $metadata: z.optional(z.looseObject({ httpStatusCode: z.optional(z.number()) })),
  $response: z.optional(z.looseObject({ statusCode: z.optional(z.number()) })),
});

function statusOf(error: Error): number | undefined {
  const { $metadata, $response } = z.safeParse(answeredSchema, { ...error }).data ?? {};
  return $metadata?.httpStatusCode ?? $response?.statusCode;
}
