import { describe, expect, test } from '@jest/globals';
import { explainFailure } from '../../src/ecr/explain.ts';
import { APIS } from '../support/emulated.ts';
import { NO_AWS, setEnvironment } from '../support/environment.ts';
import { serve } from '../support/server.ts';

const KEYS = { AWS_ACCESS_KEY_ID: 'AKIDTEST', AWS_SECRET_ACCESS_KEY: 'secret' };
const GOOD = {
  authorizationToken: 'QVdTOmE=',
  proxyEndpoint: 'https://registry.example',
  expiresAt: 2_000_000_000,
};

/** Asks an API for a token that answers with this. */
async function authorize(data: unknown, kind: 'private' | 'public' = 'private') {
  const authorizationData = kind === 'private' ? [data] : data;
  const { url } = await serve((_, response) => response.end(JSON.stringify({ authorizationData })));
  setEnvironment({ ...NO_AWS, ...KEYS, AWS_ENDPOINT_URL: url });
  const region = 'eu-west-1';
  const api =
    kind === 'private'
      ? APIS.createApi({ region, role: undefined, fips: false, dualStack: false })
      : APIS.createPublicApi(undefined);
  return api.authorize();
}

describe('what GetAuthorizationToken answers', () => {
  test('is a token, its end and the address of the registry', async () => {
    expect(await authorize(GOOD)).toEqual({
      token: 'QVdTOmE=',
      expiresAt: 2_000_000_000_000,
      proxyEndpoint: 'https://registry.example',
    });
    expect(await authorize({ ...GOOD, proxyEndpoint: undefined }, 'public')).toEqual({
      token: 'QVdTOmE=',
      expiresAt: 2_000_000_000_000,
    });
  });

  test.each([
    ['no token at all', null, /: the answer has no token that can be used$/],
    [
      'a token that is no text',
      { ...GOOD, authorizationToken: 7 },
      /: the answer has no token that can be used$/,
    ],
    [
      'a token that fits no header',
      { ...GOOD, authorizationToken: 'c2VjcmV0\n' },
      /: the answer has no token/,
    ],
    [
      'an end that no clock shows',
      { ...GOOD, expiresAt: 1e99 },
      /: the answer has no token that can be used$/,
    ],
    [
      'an address that is no text',
      { ...GOOD, proxyEndpoint: 7 },
      /: the answer has no address of the registry$/,
    ],
    [
      'an address that is none',
      { ...GOOD, proxyEndpoint: 'x' },
      /: the answer has no address of the registry$/,
    ],
  ])('is refused with what to do where it has %s', async (_, data, words) => {
    const error: unknown = await authorize(data).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ message: expect.stringMatching(words) });
    expect(String(error)).not.toContain('c2VjcmV0');
    expect(explainFailure(error, { name: 'eu-west-1', repository: 'team/app' })).toMatch(
      /^eu-west-1: team\/app: GetAuthorizationToken in eu-west-1: .*see what stands between the runner and the API/,
    );
  });

  test('is refused of ECR Public, too', async () => {
    await expect(authorize({ ...GOOD, authorizationToken: 7 }, 'public')).rejects.toThrow(
      'GetAuthorizationToken of ECR Public: the answer has no token that can be used',
    );
  });
});
