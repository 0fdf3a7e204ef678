import { DescribeRepositoriesCommand, ECRClient } from '@aws-sdk/client-ecr';
import { describe, expect, test } from '@jest/globals';
import { failedCall, tellCalls } from '../../src/ecr/calls.ts';
import { atEnd } from '../support/ends.ts';
import { type Answer, serve } from '../support/server.ts';

/** The failure of a call that is answered so, and how often it was made. */
async function failureOf(answer: Answer): Promise<{ error: Error; url: string; tries: number }> {
  const { url, requests } = await serve(answer);
  const client = new ECRClient({
    region: 'eu-west-1',
    endpoint: url,
    credentials: { accessKeyId: 'AKIDTEST', secretAccessKey: 'secret' },
    maxAttempts: 2,
  });
  atEnd(() => client.destroy());
  tellCalls(client);
  const error: unknown = await client
    .send(new DescribeRepositoriesCommand({}))
    .catch((each: unknown) => each);
  if (!(error instanceof Error)) throw new Error('the call did not fail');
  return { error, url, tries: requests.length };
}

describe('a call that fails tells which it was, where it was made, and what was said', () => {
  test('when it is refused', async () => {
    const { error, url } = await failureOf((_, response) => {
      response.writeHead(400).end(JSON.stringify({ __type: 'AccessDeniedException', message: 'not you' }));
    });
    expect(error.message).toBe(`DescribeRepositories at ${url}/: AccessDeniedException: not you`);
    expect(failedCall(new Error('outer', { cause: error }))).toEqual({
      operation: 'DescribeRepositories',
      said: 'not you',
      status: undefined,
    });
  });

  test('when the answer is cut short, which is worth another try', async () => {
    const { error, url, tries } = await failureOf((_, response) => response.writeHead(200).end('{"repos'));
    expect(error.message).toBe(`DescribeRepositories at ${url}/: the answer, 200, is no JSON`);
    expect(tries).toBe(2);
  });

  test('when something else answers', async () => {
    const { error, url } = await failureOf((_, response) => response.writeHead(502).end('<html>'));
    expect(error.message).toBe(`DescribeRepositories at ${url}/: the answer, 502, is no JSON`);
    expect(failedCall(error)?.status).toBe(502);
  });

  test('when nobody answers', async () => {
    const { error } = await failureOf(({ method }, response) => {
      if (method) response.destroy();
    });
    expect(error.message).toMatch(
      /^DescribeRepositories at http:\/\/127\.0\.0\.1:\d+\/: (?:socket hang up|.*ECONNRESET)/,
    );
  });
});
