import { DescribeRepositoriesCommand } from '@aws-sdk/client-ecr';
import { describe, expect, test } from '@jest/globals';
import { createEcrApi } from '../../src/ecr/api.ts';
import { requestHandling } from '../../src/ecr/requests.ts';
import { atEnd } from '../support/ends.ts';
import { NO_AWS, setEnvironment } from '../support/environment.ts';
import { type Answer, serve } from '../support/server.ts';

const MIB = 1024 * 1024;

/** The API at an address where this answers. */
async function api(answer: Answer) {
  const { url, requests } = await serve(answer);
  setEnvironment({ ...NO_AWS, AWS_ENDPOINT_URL_ECR: url });
  const handling = requestHandling({});
  atEnd(() => handling.httpAgent.destroy());
  const { client } = createEcrApi({
    region: 'eu-west-1',
    fips: false,
    dualStack: false,
    userAgent: 'test',
    credentials: async () => ({ accessKeyId: 'AKIDTEST', secretAccessKey: 'secret' }),
    requests: handling,
  });
  return { requests, describe: () => client.send(new DescribeRepositoriesCommand({})) };
}

/** An answer of so many bytes, with a repository's name in it. */
function long(bytes: number, status = 200): Answer {
  const name = 'x'.repeat(bytes - 60);
  return (_, response) => {
    response.writeHead(status).end(JSON.stringify({ repositories: [{ repositoryName: name }] }));
  };
}

describe("the API's answers", () => {
  test('are taken as long as ECR has them', async () => {
    const { describe: ask } = await api(long(4 * MIB));
    const { repositories } = await ask();
    expect(repositories?.[0]?.repositoryName).toHaveLength(4 * MIB - 60);
  });

  test.each([
    [200, 1],
    [400, 1],
    [500, 6],
  ])('with the status %d that never end are broken off, each of %d tries', async (status, tries) => {
    let sent = 0;
    const ended = Promise.withResolvers<void>();
    const { requests, describe: ask } = await api((_, response) => {
      response.writeHead(status).on('close', ended.resolve);
      const send = () => {
        while (!response.destroyed && response.write(Buffer.alloc(MIB, ' '))) sent += MIB;
      };
      response.on('drain', send);
      send();
    });
    await expect(ask()).rejects.toThrow(
      /^DescribeRepositories at .*: the answer has more than 16777216 bytes$/,
    );
    await ended.promise;
    expect(sent).toBeLessThan(64 * MIB);
    expect(requests.length).toBe(tries);
  });
});
