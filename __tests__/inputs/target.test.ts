import { describe, expect, test } from '@jest/globals';
import { BUILD, problemsOf, read, type Values } from './read.ts';

async function targetOf(values: Values, environment = {}) {
  return (await read({ ...BUILD, ...values }, environment)).target;
}

/** The regions that are meant, and the account. */
async function placesOf(values: Values, environment = {}) {
  const { places } = await targetOf(values, environment);
  return places.map((place) => (place.kind === 'private' ? place : undefined));
}

async function regionsOf(values: Values, environment = {}) {
  return (await placesOf(values, environment)).map((place) => place?.region);
}

async function accountOf(values: Values) {
  return (await placesOf(values))[0]?.account;
}

describe('regions', () => {
  test('stand by comma or newline, each once, in their order', async () => {
    const regions = await regionsOf({ regions: 'us-east-1, eu-west-1\nus-east-1\ncn-north-1' });
    expect(regions).toEqual(['us-east-1', 'eu-west-1', 'cn-north-1']);
  });

  test.each([
    ['AWS_REGION', { AWS_REGION: 'eu-west-3', AWS_DEFAULT_REGION: 'us-west-2' }, 'eu-west-3'],
    ['AWS_DEFAULT_REGION', { AWS_REGION: '', AWS_DEFAULT_REGION: 'us-west-2' }, 'us-west-2'],
  ])('are by default that of %s', async (_, environment, region) => {
    expect(await regionsOf({ regions: '' }, environment)).toEqual([region]);
  });

  test('a matrix without regions leaves a lone comma, which is none', async () => {
    expect(await regionsOf({ regions: ',' }, { AWS_REGION: 'eu-west-3' })).toEqual(['eu-west-3']);
  });

  test('that are stated come before the environment', async () => {
    expect(await regionsOf({ regions: ',us-east-2' }, { AWS_REGION: 'eu-west-3' })).toEqual(['us-east-2']);
  });

  test('are asked for when there are none', async () => {
    expect(await problemsOf({ ...BUILD, regions: ',' })).toEqual([
      expect.stringMatching(/^input "regions" is missing: write the AWS regions/),
    ]);
  });

  test.each([
    ['eu-west-11', 'did you mean eu-west-1?'],
    ['us-esat-1', 'did you mean us-east-1?'],
    ['frankfurt', 'write it as in us-east-1 or eu-central-1'],
  ])('%s is no region: %s', async (region, hint) => {
    expect(await problemsOf({ ...BUILD, regions: `us-east-1,${region}` })).toEqual([
      `input "regions": there is no AWS region "${region}"; ${hint}`,
    ]);
  });

  test('that are unknown are told of all at once', async () => {
    expect(await problemsOf({ ...BUILD, regions: 'mars-1,venus-1' })).toHaveLength(2);
  });

  test('from the environment are looked at as well', async () => {
    expect(await problemsOf({ ...BUILD, regions: '' }, { AWS_REGION: 'eu-wst-1' })).toEqual([
      'input "regions": there is no AWS region "eu-wst-1"; did you mean eu-west-1?',
    ]);
  });
});

describe('account-id', () => {
  test("is the caller's by default", async () => {
    expect(await accountOf({})).toBeUndefined();
  });

  test('has twelve digits', async () => {
    expect(await accountOf({ 'account-id': '012345678901' })).toBe('012345678901');
  });

  test.each(['12345678901', '1234567890123', '1234-5678-9012', 'me', '8e11'])(
    '%s is refused',
    async (account) => {
      expect(await problemsOf({ ...BUILD, 'account-id': account })).toEqual([
        `input "account-id": "${account}": an account id has twelve digits; in YAML put it in quotes`,
      ]);
    },
  );
});

describe('registry-endpoint', () => {
  test.each([
    'http://localhost:4566',
    'https://proxy.example/',
    'http://{account}.dkr.ecr.{region}.localhost.localstack.cloud:4566',
    'http://[::1]:5000',
  ])('%s is taken', async (endpoint) => {
    expect((await targetOf({ 'registry-endpoint': endpoint })).registryEndpoint).toBe(endpoint);
  });

  test.each([
    'localhost:4566',
    'ftp://localhost',
    'http://localhost/path',
    'http://localhost/?a=b',
    'http://localhost/#a',
    'http://{regoin}.localhost',
    'http://',
  ])('%s is refused', async (endpoint) => {
    expect(await problemsOf({ ...BUILD, 'registry-endpoint': endpoint })).toEqual([
      expect.stringContaining(
        `input "registry-endpoint": "${endpoint}": write a URL of scheme, host and port`,
      ),
    ]);
  });
});

describe('a registry-endpoint with user and password', () => {
  test.each([
    ['http://me:hunter2@localhost:4566', 'http://…@localhost:4566'],
    ['http://hunter2@localhost/path', 'http://…@localhost/path'],
    ['http://me:hunter/2@{account}.localhost', 'http://…@{account}.localhost'],
  ])('is refused, and they are not shown: %s', async (endpoint, shown) => {
    const problems = await problemsOf({ ...BUILD, 'registry-endpoint': endpoint });
    expect(problems).toEqual([
      expect.stringContaining(
        `input "registry-endpoint": "${shown}": write a URL of scheme, host and port alone`,
      ),
    ]);
    expect(problems.join()).not.toContain('hunter');
  });
});

describe('create-repository', () => {
  test.each(['true', 'True', 'TRUE'])('%s is yes', async (text) => {
    expect((await targetOf({ 'create-repository': text })).createRepository).toBe(true);
  });

  test.each(['', 'false', 'False', 'FALSE'])('%p is no', async (text) => {
    expect((await targetOf({ 'create-repository': text })).createRepository).toBe(false);
  });

  test.each(['yes', '1', 'tRUE', 'on'])('%s is neither, and refused', async (text) => {
    expect(await problemsOf({ ...BUILD, 'create-repository': text })).toEqual([
      `input "create-repository": "${text}": write true or false`,
    ]);
  });
});

describe('platforms', () => {
  test('stand by comma or newline, in normal form', async () => {
    const { platforms } = await read({ ...BUILD, platforms: 'linux/arm64/v8, linux/x86_64\nlinux/arm' });
    expect(platforms).toEqual([
      { os: 'linux', architecture: 'arm64' },
      { os: 'linux', architecture: 'amd64' },
      { os: 'linux', architecture: 'arm', variant: 'v7' },
    ]);
  });

  test.each([
    ['linux', 'write os/arch or os/arch/variant'],
    ['linux/arm46', 'did you mean arm64?'],
    ['lunix/amd64', 'did you mean linux?'],
    ['linux/arm/seven', 'write v6, v7 or v8'],
    ['linux/arm/v7/x', 'write os/arch or os/arch/variant'],
  ])('%s is none: %s', async (platform, advice) => {
    const [problem, ...more] = await problemsOf({ ...BUILD, platforms: `linux/amd64,${platform}` });
    expect(problem).toContain(`input "platforms": "${platform}" is not a platform: `);
    expect(problem).toContain(advice);
    expect(more).toEqual([]);
  });
});
